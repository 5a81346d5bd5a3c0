"""What logistics does on hearing of EPCIS events: what has left a warehouse is in no zone of it any more."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.service import together
from events.logistics import EpcisEventCaptured
from services.logistics.zones import commands


@together
def on_events_captured(session: Session, caller: Caller, events: Sequence[EpcisEventCaptured]) -> None:
    """Let what the events took away leave its zones."""
    commands.leave_by_events(session, [event.id for event in events])


HANDLERS = {EpcisEventCaptured: on_events_captured}
