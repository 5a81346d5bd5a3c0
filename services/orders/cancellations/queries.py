"""Shows the cancellations of a deal."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from services.orders.cancellations.model import Cancellation
from services.orders.deals.model import Deal


def list_cancellations(
    session: Session, caller: Caller, deal_id: str, *, cursor: str | None, limit: int
) -> Page[Cancellation]:
    """The cancellations of one deal, newest first. Raises NotFound."""
    see(session, Deal, deal_id, caller)
    return page(session, Cancellation, caller, cursor, limit, Cancellation.deal_id == deal_id)
