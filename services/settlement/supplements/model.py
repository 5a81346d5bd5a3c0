"""A supplementary payment: what the buyer still owes for a delivery, and until when."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import CheckConstraint, ColumnElement, Index, UniqueConstraint, or_, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis import clock
from chassis.auth import Caller
from chassis.database import money
from chassis.problems import Conflict, Forbidden
from chassis.states import Move, Stateful, state_column
from chassis.values import Money
from services.settlement.base import Base


class State(StrEnum):
    """What became of it."""

    AWAITING = "awaiting"
    PAID = "paid"
    MISSED = "missed"


class SupplementOverdue(Conflict):
    """The time to pay this supplement is over."""


class NotTheBuyer(Forbidden):
    """Only the buyer of a deal pays its supplements."""


class Supplement(Stateful, Base):
    """What a stage of a delivery came to beyond what was there for it; ``due_at`` is set while it is awaited."""

    __tablename__ = "supplement"
    __table_args__ = (
        UniqueConstraint("delivery_id", "stage"),
        CheckConstraint("amount_amount > 0", name="amount"),
        CheckConstraint("(state = 'awaiting') = (due_at IS NOT NULL)", name="deadline"),
        Index("ix_supplement_due_at", "due_at", postgresql_where="due_at IS NOT NULL"),
    )

    initial: ClassVar = State.AWAITING
    final: ClassVar = frozenset({State.PAID, State.MISSED})
    waits: ClassVar = frozenset({State.AWAITING})
    moves: ClassVar = {
        "pay": Move(State.AWAITING, to=State.PAID),
        "miss": Move(State.AWAITING, to=State.MISSED),
    }

    id: Mapped[str] = mapped_column(primary_key=True)
    deal_id: Mapped[str] = mapped_column(index=True)
    delivery_id: Mapped[str]
    stage: Mapped[str]
    buyer_id: Mapped[str] = mapped_column(index=True)
    seller_id: Mapped[str] = mapped_column(index=True)
    amount: Mapped[Money] = money("amount")
    pay_by: Mapped[datetime]
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    state: Mapped[State] = state_column(State)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        own = or_(cls.buyer_id == caller.party_id, cls.seller_id == caller.party_id)
        return true() if caller.is_operator else own

    def is_overdue(self, now: datetime) -> bool:
        """Whether it is still awaited although its deadline is over."""
        return self.due_at is not None and now >= self.due_at

    def check_payable_by(self, party_id: str) -> None:
        """Raises NotTheBuyer, or SupplementOverdue from the deadline on, timer or not."""
        if party_id != self.buyer_id:
            raise NotTheBuyer("the buyer pays, nobody else")
        if self.state is State.MISSED or self.is_overdue(clock.now()):
            raise SupplementOverdue(f"it had to be paid before {self.pay_by.isoformat()}", pay_by=self.pay_by)

    def end(self, move: str) -> None:
        """It is paid, or missed. Raises IllegalMove the second time."""
        self.move(move)
        self.due_at, self.ended_at = None, clock.now()
