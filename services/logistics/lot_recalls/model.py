"""A recall of a lot and the notices to those who hold it: their states, and who may do what."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import ARRAY, ColumnElement, Index, Integer, Text, and_, or_, text, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.problems import Conflict, Forbidden, Invalid
from chassis.states import Move, Stateful, state_column
from services.logistics.base import Base


class NotTheMaker(Forbidden):
    """Only the company that made the lot, or the platform's operator, may recall it."""


class AlreadyRecalled(Conflict):
    """A recall of this is going on."""


class NotYourRecall(Forbidden):
    """Only the company that started the recall, or the platform's operator, may do this."""


class DeadlinePassed(Invalid):
    """The answers are wanted at a time that has not come yet."""


class Grade(StrEnum):
    """How bad it is, after 21 CFR 7.3(m): class I may kill or cause lasting harm, II passing harm, III none is likely."""

    I = "I"  # noqa: E741
    II = "II"
    III = "III"


class State(StrEnum):
    """Whether a recall goes on."""

    OPEN = "open"
    OVERDUE = "overdue"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class NoticeState(StrEnum):
    """What a holder has answered."""

    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


class Outcome(StrEnum):
    """What a holder did with what it held."""

    QUARANTINED = "quarantined"
    RETURNED = "returned"
    DESTROYED = "destroyed"
    SOLD = "sold"
    NOT_FOUND = "not_found"


def already_recalled() -> AlreadyRecalled:
    """What a company is told that starts a second one."""
    return AlreadyRecalled("close or renew the one that is open")


class LotRecall(Stateful, Base):
    """A recall of a lot, a thing or a piece by its maker. Answers are wanted until ``due_at``.

    ``affected`` counts the things and lots that were reached, ``unreached`` are holders that are no company here: name and
    number of things, as far as the owner may see the events that say so. ``papers`` are what it travelled under, likewise.
    """

    __tablename__ = "lot_recall"
    __table_args__ = (
        Index("uq_lot_recall_open", "thing", unique=True, postgresql_where="state IN ('open', 'overdue')"),
    )
    constraint_problems: ClassVar[dict[str, Any]] = {"uq_lot_recall_open": already_recalled}

    moves: ClassVar[dict[str, Move]] = {
        "renew": Move(State.OPEN, State.OVERDUE, to=State.OPEN),
        "pass_deadline": Move(State.OPEN, to=State.OVERDUE),
        "close": Move(State.OPEN, State.OVERDUE, to=State.CLOSED),
        "cancel": Move(State.OPEN, State.OVERDUE, to=State.CANCELLED),
    }
    initial = State.OPEN
    final = frozenset({State.CLOSED, State.CANCELLED})
    waits = frozenset({State.OPEN})

    id: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[str] = mapped_column(index=True)
    thing: Mapped[str]
    grade: Mapped[Grade] = state_column(Grade)
    reason: Mapped[str]
    instruction: Mapped[str]
    state: Mapped[State] = state_column(State)
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    opened_at: Mapped[datetime]
    opened_by: Mapped[str]
    renewed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    summary: Mapped[str | None]
    affected: Mapped[int] = mapped_column(Integer)
    own: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    unreached: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    papers: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        """Who started it; holders see their notices."""
        return true() if caller.is_operator else cls.owner_id == caller.party_id

    def is_due(self, at: datetime) -> bool:
        """Whether the time for answers is over."""
        return self.state == State.OPEN and self.due_at is not None and self.due_at <= at

    def renew(self, due_at: datetime, at: datetime) -> None:
        """Look for holders again, with a new time for answers. Raises IllegalMove or DeadlinePassed."""
        check_is_ahead(due_at, at)
        self.move("renew")
        self.due_at, self.renewed_at = due_at, at

    def pass_deadline(self) -> None:
        """The time for answers is over. Raises IllegalMove."""
        self.move("pass_deadline")
        self.due_at = None

    def end(self, move: str, summary: str, by: str, at: datetime) -> None:
        """Close or cancel it. Raises IllegalMove."""
        self.move(move)
        self.due_at, self.summary, self.ended_by, self.ended_at = None, summary, by, at


