"""A signing key: it signs from ``signs_from`` on, and is retired at ``due_at`` once a newer one has taken over."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Mapped, mapped_column

from chassis import clock
from chassis.auth import LIFETIME_S, Caller
from chassis.problems import Conflict
from chassis.states import Move, Stateful, state_column
from services.identity.base import Base

# How long verifiers have to hear of a key before it signs; they look once a second, so this is for slow brokers.
HEAD_START = timedelta(minutes=1)
TOKENS_LIVE = timedelta(seconds=LIFETIME_S)


class State(StrEnum):
    """Whether tokens of the key are taken."""

    ACTIVE = "active"
    RETIRED = "retired"


class LastKey(Conflict):
    """The key that signs now cannot be retired before another one signs."""


class SigningKey(Stateful, Base):
    """An Ed25519 key pair; the private half is sealed under the first key's secret."""

    __tablename__ = "signing_key"
    moves: ClassVar[dict[str, Move]] = {"retire": Move(State.ACTIVE, to=State.RETIRED)}
    initial: ClassVar[StrEnum] = State.ACTIVE
    final: ClassVar[frozenset[StrEnum]] = frozenset({State.RETIRED})

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    public_key: Mapped[str]
    sealed: Mapped[bytes]
    state: Mapped[State] = state_column(State)
    signs_from: Mapped[datetime] = mapped_column(index=True)
    due_at: Mapped[datetime | None] = mapped_column(index=True)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        """Public keys are public."""
        return cls.state == State.ACTIVE

    def supersede(self, *, by: datetime) -> None:
        """Retire it when the last token that it signs before ``by`` has ended."""
        self.due_at = by + TOKENS_LIVE

    def retire(self) -> None:
        """Take no token of it from now on."""
        self.move("retire")
        self.due_at = None
        self.version += 1

    def is_over(self) -> bool:
        """Whether its time has come."""
        return self.can("retire") and self.due_at is not None and self.due_at <= clock.now()
