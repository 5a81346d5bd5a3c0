"""What settlement does on hearing that a deal was struck."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from events.orders import DealStruck
from services.settlement.holds import commands


def on_deal_struck(session: Session, caller: Caller, event: DealStruck) -> None:
    """Hold both deposits."""
    commands.hold_deposits(session, caller, event)


HANDLERS = {DealStruck: on_deal_struck}
