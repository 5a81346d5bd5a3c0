"""What settlement does on hearing that deals were struck."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.service import together
from events.orders import DealStruck
from services.settlement.holds import commands


@together
def on_deals_struck(session: Session, caller: Caller, events: Sequence[DealStruck]) -> None:
    """Hold both deposits of each."""
    commands.hold_deposits(session, caller, events)


HANDLERS = {DealStruck: on_deals_struck}
