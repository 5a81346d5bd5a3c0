"""A discrepancy: something that does not fit. It never holds a truck back; it is a task that somebody closes with a result."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import ARRAY, ColumnElement, Index, Text, or_, select, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.problems import Forbidden, Invalid
from chassis.states import Move, Stateful, state_column
from services.logistics.base import Base
from services.logistics.discrepancies.kinds import RESULTS, Effect, Kind, Result
from services.logistics.shipments.model import Delivery

ANYBODY = "warehouse"
"""The role that a task belongs to until it is assigned."""


class NotYourGate(Forbidden):
    """Only the warehouse at whose gate it was seen may do this."""


class WrongResult(Invalid):
    """A discrepancy is closed with one of the results of its kind."""


class NoPiecesNamed(Invalid):
    """This result is recorded of pieces, and the discrepancy names none: name them."""


class State(StrEnum):
    """Whether somebody has looked into it, or late reads have shown that there was nothing."""

    OPEN = "open"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class Discrepancy(Stateful, Base):
    """Something that does not fit: a task of the warehouse ``warehouse_id``, of a user or of whoever has a role there.

    ``note_id`` is the open pick-up note over a piece that passed before its loading was confirmed. ``epcis_event_id`` is what was
    captured of it, ``closing_event_ids`` what its result was recorded as. ``standing`` makes what goes on one task while it is
    open. Those that were put down before warehouses could close them may lack ``warehouse_id``.
    """

    __tablename__ = "discrepancy"
    __table_args__ = (
        Index("uq_discrepancy_standing", "warehouse_id", "standing", unique=True, postgresql_where="state = 'open'"),
        Index("ix_discrepancy_owner", "owner_id", postgresql_where="state = 'open'"),
        Index("ix_discrepancy_piece_open", "piece_id", postgresql_where="state = 'open'"),
    )

    moves: ClassVar[dict[str, Move]] = {
        "assign": Move(State.OPEN, to=State.OPEN),
        "close": Move(State.OPEN, to=State.CLOSED),
        "withdraw": Move(State.OPEN, to=State.WITHDRAWN),
    }
    initial = State.OPEN
    final = frozenset({State.CLOSED, State.WITHDRAWN})

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    passage_id: Mapped[str | None] = mapped_column(index=True)
    delivery_id: Mapped[str | None] = mapped_column(index=True)
    piece_id: Mapped[str | None]
    at: Mapped[datetime]
    warehouse_id: Mapped[str | None] = mapped_column(index=True)
    note_id: Mapped[str | None]
    state: Mapped[State] = state_column(State, server_default="open")
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    reason: Mapped[str | None]
    gate_id: Mapped[str | None]
    zone_id: Mapped[str | None]
    stock_take_id: Mapped[str | None] = mapped_column(index=True)
    epc: Mapped[str | None]
    parent: Mapped[str | None]
    other_parent: Mapped[str | None]
    detail: Mapped[str | None]
    standing: Mapped[str | None]
    epcis_event_id: Mapped[str | None]
    owner_id: Mapped[str | None]
    owner_role: Mapped[str] = mapped_column(server_default=ANYBODY)
    assigned_at: Mapped[datetime | None]
    assigned_by: Mapped[str | None]
    result: Mapped[str | None]
    closing_event_ids: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        if caller.is_operator:
            return true()
        sides = or_(Delivery.buyer_id == caller.party_id, Delivery.seller_id == caller.party_id)
        return or_(cls.warehouse_id == caller.party_id, cls.delivery_id.in_(select(Delivery.id).where(sides)))

    @property
    def results(self) -> list[str]:
        """What it may be closed with."""
        return sorted(RESULTS[Kind(self.kind)])

    def check_is_ours(self, caller: Caller) -> None:
        """Raises NotYourGate."""
        if caller.party_id != self.warehouse_id:
            raise NotYourGate("it was seen at the gate of another company")

    def effect_of(self, result: Result) -> Effect:
        """What follows from a result. Raises WrongResult (``allowed``)."""
        effects = RESULTS[Kind(self.kind)]
        if result not in effects:
            raise WrongResult(f"{self.kind} does not end as {result}", field="$.result", allowed=self.results)
        return effects[result]

    def assign(self, caller: Caller, *, owner_id: str | None, owner_role: str, at: datetime) -> None:
        """Give it to a user, or to whoever has a role. Raises NotYourGate or IllegalMove."""
        self.check_is_ours(caller)
        self.move("assign")
        self.owner_id, self.owner_role = owner_id, owner_role
        self.assigned_at, self.assigned_by = at, caller.user_id

    def close(self, by: str, result: Result, reason: str, at: datetime) -> None:
        """Somebody has found out what it was. Raises WrongResult or IllegalMove."""
        self.effect_of(result)
        self.move("close")
        self.closed_at, self.closed_by, self.result, self.reason = at, by, result.value, reason

    def withdraw(self, at: datetime) -> None:
        """There was nothing: what it was put down for was taken back. Raises IllegalMove."""
        self.move("withdraw")
        self.closed_at = at
