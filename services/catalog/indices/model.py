"""What an index remembers: the deals that count for its days, the days as they stand, and every figure that was published."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import ColumnElement, ForeignKey, Index, Numeric, UniqueConstraint, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from services.catalog.base import Base
from services.catalog.indices.method import Assessment, Entry, Line, merge

DealStanding = Literal["open", "kept", "removed"]
DayStanding = Literal["collecting", "provisional", "final", "withheld"]


class IndexDeal(Base):
    """A signed deal as an index counts it: ``open`` until it has ended, then ``kept`` as far as it was delivered, or ``removed``.

    ``lines`` are its parts with normalised price and volume; parties stand by their controlling groups. Nobody sees it: who dealt
    with whom at what price is theirs.
    """

    __tablename__ = "index_deal"
    __table_args__ = (Index("ix_index_deal_code_day", "code", "day"), Index("ix_index_deal_deal_id", "deal_id"))

    id: Mapped[str] = mapped_column(primary_key=True)
    deal_id: Mapped[str]
    code: Mapped[str]
    day: Mapped[date]
    buyer: Mapped[str]
    seller: Mapped[str]
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    price: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    volume: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    standing: Mapped[str]
    taken_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator or caller.is_system else cls.id.is_(None)

    @property
    def entry(self) -> Entry:
        """What it adds to its day."""
        return Entry(deal_id=self.deal_id, price=self.price, volume=self.volume, buyer=self.buyer, seller=self.seller)

    def take_away(self, piece_ids: set[str], volume: Decimal) -> None:
        """Let go of a part that ended: its pieces, or so much of a deal without pieces. Nothing left removes the deal."""
        lines = [read_line(line) for line in self.lines]
        if piece_ids:
            lines = [line for line in lines if line.piece_id not in piece_ids]
        else:
            lines = [
                Line(piece_id=None, price=line.price, volume=line.volume - volume)
                for line in lines
                if line.volume > volume
            ]
        self.lines = [write_line(line) for line in lines]
        if lines:
            self.price, self.volume = merge(lines)
        else:
            self.volume, self.standing = Decimal(0), "removed"

    def end(self) -> None:
        """Nothing of it changes any more."""
        if self.standing == "open":
            self.standing = "kept"


def write_line(line: Line) -> dict[str, Any]:
    """A line as it is stored."""
    return {"piece_id": line.piece_id, "price": format(line.price, "f"), "volume": format(line.volume, "f")}


def read_line(line: dict[str, Any]) -> Line:
    """A line as it was stored."""
    return Line(piece_id=line["piece_id"], price=Decimal(line["price"]), volume=Decimal(line["volume"]))


class IndexMethod(Base):
    """A method of an index as it was when the first day was made by it: that day's corrections are made by it too."""

    __tablename__ = "index_method"

    id: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str]
    method: Mapped[int]
    market: Mapped[str]
    rule: Mapped[dict[str, Any]] = mapped_column(JSONB)
    since: Mapped[datetime]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true()


class IndexDay(Base):
    """An index of a working day as it stands; ``due_at`` is when it must be looked at again, and null when nothing is to do.

    It is ``collecting`` until its cut-off, ``withheld`` where too little stands behind it, ``provisional`` until all its deals have
    ended and then ``final``.
    """

    __tablename__ = "index_day"
    __table_args__ = (UniqueConstraint("code", "day"), Index("ix_index_day_due_at", "due_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    code: Mapped[str]
    market: Mapped[str]
    day: Mapped[date]
    due_at: Mapped[datetime | None]
    standing: Mapped[str]
    revision: Mapped[int]
    method: Mapped[int]
    price: Mapped[Decimal | None] = mapped_column(Numeric(18, 6))
    deals: Mapped[int]
    volume: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    buyers: Mapped[int]
    sellers: Mapped[int]
    open_deals: Mapped[int]
    changed_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true()

    def take_in(self, found: Assessment, *, open_deals: int, certain: bool, at: datetime) -> str | None:
        """Stand as the deals say now: why it changed, or None where it did not."""
        standing: DayStanding = (
            "withheld" if found.price is None else "provisional" if open_deals or not certain else "final"
        )
        reason = self._reason(found, standing)
        self.open_deals = open_deals
        if reason is None:
            return None
        self.standing, self.price = standing, found.price
        self.deals, self.volume, self.buyers, self.sellers = found.deals, found.volume, found.buyers, found.sellers
        self.version, self.revision, self.changed_at = self.version + 1, self.revision + 1, at
        return reason

    def _reason(self, found: Assessment, standing: DayStanding) -> str | None:
        if self.standing == "collecting":
            return "first"
        if found.deals > self.deals or found.volume > self.volume:
            return "deal_added"
        if found.deals < self.deals or found.volume < self.volume:
            return "deal_removed"
        if found.price != self.price:
            return "deals_changed"
        return "deals_ended" if standing != self.standing else None


class IndexRevision(Base):
    """A figure as it was published, and why it followed the one before."""

    __tablename__ = "index_revision"
    __table_args__ = (UniqueConstraint("index_day_id", "revision"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    index_day_id: Mapped[str] = mapped_column(ForeignKey("index_day.id"))
    revision: Mapped[int]
    at: Mapped[datetime]
    standing: Mapped[str]
    method: Mapped[int]
    price: Mapped[Decimal | None] = mapped_column(Numeric(18, 6))
    deals: Mapped[int]
    volume: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    buyers: Mapped[int]
    sellers: Mapped[int]
    reason: Mapped[str]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true()
