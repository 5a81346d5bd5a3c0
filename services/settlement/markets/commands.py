"""Keeps what the catalog says of markets."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.database import project
from events.catalog import MarketDescribed
from services.settlement.markets.model import Market


def describe_market(session: Session, event: MarketDescribed) -> None:
    """Keep a market as it stands; an older version changes nothing."""
    fees = event.fees
    project(
        session,
        Market,
        {"id": event.market},
        event.version,
        fee_rate=fees.fee_rate,
        forfeit_fee_rate=fees.forfeit_fee_rate,
        fee_tax_rate=fees.fee_tax_rate,
    )
