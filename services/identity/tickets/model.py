"""A ticket for a stream: it stands for its maker once, for a minute. Only the hash of its secret is kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Annotated

from msgspec import Meta
from sqlalchemy import ColumnElement, Text, false
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.problems import Unauthorized
from services.identity.base import Base

VALID = timedelta(seconds=60)
MOST_IN_A_WINDOW = 600
SECRET_BYTES = 32
TicketText = Annotated[str, Meta(min_length=10, max_length=200, pattern=r"^[A-Za-z0-9_.\-]+(?![\s\S])")]


class StreamTicketInvalid(Unauthorized):
    """The ticket is unknown, was used, or is past its end."""


class StreamTicket(Base):
    """Who made it and until when it may be used; the row goes when it is used or past its end."""

    __tablename__ = "stream_ticket"

    id: Mapped[str] = mapped_column(primary_key=True)
    secret_hash: Mapped[bytes]
    user_id: Mapped[str]
    party_id: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    kind: Mapped[str]
    due_at: Mapped[datetime] = mapped_column(index=True)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return false()

    @property
    def caller(self) -> Caller:
        """Whom it stands for."""
        return Caller(self.user_id, self.party_id, frozenset(self.roles), self.kind)


def make_secret() -> str:
    """A fresh secret: 43 characters."""
    return secrets.token_urlsafe(SECRET_BYTES)


def hash_secret(secret: str) -> bytes:
    """256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).digest()
