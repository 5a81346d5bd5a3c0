"""The escrow of a deal: what the buyer has paid in, what went out of it, and until when it may be paid."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import BigInteger, CheckConstraint, ColumnElement, Index, Numeric, or_, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis import clock
from chassis.auth import Caller
from chassis.database import money
from chassis.problems import Conflict, Forbidden
from chassis.states import Move, Stateful, state_column
from chassis.values import Money
from services.settlement.base import Base
from services.settlement.escrows.shares import Shares


class State(StrEnum):
    """How far the payment of a deal is."""

    AWAITING = "awaiting"
    FUNDED = "funded"
    CLOSED = "closed"
    LAPSED = "lapsed"


class PaymentOverdue(Conflict):
    """The time to pay this deal is over."""


class NotThePayer(Forbidden):
    """Only the buyer of a deal pays it."""


class Escrow(Stateful, Base):
    """The payment of one deal, with the platform's rates as the market stated them when it was signed.

    Amounts are minor units of the gross's currency; ``due_at`` is set while it is awaited.
    """

    __tablename__ = "escrow"
    __table_args__ = (
        CheckConstraint("funded >= paid_out + returned", name="covered"),
        CheckConstraint("least(funded, paid_out, returned, shortfall) >= 0", name="sign"),
        Index("ix_escrow_due_at", "due_at", postgresql_where="due_at IS NOT NULL"),
    )

    initial: ClassVar = State.AWAITING
    final: ClassVar = frozenset({State.CLOSED, State.LAPSED})
    waits: ClassVar = frozenset({State.AWAITING})
    moves: ClassVar = {
        "fund": Move(State.AWAITING, to=State.FUNDED),
        "lapse": Move(State.AWAITING, to=State.LAPSED),
        "pay_out": Move(State.FUNDED, to=State.FUNDED),
        "close": Move(State.AWAITING, State.FUNDED, to=State.CLOSED),
    }

    id: Mapped[str] = mapped_column(primary_key=True)
    buyer_id: Mapped[str] = mapped_column(index=True)
    seller_id: Mapped[str] = mapped_column(index=True)
    gross: Mapped[Money] = money("gross")
    funded: Mapped[int] = mapped_column(BigInteger, default=0)
    paid_out: Mapped[int] = mapped_column(BigInteger, default=0)
    returned: Mapped[int] = mapped_column(BigInteger, default=0)
    shortfall: Mapped[int] = mapped_column(BigInteger, default=0)
    fee_rate: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    forfeit_fee_rate: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    pay_by: Mapped[datetime]
    due_at: Mapped[datetime | None]
    state: Mapped[State] = state_column(State)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        own = or_(cls.buyer_id == caller.party_id, cls.seller_id == caller.party_id)
        return true() if caller.is_operator else own

    @property
    def rest(self) -> Money:
        """What is in it now."""
        return Money(self.funded - self.paid_out - self.returned, self.gross.currency)

    def is_overdue(self, now: datetime) -> bool:
        """Whether it is still awaited although its deadline is over."""
        return self.due_at is not None and now >= self.due_at

    def check_payable_by(self, party_id: str) -> None:
        """Raises NotThePayer, or PaymentOverdue from the deadline on, timer or not."""
        if party_id != self.buyer_id:
            raise NotThePayer("the buyer pays, nobody else")
        if self.state is State.LAPSED or self.is_overdue(clock.now()):
            raise PaymentOverdue(f"it had to be paid before {self.pay_by.isoformat()}", pay_by=self.pay_by)

    def fund(self) -> None:
        """The gross has come in. Raises IllegalMove when it had before, or the deal is over."""
        self.move("fund")
        self.funded, self.due_at = self.gross.amount, None

    def lapse(self) -> None:
        """It was not paid in time and can no longer be."""
        self.move("lapse")
        self.due_at = None

    def pay_out(self, shares: Shares) -> None:
        """Take out what a settlement took. Raises IllegalMove unless it is funded."""
        self.move("pay_out")
        self.paid_out += shares.from_escrow.amount
        self.returned += shares.returned.amount
        self.shortfall += shares.shortfall.amount

    def close(self, returned: Money) -> None:
        """Nothing more goes in or out; ``returned`` is what goes back to the buyer now."""
        self.move("close")
        self.returned += returned.amount
        self.due_at = None
