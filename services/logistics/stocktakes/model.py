"""A stock-take, what was read in it, and what came of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import BigInteger, ColumnElement, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.problems import Conflict, Forbidden
from chassis.states import Move, Stateful, state_column
from services.logistics.base import Base

OPEN_FOR = timedelta(days=7)
MOST_READS = 500_000


class NotThisHandheld(Forbidden):
    """The key of a handheld posts its own reads."""


class StockTakeOver(Conflict):
    """The stock-take is closed or was given up: it takes no more reads."""


class StockTakeFull(Conflict):
    """The stock-take has as many reads as one may have: close it, and begin another."""


class Kind(StrEnum):
    """What it is for, in the CBV's words: counting now and then, or stock-taking by rules, for the books."""

    CYCLE_COUNTING = "cycle_counting"
    STOCK_TAKING = "stock_taking"


class State(StrEnum):
    """Whether somebody still goes round."""

    OPEN = "open"
    CLOSED = "closed"
    ABANDONED = "abandoned"


class StockTake(Stateful, Base):
    """Going through a zone, or the whole warehouse where ``zone_id`` is None. One that nobody closes is given up in the end."""

    __tablename__ = "stock_take"

    moves: ClassVar[dict[str, Move]] = {
        "close": Move(State.OPEN, to=State.CLOSED),
        "abandon": Move(State.OPEN, to=State.ABANDONED),
    }
    initial = State.OPEN
    final = frozenset({State.CLOSED, State.ABANDONED})
    waits = frozenset({State.OPEN})

    id: Mapped[str] = mapped_column(primary_key=True)
    warehouse_id: Mapped[str] = mapped_column(index=True)
    zone_id: Mapped[str | None]
    kind: Mapped[str]
    state: Mapped[State] = state_column(State)
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    started_at: Mapped[datetime]
    started_by: Mapped[str]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    epcis_event_id: Mapped[str | None]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else cls.warehouse_id == caller.party_id

    def check_takes_reads(self, caller: Caller, handheld: str) -> None:
        """Raises StockTakeOver, or NotThisHandheld for the key of another device."""
        if caller.device is not None and caller.device != handheld:
            raise NotThisHandheld("an API key made for this handheld is needed", device=caller.device)
        if self.state != State.OPEN:
            raise StockTakeOver(f"it is {self.state}", state=str(self.state))

    def close(self, caller: Caller, at: datetime, epcis_event_id: str | None) -> None:
        """Everything was gone through. Raises IllegalMove."""
        self.move("close")
        self.closed_at, self.closed_by, self.due_at = at, caller.user_id, None
        self.epcis_event_id = epcis_event_id

    def abandon(self, at: datetime) -> None:
        """Nobody has closed it. Raises IllegalMove."""
        self.move("abandon")
        self.closed_at, self.due_at = at, None


class StockTakeRead(Base):
    """A sight of a thing by a handheld: ``epc`` is a tag in hex digits, or the URI that a barcode or a number stands for."""

    __tablename__ = "stock_take_read"

    stock_take_id: Mapped[str] = mapped_column(primary_key=True)
    handheld: Mapped[str] = mapped_column(primary_key=True)
    boot: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    epc: Mapped[str]
    at: Mapped[datetime]
    received_at: Mapped[datetime]


class StockTakeLine(Base):
    """What came of a stock-take for one thing: found, missing or unexpected."""

    __tablename__ = "stock_take_line"

    stock_take_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    standing: Mapped[str]
    piece_id: Mapped[str | None] = mapped_column(index=True)
    epc: Mapped[str | None]
    zone_id: Mapped[str | None]
