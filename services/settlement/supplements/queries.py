"""Looks at supplementary payments."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from services.settlement.supplements.model import State, Supplement


def list_supplements(
    session: Session, caller: Caller, deal_id: str | None, state: State | None, cursor: str | None, limit: int
) -> Page[Supplement]:
    """The supplements of the caller's deals, newest first."""
    where = [] if deal_id is None else [Supplement.deal_id == deal_id]
    where += [] if state is None else [Supplement.state == state]
    return page(session, Supplement, caller, cursor, limit, *where)


def show_supplement(session: Session, caller: Caller, supplement_id: str) -> Supplement:
    """One supplement. Raises NotFound."""
    return see(session, Supplement, supplement_id, caller)
