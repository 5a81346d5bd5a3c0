"""A subscription to a query, and the events that wait to be pushed to it."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import BigInteger, ColumnElement, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import PLATFORM, Caller
from chassis.states import Move, Stateful, state_column
from services.logistics.base import Base
from services.logistics.epcis.subscriptions.schedule import find_next, read_schedule

MOST_EVENTS = 100
FIRST_RETRY = timedelta(seconds=2)
LONGEST_RETRY = timedelta(hours=1)
FAILS_FOR = timedelta(days=3)
GONE, TOO_LARGE = 410, 413


class State(StrEnum):
    """Whether results are still pushed."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class EpcisSubscription(Stateful, Base):
    """A standing query. With a ``schedule`` it runs at these times; without one it pushes each event as it comes.

    One push is on its way at a time (``pushing`` names its errand), so what a subscriber gets is in order. What was recorded
    before it began, from ``initial_record_time`` on, is its backlog: read on behind (``backlog_time``, ``backlog_sequence``)
    until ``backlog_until``, and None there when it is done. ``run_at`` is the scheduled time of what is being pushed.
    """

    __tablename__ = "epcis_subscription"
    moves: ClassVar[dict[str, Move]] = {"suspend": Move(State.ACTIVE, to=State.SUSPENDED)}
    initial: ClassVar[StrEnum] = State.ACTIVE
    final: ClassVar[frozenset[StrEnum]] = frozenset({State.SUSPENDED})

    id: Mapped[str] = mapped_column(primary_key=True)
    query_id: Mapped[str] = mapped_column(index=True)
    query_name: Mapped[str]
    owner_id: Mapped[str] = mapped_column(index=True)
    user_id: Mapped[str]
    query: Mapped[dict[str, Any]] = mapped_column(JSONB)
    dest: Mapped[str]
    secret: Mapped[str | None]
    epc_format: Mapped[str]
    report_if_empty: Mapped[bool]
    schedule: Mapped[dict[str, str] | None] = mapped_column(JSONB)
    state: Mapped[State] = state_column(State)
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    run_at: Mapped[datetime | None]
    pushing: Mapped[str | None]
    batch: Mapped[int]
    created_at: Mapped[datetime]
    initial_record_time: Mapped[datetime]
    min_record_time: Mapped[datetime]
    backlog_until: Mapped[datetime | None]
    backlog_time: Mapped[datetime | None]
    backlog_sequence: Mapped[int | None] = mapped_column(BigInteger)
    last_notified_at: Mapped[datetime | None]
    failures: Mapped[int]
    failing_since: Mapped[datetime | None]
    last_error: Mapped[str | None]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        """A company's own; those of the platform are the operator's."""
        return cls.owner_id == caller.party_id

    @property
    def subscriber(self) -> Caller:
        """With whose eyes the repository is looked at."""
        kind = "operator" if self.owner_id == PLATFORM else "machine"
        return Caller(self.user_id, self.owner_id, kind=kind)

    @property
    def is_idle(self) -> bool:
        """Whether a stream's push may begin: none is on its way or put off."""
        return self.state is State.ACTIVE and self.pushing is None and self.due_at is None

    def wait_for_next_run(self, now: datetime) -> None:
        """Nothing is left to push: a schedule waits for its next time, a stream for the next event."""
        self.run_at = None
        self.due_at = find_next(read_schedule(self.schedule), now) if self.schedule else None

    def begin_run(self, now: datetime) -> None:
        """A schedule's time has come, unless an earlier run is still being pushed."""
        if self.schedule and self.run_at is None:
            self.run_at = now
        self.due_at = None

    def note_success(self, now: datetime) -> None:
        """The receiver took a push."""
        self.last_notified_at, self.pushing, self.failures = now, None, 0
        self.failing_since = self.last_error = None

    def note_failure(self, now: datetime, *, status: int, error: str) -> None:
        """The receiver did not take a push: it is put off longer and longer, and given up in the end.

        413 asks for smaller pushes at once; 410 wants none any more.
        """
        self.pushing, self.last_error = None, error
        if status == TOO_LARGE and self.batch > 1:
            self.batch, self.due_at = self.batch // 2, now
            return
        self.failures += 1
        self.failing_since = self.failing_since or now
        if status == GONE or now - self.failing_since >= FAILS_FOR:
            self.give_up(error)
        else:
            self.due_at = now + min(FIRST_RETRY * 2 ** min(self.failures - 1, 20), LONGEST_RETRY)

    def give_up(self, reason: str) -> None:
        """Push nothing any more; ``min_record_time`` says from where a new subscription would go on."""
        self.move("suspend")
        self.last_error = reason
        self.pushing = self.due_at = self.run_at = None


class EpcisWaiting(Base):
    """An event that fits a subscription and was not pushed yet."""

    __tablename__ = "epcis_waiting"
    __table_args__ = (Index("ix_epcis_waiting_order", "subscription_id", "record_time", "sequence"),)

    subscription_id: Mapped[str] = mapped_column(primary_key=True)
    event: Mapped[str] = mapped_column(primary_key=True)
    record_time: Mapped[datetime]
    sequence: Mapped[int] = mapped_column(BigInteger)
