"""What Stripe tells unasked: the inbox of its events, and how far the sweep has read that fetches those no webhook brought."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Literal

import msgspec
from sqlalchemy import ColumnElement, Index, Text, false, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.states import Move, Stateful, state_column
from services.settlement.base import Base
from services.settlement.payments.model import Intent

SWEEP_EVERY = timedelta(minutes=5)
SWEEP_OVERLAP_S = 3_600
EVENTS_KEPT = timedelta(days=35)
"""Longer than the 30 days that events.list reaches back, so that no handled event comes a second time."""
SWEEP_ID = "card_sweep"
INTENT_TYPES = (
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.canceled",
)
MONEY_TYPES = (
    "charge.refunded",
    "charge.dispute.created",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "charge.dispute.closed",
    "refund.failed",
)
"""They say that money of a charge has moved, not how: that is looked up, so their order does not matter."""
HEARD_TYPES = INTENT_TYPES + MONEY_TYPES


class HeardEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event of Stripe's: of an ``intent``, or that money of the intent ``intent_id`` moved, or neither."""

    id: str
    type: str
    intent: Intent | None = None
    intent_id: str | None = None


class EventState(StrEnum):
    """Where a webhook stands."""

    RECEIVED = "received"
    APPLIED = "applied"
    IGNORED = "ignored"


class CardEvent(Stateful, Base):
    """An event of Stripe's, taken in once by its id and handled once by the worker."""

    __tablename__ = "card_event"
    __table_args__ = (Index("ix_card_event_due_at", "due_at", postgresql_where="due_at IS NOT NULL"),)
    initial = EventState.RECEIVED
    final = frozenset({EventState.APPLIED, EventState.IGNORED})
    waits = frozenset({EventState.RECEIVED})
    moves: ClassVar[dict[str, Move]] = {
        "apply": Move(EventState.RECEIVED, to=EventState.APPLIED),
        "ignore": Move(EventState.RECEIVED, to=EventState.IGNORED),
    }

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    type: Mapped[str]
    intent: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    intent_id: Mapped[str | None]
    state: Mapped[EventState] = state_column(EventState)
    received_at: Mapped[datetime] = mapped_column(index=True)
    due_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else false()

    def settle(self, move: Literal["apply", "ignore"]) -> None:
        """The event has been dealt with."""
        self.move(move)
        self.due_at = None


class CardSweep(Base):
    """How far events.list was read: up to ``since`` (unix seconds by Stripe's clock); ``after`` within a pass."""

    __tablename__ = "card_sweep"

    id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    since: Mapped[int]
    newest: Mapped[int]
    after: Mapped[str | None]
    due_at: Mapped[datetime] = mapped_column(index=True)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else false()
