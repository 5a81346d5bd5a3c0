"""The tables of reads and passages: what a gate's readers said, and what went through."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Double, Index, Integer, Text, case, or_, select, text, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.states import Move, Stateful, state_column
from services.logistics.base import Base
from services.logistics.warehouses.model import Gate

LATE, SKEWED = "late", "skewed"
PATIENCE = timedelta(hours=1)
"""What readers held back waits so long for gates at which something passes now."""


class TagRead(Base):
    """A read as it came, once: ``at`` is when by our clock, ``reader_at`` what its reader said.

    ``mark`` says that it makes no passage with others: ``late`` came too late for that, ``skewed`` has no believable time.
    ``window_id`` is of the time when reads were worked off in windows.
    """

    __tablename__ = "tag_read"
    __table_args__ = (
        Index("ix_tag_read_received", "received_at", postgresql_using="brin"),
        Index("ix_tag_read_time", "gate_id", "at"),
        Index("ix_tag_read_late", "gate_id", "at", postgresql_where="mark = 'late'"),
    )

    gate_id: Mapped[str] = mapped_column(primary_key=True)
    boot: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    epc: Mapped[str]
    antenna: Mapped[int]
    rssi_dbm: Mapped[float] = mapped_column(Double)
    at: Mapped[datetime]
    received_at: Mapped[datetime]
    window_id: Mapped[str | None]
    reader_id: Mapped[str | None]
    reader_at: Mapped[datetime | None]
    count: Mapped[int] = mapped_column(server_default="1")
    pc: Mapped[int | None]
    mark: Mapped[str | None]


class GateEdge(Base):
    """The photo-eye of a gate went high (something is in the way) or low."""

    __tablename__ = "gate_edge"

    gate_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    is_high: Mapped[bool] = mapped_column(primary_key=True)


class ReaderWatermark(Base):
    """Up to when all reads of a reader have come, and when it last said so."""

    __tablename__ = "reader_watermark"

    gate_id: Mapped[str] = mapped_column(primary_key=True)
    reader_id: Mapped[str] = mapped_column(primary_key=True)
    heard_at: Mapped[datetime]
    seen_until: Mapped[datetime]


class TagSlot(Base):
    """A tag was read at a gate in these ten seconds: what shows that one stands there."""

    __tablename__ = "tag_slot"

    gate_id: Mapped[str] = mapped_column(primary_key=True)
    epc: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(BigInteger, primary_key=True)


class ParkedTag(Base):
    """A tag stands at a gate: its reads from ``since`` to before ``until`` make no passage."""

    __tablename__ = "parked_tag"

    gate_id: Mapped[str] = mapped_column(primary_key=True)
    epc: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(primary_key=True)
    until: Mapped[datetime]


class State(StrEnum):
    """Reads still come in; it is over; or late reads showed that it was otherwise."""

    OPEN = "open"
    CLOSED = "closed"
    TAKEN_BACK = "taken_back"


class PassageDelivery(Base):
    """A delivery that went through with a passage, and whose it is; ``departs`` when it left with this one."""

    __tablename__ = "passage_delivery"

    passage_id: Mapped[str] = mapped_column(primary_key=True)
    delivery_id: Mapped[str] = mapped_column(primary_key=True, index=True)
    buyer_id: Mapped[str] = mapped_column(index=True)
    seller_id: Mapped[str] = mapped_column(index=True)
    departs: Mapped[bool] = mapped_column(server_default="false")


class Passage(Stateful, Base):
    """Something went through a gate. One is open while reads come, and closes when none has come for the closing time.

    Reads that come late may show that it was otherwise: then it is taken back, and ``superseded_by`` is what stands for it,
    with a higher ``version``. While open, ``reads`` counts what came, ``heard_at`` says when something that moves was last
    read, and the reads since the last look have times from ``changed_from`` to ``changed_until``, those that came too late to
    be of a passage with others from ``late_from`` to ``late_until``. Those that a reader held back are from ``delayed_from`` to
    ``delayed_until``, and are looked at from ``delayed_due`` on. ``digest`` is of what it was made of.
    """

    __tablename__ = "passage"
    __table_args__ = (
        Index("uq_passage_open", "gate_id", unique=True, postgresql_where="state = 'open'"),
        Index("ix_passage_standing", "gate_id", "first_seen", postgresql_where="state = 'closed'"),
    )

    moves: ClassVar[dict[str, Move]] = {
        "close": Move(State.OPEN, to=State.CLOSED),
        "take_back": Move(State.CLOSED, to=State.TAKEN_BACK),
    }
    initial = State.OPEN
    final = frozenset({State.TAKEN_BACK})
    waits = frozenset({State.OPEN})

    id: Mapped[str] = mapped_column(primary_key=True)
    gate_id: Mapped[str] = mapped_column(index=True)
    warehouse_id: Mapped[str] = mapped_column(index=True)
    window_id: Mapped[str] = mapped_column(index=True)
    state: Mapped[State] = state_column(State)
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    opened_at: Mapped[datetime]
    first_seen: Mapped[datetime | None]
    last_seen: Mapped[datetime | None]
    reads: Mapped[int]
    epcis_event_id: Mapped[str | None]
    event_ids: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    heard_at: Mapped[datetime | None]
    changed_from: Mapped[datetime | None]
    changed_until: Mapped[datetime | None]
    late_from: Mapped[datetime | None]
    late_until: Mapped[datetime | None]
    delayed_from: Mapped[datetime | None]
    delayed_until: Mapped[datetime | None]
    delayed_due: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")
    superseded_by: Mapped[str | None]
    taken_back_at: Mapped[datetime | None]
    has_beam: Mapped[bool] = mapped_column(server_default="false")
    is_late: Mapped[bool] = mapped_column(server_default="false")
    digest: Mapped[str | None]
    rules_version: Mapped[int | None]
    verdict: Mapped[str | None]
    plate: Mapped[str | None]
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        if caller.is_operator:
            return true()
        parties = or_(PassageDelivery.buyer_id == caller.party_id, PassageDelivery.seller_id == caller.party_id)
        return or_(cls.warehouse_id == caller.party_id, cls.id.in_(select(PassageDelivery.passage_id).where(parties)))

    @classmethod
    def urgent_at(cls) -> ColumnElement[datetime]:
        """From when on it presses to look: a truck waits at the gate, while what a reader held back can wait its turn."""
        closing = select(Gate.closing).where(Gate.id == cls.gate_id).scalar_subquery()
        return case(
            (or_(cls.delayed_due.is_(None), cls.due_at < cls.delayed_due), cls.due_at),
            (cls.heard_at.is_not(None), cls.heard_at + closing),
            else_=cls.delayed_due + PATIENCE,
        )

    def is_due(self, at: datetime) -> bool:
        """Whether no more reads are waited for."""
        return self.due_at is not None and self.due_at <= at

    def wait(self, until: datetime, at: datetime, changed_from: datetime, changed_until: datetime) -> None:
        """Something still goes through: look again then."""
        self.due_at, self.opened_at = until, at
        self.changed_from, self.changed_until = changed_from, changed_until
        self.late_from = self.late_until = None
        self.delayed_from = self.delayed_until = self.delayed_due = None

    def hold(self, until: datetime) -> None:
        """What was delayed has been looked at, and reads still come: look at them then."""
        self.due_at = until
        self.delayed_from = self.delayed_until = self.delayed_due = None

    def collect(self, since: datetime, until: datetime, due: datetime) -> None:
        """Something that was delayed waits to be looked at."""
        self.delayed_from, self.delayed_until, self.delayed_due = since, until, due
        self.due_at = due if self.due_at is None else min(self.due_at, due)

    def close(self) -> None:
        """Nothing more is waited for. Raises IllegalMove."""
        self.move("close")
        self.due_at = self.heard_at = self.changed_from = self.changed_until = self.late_from = self.late_until = None
        self.delayed_from = self.delayed_until = self.delayed_due = None

    def take_back(self, at: datetime) -> None:
        """It was otherwise. Raises IllegalMove."""
        self.move("take_back")
        self.taken_back_at = at


class Sighting(Base):
    """A tag in a passage: the piece and the delivery that it stood for are those of that time.

    ``link`` is its Digital Link; ``direction`` the way that it went, ``by`` what says so (see ``stages.directions``).
    ``lost_to`` is the neighbouring gate that heard it better.
    """

    __tablename__ = "sighting"
    __table_args__ = (Index("ix_sighting_epc", "epc", "last_seen"),)

    passage_id: Mapped[str] = mapped_column(primary_key=True)
    epc: Mapped[str] = mapped_column(primary_key=True)
    link: Mapped[str | None]
    piece_id: Mapped[str | None] = mapped_column(index=True)
    delivery_id: Mapped[str | None]
    reads: Mapped[int]
    rssi_dbm: Mapped[float] = mapped_column(Double)
    antennas: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    is_ghost: Mapped[bool]
    direction: Mapped[str | None]
    by: Mapped[str | None]
    contradicts: Mapped[bool] = mapped_column(server_default="false")
    lost_to: Mapped[str | None]
