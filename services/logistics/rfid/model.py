"""The tables of reads and passages: what a gate's reader said, and what went through."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Double, Index, Integer, or_, select, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.states import Move, Stateful, state_column
from services.logistics.base import Base
from services.logistics.rfid.crossings import Crossing


class TagRead(Base):
    """A read as it came.

    ``window_id`` is the passage that was open when it was worked off; without one it waits for that.
    """

    __tablename__ = "tag_read"
    __table_args__ = (
        Index("ix_tag_read_waiting", "gate_id", postgresql_where="window_id IS NULL"),
        Index("ix_tag_read_received", "received_at", postgresql_using="brin"),
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


class State(StrEnum):
    """Whether reads still come in."""

    OPEN = "open"
    CLOSED = "closed"


class PassageDelivery(Base):
    """A delivery that went through with a passage, and whose it is."""

    __tablename__ = "passage_delivery"

    passage_id: Mapped[str] = mapped_column(primary_key=True)
    delivery_id: Mapped[str] = mapped_column(primary_key=True, index=True)
    buyer_id: Mapped[str] = mapped_column(index=True)
    seller_id: Mapped[str] = mapped_column(index=True)


class Passage(Stateful, Base):
    """Something went through a gate: it opens at the first read and closes when none has come for the closing time.

    Reads that a reader had kept back come together: they are worked off together, each quiet time making a passage of
    its own, and ``window_id`` is the one that was open. ``reads`` counts as they come, and at last those it is made of.
    """

    __tablename__ = "passage"
    __table_args__ = (Index("uq_passage_open", "gate_id", unique=True, postgresql_where="state = 'open'"),)

    moves: ClassVar[dict[str, Move]] = {"close": Move(State.OPEN, to=State.CLOSED)}
    initial = State.OPEN
    final = frozenset({State.CLOSED})
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

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        if caller.is_operator:
            return true()
        parties = or_(PassageDelivery.buyer_id == caller.party_id, PassageDelivery.seller_id == caller.party_id)
        return or_(cls.warehouse_id == caller.party_id, cls.id.in_(select(PassageDelivery.passage_id).where(parties)))

    def is_due(self, at: datetime) -> bool:
        """Whether no more reads are waited for."""
        return self.due_at is not None and self.due_at <= at

    def close(self, crossing: Crossing, epcis_event_id: str | None) -> None:
        """Put down what went through. Raises IllegalMove."""
        self.move("close")
        self.due_at = None
        self.first_seen, self.last_seen = crossing.first_seen, crossing.last_seen
        self.reads, self.epcis_event_id = crossing.reads, epcis_event_id


class Sighting(Base):
    """A tag in a passage: the piece and the delivery that it stood for are those of that time.

    ``link`` is its Digital Link.
    """

    __tablename__ = "sighting"

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
