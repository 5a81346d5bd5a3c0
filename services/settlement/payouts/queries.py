"""Looks at payouts."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from services.settlement.payouts.model import Payout, State


def list_payouts(session: Session, caller: Caller, state: State | None, cursor: str | None, limit: int) -> Page[Payout]:
    """Payouts, newest first: all for the operator and the bank feed, a company's own for it."""
    where = [] if state is None else [Payout.state == state]
    return page(session, Payout, caller, cursor, limit, *where)


def show_payout(session: Session, caller: Caller, payout_id: str) -> Payout:
    """One payout. Raises NotFound."""
    return see(session, Payout, payout_id, caller)
