"""A delivery: one truck that carries pieces or a weight of a deal from the loading gate to the buyer's scale."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Index, Interval, or_, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis import database
from chassis.auth import Caller
from chassis.problems import Conflict, Invalid
from chassis.states import Move, Stateful, state_column
from chassis.values import Quantity
from services.logistics.base import Base


class PieceNotOfDeal(Invalid):
    """A delivery carries pieces of its own deal."""


class NothingToCarry(Invalid):
    """A delivery names pieces where its deal does, and otherwise a quantity."""


class PieceUnderWay(Conflict):
    """A piece is already carried by another delivery."""


class QuantityExceeded(Conflict):
    """The deliveries of a deal cannot carry more than the deal."""


class NotDeparted(Conflict):
    """The goods have not left the warehouse yet."""


class PastDeadline(Conflict):
    """The time to do this is over."""


class CalledOff(Conflict):
    """The delivery was called off."""


class AlreadyWeighed(Conflict):
    """This end of the delivery already has its weight."""


class State(StrEnum):
    """Where a delivery stands."""

    LOADING = "loading"
    DEPARTED = "departed"
    RECEIVED = "received"
    WEIGHED = "weighed"
    CANCELLED = "cancelled"


class End(StrEnum):
    """The two ends of a delivery."""

    LOADING = "loading"
    RECEIVING = "receiving"


class Seen(StrEnum):
    """How we know that a delivery left: its gate, somebody's word, or that it has been weighed out or arrived."""

    GATE = "gate"
    HAND = "hand"
    SCALE = "scale"


class Delivery(Stateful, Base):
    """A truck load of a deal. ``loaded`` and ``received`` are the net weights at its two ends, once they stand."""

    __tablename__ = "delivery"
    __table_args__ = (Index("ix_delivery_gate", "gate_id", "state"),)

    moves: ClassVar[dict[str, Move]] = {
        "depart": Move(State.LOADING, to=State.DEPARTED),
        "receive": Move(State.DEPARTED, to=State.RECEIVED),
        "weigh": Move(State.RECEIVED, to=State.WEIGHED),
        "cancel": Move(State.LOADING, to=State.CANCELLED),
    }
    initial = State.LOADING
    final = frozenset({State.WEIGHED, State.CANCELLED})
    waits = frozenset({State.LOADING, State.DEPARTED, State.RECEIVED})

    id: Mapped[str] = mapped_column(primary_key=True)
    deal_id: Mapped[str] = mapped_column(index=True)
    gate_id: Mapped[str]
    place: Mapped[str]
    warehouse_id: Mapped[str] = mapped_column(index=True)
    buyer_id: Mapped[str] = mapped_column(index=True)
    seller_id: Mapped[str] = mapped_column(index=True)
    quantity: Mapped[Quantity] = database.quantity("quantity")
    plate: Mapped[str]
    driver: Mapped[str]
    state: Mapped[State] = state_column(State)
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    receive_within: Mapped[timedelta] = mapped_column(Interval)
    started_at: Mapped[datetime]
    departed_at: Mapped[datetime | None]
    departure_seen_by: Mapped[str | None]
    reason: Mapped[str | None]
    loaded: Mapped[Quantity | None] = database.quantity("loaded", nullable=True)
    received: Mapped[Quantity | None] = database.quantity("received", nullable=True)
    received_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        if caller.is_operator:
            return true()
        return or_(*(column == caller.party_id for column in (cls.buyer_id, cls.seller_id, cls.warehouse_id)))

    def is_due(self, at: datetime) -> bool:
        """Whether the deadline of the present state has passed."""
        return self.due_at is not None and self.due_at <= at

    def was_loading(self, at: datetime) -> bool:
        """Whether it stood loading at a time, and still does."""
        return self.state == State.LOADING and self.started_at <= at and not self.is_due(at)

    def check_in_time(self, at: datetime) -> None:
        """Raises PastDeadline, even when the timer is late."""
        if self.is_due(at):
            raise PastDeadline(f"it was {self.state} until {self.due_at.isoformat()}", due_at=self.due_at.isoformat())

    def depart(self, at: datetime, seen: Seen, reason: str | None = None) -> None:
        """It left; from now on its arrival is waited for. Raises IllegalMove."""
        self.move("depart")
        self.departed_at, self.departure_seen_by, self.reason = at, seen.value, reason
        self.due_at = at + self.receive_within

    def cancel(self, reason: str) -> None:
        """It will not leave any more. Raises IllegalMove."""
        self.move("cancel")
        self.reason, self.due_at = reason, None

    def check_takes_weight(self, end: End, at: datetime) -> None:
        """Raises CalledOff, AlreadyWeighed, PastDeadline or NotDeparted."""
        if self.state == State.CANCELLED:
            raise CalledOff("it did not leave, so there is nothing to weigh")
        if (self.loaded if end == End.LOADING else self.received) is not None:
            raise AlreadyWeighed(f"the {end} weight stands", end=str(end))
        self.check_in_time(at)
        if end == End.RECEIVING and self.state == State.LOADING and self.loaded is None:
            raise NotDeparted("neither the gate nor a scale has seen it leave: the warehouse can confirm it by hand")

    def take_weight(self, end: End, net: Quantity, at: datetime) -> bool:
        """Put down the net weight of one end; True when both are there and it is weighed.

        A truck that was weighed out and is weighed in has left, whatever its tags did: then it departs by the scale.
        """
        self.check_takes_weight(end, at)
        if end == End.LOADING:
            self.loaded = net
        else:
            if self.can("depart"):
                self.depart(at, Seen.SCALE)
            self._arrive(net, at)
        return self._finish()

    def let_weight_stand(self, at: datetime) -> None:
        """The time for tickets is over: the other end's weight stands for the missing one, the deal's own for both."""
        if self.can("receive"):
            self._arrive(self.loaded or self.quantity, at)
        self.loaded = self.loaded or self.quantity
        self._finish()

    def _arrive(self, net: Quantity, at: datetime) -> None:
        self.move("receive")
        self.received, self.received_at = net, at

    def _finish(self) -> bool:
        if self.loaded is None or self.received is None:
            return False
        self.move("weigh")
        self.due_at = None
        return True


