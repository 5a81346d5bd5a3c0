"""Looking sessions up."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.identity.sessions.model import Family, State


def find_open_families(session: Session, user_id: str) -> list[str]:
    """The ids of a user's sessions that are not over."""
    return list(session.scalars(select(Family.id).where(Family.user_id == user_id, Family.state == State.OPEN)))
