"""Shows agreements."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import see
from services.orders.contracts.model import Agreement


def find_agreement(session: Session, caller: Caller, deal_id: str) -> Agreement:
    """The agreement of a deal. Raises NotFound, also while the deal is not effective yet."""
    return see(session, Agreement, deal_id, caller)
