"""What logistics does on hearing of EPCIS events and of its own deliveries: it tells the milestones that they make."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.service import together
from events.logistics import DeliveryCancelled, DeliveryDeparted, DeliveryStarted, DeliveryWeighed, EpcisEventCaptured
from services.logistics.milestones import commands


@together
def on_events_captured(session: Session, caller: Caller, events: Sequence[EpcisEventCaptured]) -> None:
    """Tell what the events change."""
    commands.follow_events(session, caller, events)


def on_delivery_changed(
    session: Session, caller: Caller, event: DeliveryStarted | DeliveryDeparted | DeliveryWeighed | DeliveryCancelled
) -> None:
    """Tell what the delivery itself knows."""
    commands.tell_milestones(session, caller, [event.delivery_id])


HANDLERS = {
    EpcisEventCaptured: on_events_captured,
    DeliveryStarted: on_delivery_changed,
    DeliveryDeparted: on_delivery_changed,
    DeliveryWeighed: on_delivery_changed,
    DeliveryCancelled: on_delivery_changed,
}