def check_is_ahead(due_at: datetime, at: datetime) -> None:
    """Raises DeadlinePassed."""
    if due_at <= at:
        raise DeadlinePassed(f"{due_at.isoformat()} is over", field="$.due_at")


class RecallNotice(Stateful, Base):
    """What a company is told to hold: ``things`` with their state, last place and time; the number of all is ``held``.

    ``known`` is what of it whoever recalls may see by the events that are its to see. Where that is nothing the notice counts
    in the recall's figures and is not shown there: who a customer sells to is the customer's.
    """

    __tablename__ = "recall_notice"
    __table_args__ = (Index("uq_recall_notice_party", "recall_id", "party_id", unique=True),)
    constraint_problems: ClassVar[dict[str, Any]] = {}

    moves: ClassVar[dict[str, Move]] = {
        "acknowledge": Move(NoticeState.SENT, to=NoticeState.ACKNOWLEDGED),
        "resolve": Move(NoticeState.SENT, NoticeState.ACKNOWLEDGED, to=NoticeState.RESOLVED),
        "reopen": Move(NoticeState.ACKNOWLEDGED, NoticeState.RESOLVED, to=NoticeState.SENT),
        "withdraw": Move(NoticeState.SENT, NoticeState.ACKNOWLEDGED, NoticeState.RESOLVED, to=NoticeState.WITHDRAWN),
    }
    initial = NoticeState.SENT
    final = frozenset({NoticeState.WITHDRAWN})

    id: Mapped[str] = mapped_column(primary_key=True)
    recall_id: Mapped[str] = mapped_column(index=True)
    owner_id: Mapped[str]
    party_id: Mapped[str] = mapped_column(index=True)
    state: Mapped[NoticeState] = state_column(NoticeState)
    known: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    held: Mapped[int] = mapped_column(Integer)
    things: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    delivery_ids: Mapped[list[str]] = mapped_column(ARRAY(Text))
    deal_ids: Mapped[list[str]] = mapped_column(ARRAY(Text))
    sent_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None]
    outcome: Mapped[str | None]
    note: Mapped[str | None]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        """Who holds it, and who recalls it as far as that company knows the holder by its own events."""
        if caller.is_operator:
            return true()
        return or_(
            cls.party_id == caller.party_id, and_(cls.owner_id == caller.party_id, cls.known != text("'[]'::jsonb"))
        )

    def check_is_addressee(self, caller: Caller) -> None:
        """Raises NotTheHolder."""
        if caller.party_id != self.party_id:
            raise NotTheHolder("the notice is another company's to answer")

    def acknowledge(self, by: str, at: datetime) -> None:
        """The holder has read it and holds its goods back. Raises IllegalMove."""
        self.move("acknowledge")
        self.acknowledged_by, self.acknowledged_at = by, at

    def resolve(self, outcome: Outcome, note: str | None, by: str, at: datetime) -> None:
        """The holder says what became of its goods, which acknowledges it too. Raises IllegalMove."""
        self.move("resolve")
        self.outcome, self.note, self.resolved_by, self.resolved_at = outcome.value, note, by, at
        if self.acknowledged_at is None:
            self.acknowledged_by, self.acknowledged_at = by, at

    def hold(self, found: dict[str, Any], at: datetime) -> bool:
        """Take in what a renewed search has found; True when the holder has more than it was told of and is asked again."""
        fresh = {one["id"] for one in found["things"]} - {one["id"] for one in self.things}
        is_more = bool(fresh) or found["held"] > self.held
        for name, value in found.items():
            setattr(self, name, value)
        if is_more and self.can("reopen"):
            self.move("reopen")
            self.sent_at, self.acknowledged_at, self.acknowledged_by = at, None, None
            self.outcome, self.note, self.resolved_at, self.resolved_by = None, None, None, None
        return is_more


class NotTheHolder(Forbidden):
    """Only the company that a notice is to may answer it."""
