"""Looks at shares of events."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from services.logistics.epcis.sharing.model import EventShare


def list_shares(session: Session, caller: Caller, cursor: str | None, limit: int) -> Page[EventShare]:
    """What the caller's company shares and is given, newest first."""
    return page(session, EventShare, caller, cursor, limit)


def show_share(session: Session, caller: Caller, share_id: str) -> EventShare:
    """One share. Raises NotFound."""
    return see(session, EventShare, share_id, caller)
