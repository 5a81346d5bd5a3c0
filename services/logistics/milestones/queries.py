"""Shows the timeline of a delivery to its parties."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from services.logistics.milestones.timeline import Timeline, draw_timeline
from services.logistics.shipments import details
from services.logistics.shipments.details import Details


def see_timeline(session: Session, delivery_id: str, caller: Caller) -> Timeline:
    """The timeline of a delivery that the caller is party to: all of it, whoever told what. Raises NotFound."""
    return timeline_of(session, details.see_delivery(session, delivery_id, caller))


def timeline_of(session: Session, found: Details) -> Timeline:
    """The timeline of a delivery that was looked up."""
    return draw_timeline(session, found)
