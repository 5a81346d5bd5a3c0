"""A discrepancy: something at a gate that does not fit. It never holds a truck back, and somebody closes it by hand."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.problems import Forbidden
from chassis.states import Move, Stateful, state_column
from services.logistics.base import Base
from services.logistics.shipments.model import Delivery


class NotYourGate(Forbidden):
    """Only the warehouse at whose gate it was seen may do this."""


class State(StrEnum):
    """Whether somebody has looked into it."""

    OPEN = "open"
    CLOSED = "closed"


class Discrepancy(Stateful, Base):
    """A piece that does not fit, of a kind that ``services.logistics.shipments.matching`` finds.

    Those that were put down before warehouses could close them may lack ``warehouse_id``. ``note_id`` is the open pick-up note
    over a piece that passed before its loading was confirmed.
    """

    __tablename__ = "discrepancy"

    moves: ClassVar[dict[str, Move]] = {"close": Move(State.OPEN, to=State.CLOSED)}
    initial = State.OPEN
    final = frozenset({State.CLOSED})

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    passage_id: Mapped[str | None] = mapped_column(index=True)
    delivery_id: Mapped[str | None] = mapped_column(index=True)
    piece_id: Mapped[str]
    at: Mapped[datetime]
    warehouse_id: Mapped[str | None] = mapped_column(index=True)
    note_id: Mapped[str | None]
    state: Mapped[State] = state_column(State, server_default="open")
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    reason: Mapped[str | None]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        if caller.is_operator:
            return true()
        sides = or_(Delivery.buyer_id == caller.party_id, Delivery.seller_id == caller.party_id)
        return or_(cls.warehouse_id == caller.party_id, cls.delivery_id.in_(select(Delivery.id).where(sides)))

    def close(self, caller: Caller, reason: str, at: datetime) -> None:
        """The warehouse has found out what it was. Raises NotYourGate or IllegalMove."""
        if caller.party_id != self.warehouse_id:
            raise NotYourGate("it was seen at the gate of another company")
        self.move("close")
        self.closed_at, self.closed_by, self.reason = at, caller.user_id, reason
