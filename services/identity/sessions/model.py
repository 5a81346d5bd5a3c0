"""A family of refresh tokens: each refresh gives the next one, and one that comes twice ends the family (RFC 9700,
4.14.2).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar

from msgspec import Meta
from sqlalchemy import ColumnElement, false
from sqlalchemy.orm import Mapped, mapped_column

from chassis import clock
from chassis.auth import Caller
from chassis.problems import Unauthorized
from chassis.states import Move, Stateful, state_column
from services.identity.base import Base
from services.identity.vault import Vault

LIFETIME = timedelta(days=30)
RefreshText = Annotated[str, Meta(min_length=10, max_length=200, pattern=r"^[A-Za-z0-9_.\-]+(?![\s\S])")]


class State(StrEnum):
    """Whether the family can still be refreshed."""

    OPEN = "open"
    ENDED = "ended"


class RefreshInvalid(Unauthorized):
    """The refresh token is not one of ours, or its session is over: sign in again."""


class RefreshReused(Unauthorized):
    """A refresh token came twice, so somebody else may have it: the session is ended, sign in again."""


class WrongCredentials(Unauthorized):
    """Email address and password do not go together."""


class Family(Stateful, Base):
    """A session: ``generation`` counts its refresh tokens, of which only the newest works."""

    __tablename__ = "refresh_family"
    moves: ClassVar[dict[str, Move]] = {"end": Move(State.OPEN, to=State.ENDED)}
    initial: ClassVar[StrEnum] = State.OPEN
    final: ClassVar[frozenset[StrEnum]] = frozenset({State.ENDED})
    waits: ClassVar[frozenset[StrEnum]] = frozenset({State.OPEN})

    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(index=True)
    generation: Mapped[int]
    state: Mapped[State] = state_column(State)
    reason: Mapped[str | None]
    began_at: Mapped[datetime]
    due_at: Mapped[datetime | None] = mapped_column(index=True)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return false()

    def is_open(self) -> bool:
        """Whether it may be refreshed now."""
        return self.can("end") and self.due_at is not None and self.due_at > clock.now()

    def token(self, vault: Vault) -> str:
        """The refresh token of the present generation."""
        generation = str(self.generation)
        return f"{self.id}.{generation}.{vault.name('refresh', self.id, generation)}"

    def end(self, reason: str) -> None:
        """End the session."""
        self.move("end")
        self.reason, self.due_at = reason, None


def read_refresh_token(vault: Vault, token: str) -> tuple[str, int]:
    """Family and generation of a token that we made. Raises RefreshInvalid."""
    family_id, _, rest = token.partition(".")
    generation, _, name = rest.partition(".")
    if not vault.is_name(name, "refresh", family_id, generation):
        raise RefreshInvalid()
    return family_id, int(generation)
