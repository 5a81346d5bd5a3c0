"""Looks at the payments of deals."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from services.settlement.escrows.model import Escrow, State


def list_escrows(session: Session, caller: Caller, state: State | None, cursor: str | None, limit: int) -> Page[Escrow]:
    """The payments of the caller's deals, newest deal first."""
    where = [] if state is None else [Escrow.state == state]
    return page(session, Escrow, caller, cursor, limit, *where)


def show_escrow(session: Session, caller: Caller, deal_id: str) -> Escrow:
    """The payment of one deal. Raises NotFound."""
    return see(session, Escrow, deal_id, caller)
