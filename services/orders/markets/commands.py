"""Keeps what the catalog says of markets."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.database import project
from events.catalog import MarketDescribed
from services.orders.markets.model import Market


def describe_market(session: Session, event: MarketDescribed) -> None:
    """Keep a market as it stands; an older version changes nothing."""
    project(
        session, Market, {"id": event.market}, event.version, terms=event.terms, fees=event.fees, clauses=event.clauses
    )
