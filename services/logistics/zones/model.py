"""A zone of a warehouse, and the stay of a tag in it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import ColumnElement, Double, Index, Interval, UniqueConstraint, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.problems import Conflict, Forbidden, Invalid
from chassis.states import Move, Stateful, state_column
from services.logistics.base import Base

Antenna = tuple[str, int]
"""A reader's id, empty for the one reader of a gate without any registered, and the number of its antenna."""


class ZoneTwice(Conflict):
    """The warehouse has a zone by that name."""


class AntennaTaken(Conflict):
    """An antenna hears one zone."""


class AntennasOfGate(Invalid):
    """Antennas are those of a gate: name the gate and its antennas, or neither for a zone that only handhelds read."""


class NotYourWarehouse(Forbidden):
    """Only the warehouse itself may do this."""


class Zone(Base):
    """A part of a warehouse. ``antennas`` are [reader id, antenna] pairs of its gate; without any it is read by handhelds.

    A tag that stays is lost when it was not read for ``lost_after`` (RFID.md 4.2).
    """

    __tablename__ = "zone"
    __table_args__ = (UniqueConstraint("party_id", "name"),)
    constraint_problems: ClassVar = {"uq_zone_party_id_name": lambda: ZoneTwice("give it another name")}

    id: Mapped[str] = mapped_column(primary_key=True)
    party_id: Mapped[str]
    name: Mapped[str]
    gate_id: Mapped[str | None] = mapped_column(index=True)
    antennas: Mapped[list[list[str | int]]] = mapped_column(JSONB)
    lost_after: Mapped[timedelta] = mapped_column(Interval)
    created_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else cls.party_id == caller.party_id

    def set(self, name: str, antennas: Collection[Antenna], lost_after: timedelta) -> None:
        """What it is called, who hears it, and how long a tag that is not heard is still there."""
        self.name, self.lost_after = name, lost_after
        self.antennas = [list(one) for one in sorted({*antennas})]

    @property
    def heard_by(self) -> frozenset[Antenna]:
        """The antennas that hear it."""
        return frozenset((str(reader_id), int(antenna)) for reader_id, antenna in self.antennas)


class State(StrEnum):
    """Whether a tag is still there."""

    PRESENT = "present"
    LEFT = "left"


class Stay(Stateful, Base):
    """A tag in a zone, from when to when. It ends when the tag is not read any more, is heard elsewhere, or has left.

    What a handheld has found stays until it is seen elsewhere: then there is no deadline. A tag is in one zone of a warehouse at
    a time. ``epc`` is the tag in hex digits, ``link`` what it names, ``piece_id`` the piece that wore it.
    """

    __tablename__ = "stay"
    __table_args__ = (
        Index("uq_stay_present", "warehouse_id", "epc", unique=True, postgresql_where="state = 'present'"),
    )

    moves: ClassVar[dict[str, Move]] = {
        "keep": Move(State.PRESENT, to=State.PRESENT),
        "leave": Move(State.PRESENT, to=State.LEFT),
    }
    initial = State.PRESENT
    final = frozenset({State.LEFT})
    waits = frozenset({State.PRESENT})

    id: Mapped[str] = mapped_column(primary_key=True)
    zone_id: Mapped[str] = mapped_column(index=True)
    warehouse_id: Mapped[str]
    gate_id: Mapped[str | None]
    epc: Mapped[str]
    link: Mapped[str | None]
    piece_id: Mapped[str | None] = mapped_column(index=True)
    rssi_dbm: Mapped[float | None] = mapped_column(Double)
    state: Mapped[State] = state_column(State)
    entered_at: Mapped[datetime]
    last_seen: Mapped[datetime]
    left_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None] = mapped_column(index=True)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else cls.warehouse_id == caller.party_id

    def keep(self, last_seen: datetime, rssi_dbm: float | None, due_at: datetime | None) -> None:
        """It was read again. Raises IllegalMove."""
        self.move("keep")
        self.last_seen, self.rssi_dbm, self.due_at = max(self.last_seen, last_seen), rssi_dbm, due_at

    def leave(self, at: datetime) -> None:
        """It is not there any more. Raises IllegalMove."""
        self.move("leave")
        self.left_at, self.due_at = max(at, self.entered_at), None
