"""What logistics does on hearing that a delivery was accepted."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from events.orders import DeliveryAccepted
from services.logistics.weighing import commands


def on_delivery_accepted(session: Session, caller: Caller, event: DeliveryAccepted) -> None:
    """Its weights stand."""
    commands.accept_weights(session, caller, event)


HANDLERS = {DeliveryAccepted: on_delivery_accepted}
