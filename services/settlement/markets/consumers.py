"""What settlement does on hearing of markets."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from events.catalog import MarketDescribed
from services.settlement.markets import commands


def on_market_described(session: Session, caller: Caller, event: MarketDescribed) -> None:
    """Keep the market."""
    commands.describe_market(session, event)


HANDLERS = {MarketDescribed: on_market_described}
