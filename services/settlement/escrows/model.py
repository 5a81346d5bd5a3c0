"""The escrow of a deal: what the buyer has paid in, what went out of it, and until when it may be paid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import (
    CHAR,
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Interval,
    Numeric,
    UniqueConstraint,
    or_,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis import clock, database
from chassis.auth import Caller
from chassis.problems import Conflict, Forbidden, Invalid
from chassis.states import Move, Stateful, state_column
from chassis.values import Money, Quantity, Value, total
from events.orders import DealPiece
from services.settlement.base import Base, Stored
from services.settlement.escrows.shares import Shares
from services.settlement.escrows.standing import price_quantity

FINEST = Decimal("0.000001")
"""The least of a unit that is told and kept: a quantity in grams may be finer in tonnes."""
MOST_PAYMENTS = 200
"""In how many parts a deal may be paid: as many as it may have pieces."""


class State(StrEnum):
    """How far the payment of a deal is."""

    AWAITING = "awaiting"
    PARTLY_FUNDED = "partly_funded"
    FUNDED = "funded"
    CLOSED = "closed"
    LAPSED = "lapsed"


class PaymentOverdue(Conflict):
    """The time to pay this deal is over."""


class NotThePayer(Forbidden):
    """Only the buyer of a deal pays it."""


class NotToBePaid(Conflict):
    """This is not, or no longer, to be paid in this deal."""


class NotDivisible(Invalid):
    """A deal of pieces is paid by piece, one by weight by quantity, in millionths of its unit at the finest."""


class Portion(Value):
    """What a payment is for: pieces, or a quantity, or all that is left to pay when it names neither."""

    piece_ids: list[str] | None = None
    quantity: Quantity | None = None


class Escrow(Stateful, Base):
    """The payment of one deal, with the platform's rates as the market stated them when it was signed.

    Amounts are minor units of the gross's currency; ``due_at`` is set while something is to be paid. ``unpaid_pieces``
    or the ``unpaid`` of its ``quantity`` is what neither was paid nor has ended; a deal of before parts could be paid
    names neither. ``missed`` is the value of what ended unpaid, ``resolved`` that of all parts that are settled.
    """

    __tablename__ = "escrow"
    __table_args__ = (
        CheckConstraint("funded >= paid_out + returned", name="covered"),
        CheckConstraint("least(funded, paid_out, returned, shortfall) >= 0", name="sign"),
        CheckConstraint("least(missed, resolved) >= 0 AND resolved <= gross_amount", name="resolved"),
        Index("ix_escrow_due_at", "due_at", postgresql_where="due_at IS NOT NULL"),
    )

    initial: ClassVar = State.AWAITING
    final: ClassVar = frozenset({State.CLOSED, State.LAPSED})
    waits: ClassVar = frozenset({State.AWAITING, State.PARTLY_FUNDED})
    moves: ClassVar = {
        "fund_part": Move(State.AWAITING, State.PARTLY_FUNDED, to=State.PARTLY_FUNDED),
        "fund": Move(State.AWAITING, State.PARTLY_FUNDED, to=State.FUNDED),
        "lapse": Move(State.AWAITING, to=State.LAPSED),
        "stop": Move(State.PARTLY_FUNDED, to=State.FUNDED),
        "pay_out_early": Move(State.PARTLY_FUNDED, to=State.PARTLY_FUNDED),
        "pay_out": Move(State.FUNDED, to=State.FUNDED),
        "close": Move(State.AWAITING, State.PARTLY_FUNDED, State.FUNDED, to=State.CLOSED),
    }

    id: Mapped[str] = mapped_column(primary_key=True)
    buyer_id: Mapped[str] = mapped_column(index=True)
    seller_id: Mapped[str] = mapped_column(index=True)
    gross: Mapped[Money] = database.money("gross")
    funded: Mapped[int] = mapped_column(BigInteger, default=0)
    missed: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    resolved: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    paid_out: Mapped[int] = mapped_column(BigInteger, default=0)
    returned: Mapped[int] = mapped_column(BigInteger, default=0)
    shortfall: Mapped[int] = mapped_column(BigInteger, default=0)
    fee_rate: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    forfeit_fee_rate: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    fee_tax_rate: Mapped[Decimal] = mapped_column(Numeric(18, 6), server_default="0.06")
    deposit_use: Mapped[str] = mapped_column(server_default="held")
    release: Mapped[str] = mapped_column(server_default="settlement")
    supplement_within: Mapped[timedelta] = mapped_column(Interval, server_default="3 days")
    unpaid_pieces: Mapped[list[DealPiece]] = mapped_column(Stored(list[DealPiece]), server_default="[]")
    quantity: Mapped[Quantity | None] = database.quantity("quantity", nullable=True)
    paid: Mapped[Quantity | None] = database.quantity("paid", nullable=True)
    unpaid: Mapped[Quantity | None] = database.quantity("unpaid", nullable=True)
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

    @property
    def payable(self) -> Money:
        """What is neither paid nor has ended unpaid."""
        return Money(self.gross.amount - self.funded - self.missed, self.gross.currency)

    @property
    def is_resolved(self) -> bool:
        """Whether all parts of the deal are settled."""
        return self.resolved == self.gross.amount

    def is_overdue(self, now: datetime) -> bool:
        """Whether it is still to be paid although its deadline is over."""
        return self.due_at is not None and now >= self.due_at

    def check_payable_by(self, party_id: str) -> None:
        """Raises NotThePayer, or PaymentOverdue from the deadline on, timer or not."""
        if party_id != self.buyer_id:
            raise NotThePayer("the buyer pays, nobody else")
        is_stopped = self.state is State.FUNDED and bool(self.payable)
        if self.state is State.LAPSED or is_stopped or self.is_overdue(clock.now()):
            raise PaymentOverdue(f"it had to be paid before {self.pay_by.isoformat()}", pay_by=self.pay_by)

    def price(self, portion: Portion) -> Money:
        """What a portion costs. Raises NotDivisible or NotToBePaid."""
        if portion.piece_ids is not None:
            return self._price_pieces(portion.piece_ids)
        if portion.quantity is not None:
            return self._price_quantity(portion.quantity)
        return self.payable

    def _price_pieces(self, piece_ids: Sequence[str]) -> Money:
        if self.quantity is not None:
            raise NotDivisible("this deal is paid by quantity", field="$.piece_ids")
        unpaid = {piece.piece_id: piece for piece in self.unpaid_pieces}
        if strange := sorted(set(piece_ids) - unpaid.keys()):
            raise NotToBePaid(f"{', '.join(strange)} cannot be paid", piece_ids=strange)
        return self._worth_of(unpaid[id] for id in set(piece_ids))

    def _price_quantity(self, part: Quantity) -> Money:
        if self.quantity is None or self.unpaid is None or self.paid is None:
            raise NotDivisible("this deal is not paid by quantity", field="$.quantity")
        part = part.to(self.quantity.unit)
        if part.value % FINEST:
            raise NotDivisible(f"finer than {FINEST} {part.unit}", field="$.quantity")
        if not part or part > self.unpaid:
            raise NotToBePaid(f"{self.unpaid} is left to pay", unpaid=self.unpaid)
        if part == self.unpaid:
            return self.payable
        return min(price_quantity(self.gross, part, paid=self.paid, whole=self.quantity), self.payable)

    def _worth_of(self, pieces: Iterable[DealPiece]) -> Money:
        return total([piece.gross for piece in pieces if piece.gross], self.gross.currency)

    def check_count(self, portion: Portion, before: int) -> None:
        """Raises NotToBePaid when the last payment that there may be after those ``before`` is not of all that is left."""
        if before + 1 >= MOST_PAYMENTS and not self._is_all(portion):
            raise NotToBePaid(f"{before} payments were made: the next one is of all that is left")

    def pay_in(self, portion: Portion, amount: Money) -> None:
        """A portion of this price has come in. Raises IllegalMove when nothing is to be paid any more."""
        is_whole = self._is_all(portion)
        self.move("fund" if is_whole else "fund_part")
        self.funded += amount.amount
        if self.paid is not None and self.unpaid is not None:
            self.paid += portion.quantity or self.unpaid
        self._drop(portion)
        self.due_at = None if is_whole else self.due_at

    def _is_all(self, portion: Portion) -> bool:
        if portion.piece_ids is not None:
            return {piece.piece_id for piece in self.unpaid_pieces} <= set(portion.piece_ids)
        return portion.quantity is None or portion.quantity >= (self.unpaid or portion.quantity)

    def _drop(self, portion: Portion) -> None:
        """Take out of what is unpaid what a portion names."""
        is_all = portion.piece_ids is None and portion.quantity is None
        if portion.piece_ids is not None or is_all:
            named = portion.piece_ids or []
            self.unpaid_pieces = [p for p in self.unpaid_pieces if not is_all and p.piece_id not in named]
        if self.unpaid is not None and (portion.quantity is not None or is_all):
            self.unpaid -= min(portion.quantity or self.unpaid, self.unpaid)

    def lapse(self) -> None:
        """What is unpaid can no longer be paid."""
        self.move("lapse" if self.state is State.AWAITING else "stop")
        self.due_at = None

    def miss_of(self, portion: Portion, value: Money, *, is_paid: bool) -> Money:
        """How much of the value of a part that ended was never paid, by what came in whatever orders had heard of it."""
        if is_paid:
            return Money.zero(value.currency)
        if portion.piece_ids is not None and self.unpaid_pieces:
            return min(self._worth_of(p for p in self.unpaid_pieces if p.piece_id in portion.piece_ids), value)
        return min(value, self.payable)

    def miss(self, portion: Portion, missed: Money) -> None:
        """A part ends of which this was not paid: it is not to be paid any more."""
        self._drop(portion)
        self.missed += missed.amount
        if self.state is State.PARTLY_FUNDED and not self.unpaid_pieces and not self.unpaid:
            self.lapse()

    @property
    def open(self) -> Money:
        """What is not resolved yet."""
        return Money(self.gross.amount - self.resolved, self.gross.currency)

    def pay_out(self) -> None:
        """A delivery is paid out of it. Raises IllegalMove unless there is a payment and something is open."""
        self.move("pay_out_early" if self.state is State.PARTLY_FUNDED else "pay_out")

    def resolve(self, shares: Shares, value: Money) -> None:
        """A part of this value is settled; nothing is left open after the last."""
        self.paid_out += shares.from_escrow.amount
        self.returned += shares.returned.amount
        self.shortfall += shares.shortfall.amount
        self.resolved += value.amount
        if self.is_resolved:
            self._close()

    def end(self, shares: Shares) -> None:
        """All that was left open is settled."""
        self.resolve(shares, self.open)

    def _close(self) -> None:
        """Nothing more goes in or out; one that lapsed stays so."""
        self.missed, self.due_at = self.gross.amount - self.funded, None
        if self.can("close"):
            self.move("close")


class EscrowPayment(Base):
    """What the buyer paid into the escrow of a deal at once, of which ``converted`` came out of its deposit: never changed.

    ``piece_ids`` or ``quantity`` is what it was for: all that was left where neither is said.
    """

    __tablename__ = "escrow_payment"
    __table_args__ = (UniqueConstraint("deal_id", "number"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    deal_id: Mapped[str] = mapped_column(ForeignKey("escrow.id"))
    number: Mapped[int]
    piece_ids: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    quantity: Mapped[Quantity | None] = database.quantity("quantity", nullable=True)
    amount: Mapped[int] = mapped_column(BigInteger)
    converted: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(CHAR(3))
    is_whole: Mapped[bool]
    journal_id: Mapped[str | None]
    paid_at: Mapped[datetime]
