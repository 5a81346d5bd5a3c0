"""An API key: only the hash of its secret is kept, and the secret's beginning so that people can tell keys apart."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from msgspec import Meta
from sqlalchemy import ColumnElement, Text, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import PARTY_ROLES, PLATFORM, Caller
from chassis.problems import Unauthorized
from chassis.states import Move, Stateful, state_column
from services.identity.base import Base

SECRET_BYTES = 32
PREFIX_CHARACTERS = 6
# A machine cannot make users and keys; those stay with people.
ROLES_OF_MACHINES = frozenset(PARTY_ROLES) - {"admin"}
ROLES_OF_PLATFORM_MACHINES = frozenset({"bank_feed"})
ApiKeyText = Annotated[str, Meta(min_length=10, max_length=200, pattern=r"^[A-Za-z0-9_.\-]+(?![\s\S])")]


class State(StrEnum):
    """Whether a key still gets tokens."""

    ACTIVE = "active"
    REVOKED = "revoked"


class ApiKeyInvalid(Unauthorized):
    """The API key is unknown or was revoked."""


class ApiKey(Stateful, Base):
    """A machine's key; ``device`` binds its tokens to one device, such as a gate."""

    __tablename__ = "api_key"
    moves: ClassVar[dict[str, Move]] = {"revoke": Move(State.ACTIVE, to=State.REVOKED)}
    initial: ClassVar[StrEnum] = State.ACTIVE
    final: ClassVar[frozenset[StrEnum]] = frozenset({State.REVOKED})

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    party_id: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    device: Mapped[str | None]
    prefix: Mapped[str]
    secret_hash: Mapped[bytes]
    state: Mapped[State] = state_column(State)
    made_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        """Those of the caller's own company; the operator sees all."""
        return true() if caller.is_operator else cls.party_id == caller.party_id

    def make_secret(self) -> str:
        """A fresh secret, as the machine keeps it: the key's id, a point, 43 characters."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        self.prefix, self.secret_hash = secret[:PREFIX_CHARACTERS], _hash(secret)
        return f"{self.id}.{secret}"

    def is_secret(self, secret: str) -> bool:
        """Whether it is the secret of this key; takes the same time either way."""
        return hmac.compare_digest(_hash(secret), self.secret_hash)

    def revoke(self) -> None:
        """Give no token for it any more. Raises IllegalMove."""
        self.move("revoke")
        self.version += 1


def roles_of_machines(party_id: str) -> frozenset[str]:
    """The roles that a machine of a party may have."""
    return ROLES_OF_PLATFORM_MACHINES if party_id == PLATFORM else ROLES_OF_MACHINES


def _hash(secret: str) -> bytes:
    """256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).digest()
