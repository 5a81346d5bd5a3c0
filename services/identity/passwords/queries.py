"""Looking tickets up."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.identity.passwords.model import State, Ticket


def find_open_tickets(session: Session, user_id: str) -> list[str]:
    """The ids of the tickets of a user that may still be used."""
    return list(session.scalars(select(Ticket.id).where(Ticket.user_id == user_id, Ticket.state == State.OPEN)))
