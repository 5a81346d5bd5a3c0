"""A delivery: one truck that carries pieces or a weight of a deal from the loading gate to the buyer's scale."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Index, Integer, Interval, false, or_, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis import database
from chassis.auth import Caller
from chassis.problems import Conflict
from chassis.states import Move, Stateful, state_column
from chassis.values import Quantity
from services.logistics.base import Base


class PieceUnderWay(Conflict):
    """A piece is already carried by another delivery."""


class NotDeparted(Conflict):
    """The goods have not left the warehouse yet."""


class PastDeadline(Conflict):
    """The time to do this is over."""


class CalledOff(Conflict):
    """The delivery was called off."""


class AlreadyWeighed(Conflict):
    """This end of the delivery already has its weight."""


class AlreadyAccepted(Conflict):
    """The delivery was accepted with the weights that it has."""


class State(StrEnum):
    """Where a delivery stands."""

    LOADING = "loading"
    DEPARTED = "departed"
    RECEIVED = "received"
    WEIGHED = "weighed"
    CANCELLED = "cancelled"


class End(StrEnum):
    """Where a delivery is weighed: at its two ends, and by a third party."""

    LOADING = "loading"
    RECEIVING = "receiving"
    THIRD_PARTY = "third_party"


class Seen(StrEnum):
    """How we know that a delivery left: its gate, somebody's word, or that it has been weighed out or arrived."""

    GATE = "gate"
    HAND = "hand"
    SCALE = "scale"


class Delivery(Stateful, Base):
    """A truck load of a deal, by a pick-up note (deliveries of before there were notes have none).

    ``loaded`` and ``received`` are the net weights at its two ends, once they stand, ``third_party`` that of the third party.
    ``weights_version`` counts how often they were told; ``accepted_stage`` is how far orders has accepted it.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        Index("ix_delivery_gate", "gate_id", "state"),
        Index("uq_delivery_note", "note_id", unique=True),
    )

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
    note_id: Mapped[str | None]
    weigher_id: Mapped[str | None]
    weigher_decides: Mapped[bool] = mapped_column(server_default=false())
    third_party: Mapped[Quantity | None] = database.quantity("third_party", nullable=True)
    weights_version: Mapped[int] = mapped_column(Integer, server_default="1")
    accepted_stage: Mapped[str | None]
    accepted_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        if caller.is_operator:
            return true()
        parties = (cls.buyer_id, cls.seller_id, cls.warehouse_id, cls.weigher_id)
        return or_(*(column == caller.party_id for column in parties))

    def is_due(self, at: datetime) -> bool:
        """Whether the deadline of the present state has passed."""
        return self.due_at is not None and self.due_at <= at

    def was_loading(self, at: datetime) -> bool:
        """Whether it stood loading at a time, and still does."""
        return self.state == State.LOADING and self.started_at <= at and not self.is_due(at)

    def left_by_gate(self, at: datetime, again: Collection[str]) -> bool:
        """Whether it stood there at a time by what its gate saw: it left no earlier, or by what turned out otherwise."""
        if self.departed_at is None or self.departure_seen_by != Seen.GATE or self.started_at > at:
            return False
        return self.departed_at >= at or self.id in again

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
        """Raises CalledOff, AlreadyWeighed, AlreadyAccepted, PastDeadline or NotDeparted.

        A third party may weigh until the weights are accepted, and what is disputed until it is decided.
        """
        if self.state == State.CANCELLED:
            raise CalledOff("it did not leave, so there is nothing to weigh")
        if self.weight_of(end) is not None:
            raise AlreadyWeighed(f"the {end} weight stands", end=str(end))
        if self.is_decided:
            raise AlreadyAccepted("what is paid for stands", stage=self.accepted_stage)
        self.check_in_time(at)
        if end != End.LOADING and self.state == State.LOADING and self.loaded is None:
            raise NotDeparted("neither the gate nor a scale has seen it leave: the warehouse can confirm it by hand")

    def check_takes_correction(self) -> None:
        """Raises CalledOff or AlreadyAccepted."""
        if self.state == State.CANCELLED:
            raise CalledOff("it did not leave, so there is nothing to weigh")
        if self.accepted_stage is not None:
            raise AlreadyAccepted("what is paid for stands", stage=self.accepted_stage)

    def weight_of(self, end: End) -> Quantity | None:
        """The weight that stands for an end."""
        return {End.LOADING: self.loaded, End.RECEIVING: self.received, End.THIRD_PARTY: self.third_party}[end]

    @property
    def is_decided(self) -> bool:
        """Whether no weight can change any more what is paid for."""
        return self.accepted_stage in ("whole", "decided")

    def take_weight(self, end: End, net: Quantity, at: datetime) -> bool:
        """Put down the net weight of one end; True when its weights are to be told: it is weighed, or was and is again.

        A truck that was weighed out and is weighed again has left, whatever its tags did: then it departs by the scale.
        """
        self.check_takes_weight(end, at)
        if end != End.LOADING and self.can("depart"):
            self.depart(at, Seen.SCALE)
        if end == End.LOADING:
            self.loaded = net
        elif end == End.RECEIVING:
            self._arrive(net, at)
        else:
            self.third_party = net
            if self.state == State.WEIGHED:
                self.weights_version += 1
                return True
        return self._finish(at)

    def let_weight_stand(self, at: datetime) -> None:
        """The time for tickets is over: the other end's weight stands for the missing one, the deal's own for both."""
        if self.can("receive"):
            self._arrive(self.loaded or self.quantity, at)
        self.loaded = self.loaded or self.quantity
        self._weigh()

    def correct_weights(self, weights: Mapping[End, Quantity]) -> bool:
        """Take the weights of the tickets that are in force instead; True when they are to be told again.

        What stands for an end without a ticket follows, as ``let_weight_stand`` says.
        """
        loaded, received = weights.get(End.LOADING), weights.get(End.RECEIVING)
        self.third_party = weights.get(End.THIRD_PARTY)
        if self.state != State.WEIGHED:
            self.loaded, self.received = loaded, received
            return False
        self.loaded, self.received = loaded or self.quantity, received or loaded or self.quantity
        self.weights_version += 1
        return True

    def accept(self, stage: str, at: datetime) -> None:
        """Orders has accepted it, whole or what is undisputed, or has decided the rest; the last word counts."""
        if not self.is_decided:
            self.accepted_stage, self.accepted_at = stage, at

    def restore_weights(self, *, loaded: Quantity, received: Quantity, third_party: Quantity | None) -> None:
        """Put the weights that were accepted back in force."""
        self.loaded, self.received, self.third_party = loaded, received, third_party

    def _arrive(self, net: Quantity, at: datetime) -> None:
        self.move("receive")
        self.received, self.received_at = net, at

    def _finish(self, at: datetime) -> bool:
        """Weighed when both ends are or, where the third party decides, when it has; the receiving end may then be missing."""
        if self.loaded is None or (self.received is None and not self.weigher_decides):
            return False
        if self.weigher_decides and self.third_party is None:
            return False
        if self.received is None:
            self._arrive(self.loaded, at)
        self._weigh()
        return True

    def _weigh(self) -> None:
        self.move("weigh")
        self.due_at = None


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
