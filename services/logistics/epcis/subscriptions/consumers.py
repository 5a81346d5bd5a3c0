"""What subscriptions hear: that an EPCIS event has come into the repository."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.service import together
from events.logistics import EpcisEventCaptured
from services.logistics.epcis.subscriptions import commands


@together
def on_epcis_event_captured(session: Session, caller: Caller, captured: Sequence[EpcisEventCaptured]) -> None:
    commands.take_events(session, caller, captured)


HANDLERS = {EpcisEventCaptured: on_epcis_event_captured}