class Claim(StrEnum):
    """What a delivery has of a piece: it carries it, it brought it, or it let it go again."""

    LIVE = "live"
    BROUGHT = "brought"
    FREED = "freed"


def piece_under_way() -> PieceUnderWay:
    """What a caller is told who lost a race for a piece."""
    return PieceUnderWay("another delivery was set up for it at the same time")


class DeliveryPiece(Base):
    """A piece on a delivery. A piece is on one live delivery at a time, and is brought once for a deal."""

    __tablename__ = "delivery_piece"
    __table_args__ = (
        Index("uq_delivery_piece_live", "piece_id", unique=True, postgresql_where="claim = 'live'"),
        Index("ix_delivery_piece_piece", "piece_id"),
        Index("uq_delivery_piece_deal", "deal_id", "piece_id", unique=True, postgresql_where="claim <> 'freed'"),
    )
    constraint_problems: ClassVar[dict[str, Any]] = {
        "uq_delivery_piece_live": piece_under_way,
        "uq_delivery_piece_deal": piece_under_way,
    }

    delivery_id: Mapped[str] = mapped_column(primary_key=True)
    piece_id: Mapped[str] = mapped_column(primary_key=True)
    deal_id: Mapped[str]
    claim: Mapped[Claim] = state_column(Claim)


class Discrepancy(Base):
    """Something at a gate that does not fit: see ``services.logistics.shipments.matching``.

    It never holds a truck back.
    """

    __tablename__ = "discrepancy"

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    passage_id: Mapped[str | None] = mapped_column(index=True)
    delivery_id: Mapped[str | None] = mapped_column(index=True)
    piece_id: Mapped[str]
    at: Mapped[datetime]
