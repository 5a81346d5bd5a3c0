"""Looks markets up for the topics that follow their rules."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.problems import NotYetKnown
from services.orders.markets.model import Market


def find_market(session: Session, market: str) -> Market:
    """A market by its name. Raises NotYetKnown."""
    found = session.scalars(select(Market).where(Market.id == market)).one_or_none()
    if found is None:
        raise NotYetKnown(f"the market {market!r} has not been heard of yet", field="$.market")
    return found
