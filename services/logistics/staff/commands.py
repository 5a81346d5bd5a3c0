"""Keeps what identity says of users."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.database import project
from events.identity import UserDescribed
from services.logistics.staff.model import Staff


def describe_user(session: Session, event: UserDescribed) -> None:
    """Keep a user as it stands; an older version changes nothing."""
    project(
        session,
        Staff,
        {"id": event.user_id},
        event.version,
        party_id=event.party_id,
        roles=event.roles,
        state=event.state,
    )
