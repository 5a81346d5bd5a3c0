"""Looks at capture jobs, and at single events by their ids."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from services.logistics.epcis.exceptions import NoSuchResourceException
from services.logistics.epcis.model import EpcisCapture, EpcisEvent

MOST_OF_ONE_ID = 100


def list_captures(session: Session, caller: Caller, cursor: str | None, limit: int) -> Page[EpcisCapture]:
    """The caller's capture jobs, newest first. Raises Invalid on a strange cursor."""
    return page(session, EpcisCapture, caller, cursor, limit)


def show_capture(session: Session, caller: Caller, capture_id: str) -> EpcisCapture:
    """A capture job. Raises NotFound."""
    return see(session, EpcisCapture, capture_id, caller)


def events_of_id(session: Session, caller: Caller, event_id: str) -> list[EpcisEvent]:
    """What the caller may see under an eventID, oldest first: an event, and the declaration that it was an error.

    Raises NoSuchResourceException when there is nothing.
    """
    query = select(EpcisEvent).where(EpcisEvent.event_id == event_id, EpcisEvent.visible_to(caller))
    found = list(session.scalars(query.order_by(EpcisEvent.sequence).limit(MOST_OF_ONE_ID)))
    if not found:
        raise NoSuchResourceException(f"no event {event_id[:200]}")
    return found
