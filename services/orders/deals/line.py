"""A line of a deal's settlement: what one stage of a delivery's acceptance comes to, and whether its money has moved."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ColumnElement, ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from chassis import database
from chassis.auth import Caller
from chassis.states import Move, Stateful, state_column
from chassis.values import Money, Quantity
from services.orders.base import Base
from services.orders.deals.delivery import Delivery


class LineState(StrEnum):
    """Where the money of a line is; an ``owing`` one waits for what it came to beyond the escrow."""

    ACCEPTED = "accepted"
    OWING = "owing"
    SETTLED = "settled"


class Line(Stateful, Base):
    """One stage of a delivery, told once as accepted: the amounts of a delivery's lines add up to what it comes to."""

    __tablename__ = "delivery_line"
    __table_args__ = (UniqueConstraint("delivery_id", "stage"),)

    moves = {
        "owe": Move(LineState.ACCEPTED, to=LineState.OWING),
        "settle": Move(LineState.ACCEPTED, LineState.OWING, to=LineState.SETTLED),
    }
    initial = LineState.ACCEPTED
    final = frozenset({LineState.SETTLED})

    id: Mapped[str] = mapped_column(primary_key=True)
    delivery_id: Mapped[str] = mapped_column(ForeignKey("delivery.id"))
    state: Mapped[LineState] = state_column(LineState)
    stage: Mapped[str]
    settled: Mapped[Quantity] = database.quantity("settled")
    net: Mapped[Money] = database.money("net")
    tax: Mapped[Money] = database.money("tax")
    gross: Mapped[Money] = database.money("gross")
    value: Mapped[Money] = database.money("value")
    reason: Mapped[str | None]
    is_last: Mapped[bool]
    statement_id: Mapped[str | None]
    missed: Mapped[Money | None] = database.money("missed", nullable=True)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return cls.delivery_id.in_(select(Delivery.id).where(Delivery.visible_to(caller)))

    def settle(self, statement_id: str, *, shortfall: Money) -> None:
        """Its money has moved, but for a shortfall that the buyer is asked for. Raises IllegalMove."""
        self.move("owe" if shortfall else "settle")
        self.statement_id = statement_id

    def end_supplement(self, missed: Money) -> None:
        """What it came to beyond the escrow was paid, or was not in time. Raises IllegalMove."""
        self.move("settle")
        self.missed = missed
