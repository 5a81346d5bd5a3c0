"""Looks at what is frozen and for which deals."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page
from services.settlement.holds.model import Deposits, DepositsState, Hold
from services.settlement.ledger.queries import show_account


def list_holds(session: Session, caller: Caller, account_id: str, cursor: str | None, limit: int) -> Page[Hold]:
    """The holds of an account's owner in its currency, newest first. Raises NotFound unless it is the caller's."""
    account = show_account(session, caller, account_id)
    mine = (Hold.party_id == account.owner_id, Hold.currency == account.currency)
    return page(session, Hold, caller, cursor, limit, *mine)


def are_held(session: Session, deal_id: str) -> bool:
    """Whether the deposits of a deal are held now: it is not over."""
    return session.scalar(select(Deposits.state).where(Deposits.id == deal_id)) is DepositsState.HELD
