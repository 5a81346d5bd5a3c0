"""Invoices: what the seller is to invoice of a delivery, and what the platform invoices of each fee."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import CHAR, BigInteger, CheckConstraint, ColumnElement, Numeric, UniqueConstraint, or_, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis import clock
from chassis.auth import Caller
from chassis.problems import Conflict, Forbidden, Invalid, NotFound
from chassis.states import Move, Stateful, state_column
from chassis.values import Money, Value
from events.orders import DeliveryAccepted
from services.settlement.base import Base, Stored

AHEAD = timedelta(hours=14)
"""How far ahead of ours the date of the place can be where an invoice is written (UTC+14)."""


class Kind(StrEnum):
    """What is invoiced."""

    GOODS = "goods"
    FEE = "fee"


class State(StrEnum):
    """Whether it is there."""

    EXPECTED = "expected"
    RECORDED = "recorded"
    ISSUED = "issued"


class InvoiceDiffers(Invalid):
    """The amounts of the invoice are not those of the settlement statement."""


class InvoiceNumberUsed(Conflict):
    """The number of this invoice is recorded for another delivery already."""


class InvoiceFromTheFuture(Invalid):
    """An invoice is recorded once it is issued."""


class NotTheIssuer(Forbidden):
    """Only who issues an invoice records it."""


class NoDocument(NotFound):
    """The seller's own tax system makes the document of this invoice."""


class Slip(Value):
    """What stands on an invoice that was issued."""

    number: str
    issued_on: date
    net: Money
    tax: Money
    gross: Money


class Invoice(Stateful, Base):
    """An invoice of one stage of a delivery (goods) or of the fee of one statement line (fee).

    Amounts are minor units of ``currency``. ``releases`` is the delivery that is paid when the invoice is recorded.
    """

    __tablename__ = "invoice"
    __table_args__ = (
        UniqueConstraint("delivery_id", "stage"),
        UniqueConstraint("line_id"),
        UniqueConstraint("issuer_id", "number"),
        CheckConstraint("gross = net + tax AND least(net, tax) >= 0 AND gross > 0", name="amounts"),
        CheckConstraint("(kind = 'fee') = (line_id IS NOT NULL)", name="line"),
        CheckConstraint("(kind = 'goods') = (delivery_id IS NOT NULL)", name="delivery"),
        CheckConstraint("(state = 'expected') = (number IS NULL)", name="number"),
    )
    constraint_problems: ClassVar = {
        "uq_invoice_issuer_id_number": lambda: InvoiceNumberUsed("a number is recorded once", field="$.number")
    }

    initial: ClassVar = State.EXPECTED
    final: ClassVar = frozenset({State.RECORDED, State.ISSUED})
    moves: ClassVar = {
        "record": Move(State.EXPECTED, to=State.RECORDED),
        "issue": Move(State.EXPECTED, to=State.ISSUED),
    }

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    deal_id: Mapped[str] = mapped_column(index=True)
    delivery_id: Mapped[str | None]
    stage: Mapped[str | None]
    line_id: Mapped[str | None]
    issuer_id: Mapped[str] = mapped_column(index=True)
    payer_id: Mapped[str] = mapped_column(index=True)
    currency: Mapped[str] = mapped_column(CHAR(3))
    tax_rate: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    net: Mapped[int] = mapped_column(BigInteger)
    tax: Mapped[int] = mapped_column(BigInteger)
    gross: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[str | None]
    issued_on: Mapped[date | None]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    releases: Mapped[DeliveryAccepted | None] = mapped_column(Stored(DeliveryAccepted))
    state: Mapped[State] = state_column(State)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        own = or_(cls.issuer_id == caller.party_id, cls.payer_id == caller.party_id)
        return true() if caller.is_operator else own

    def amount(self, name: str) -> Money:
        """One of its amounts."""
        return Money(getattr(self, name), self.currency)

    def says(self, slip: Slip) -> bool:
        """Whether it was recorded as just this."""
        return self.state is State.RECORDED and (self.number, self.issued_on) == (slip.number, slip.issued_on)

    def check_same(self, slip: Slip) -> None:
        """Raises InvoiceDiffers with the ``difference``, what the slip says less what was settled, or CurrencyMismatch."""
        for name in ("gross", "net", "tax"):
            said, settled = getattr(slip, name), self.amount(name)
            if difference := said - settled:
                detail = f"{said} instead of {settled}"
                raise InvoiceDiffers(detail, field=f"$.{name}", difference=difference, expected=settled)

    def record(self, slip: Slip) -> None:
        """It was issued. Raises IllegalMove, InvoiceDiffers or InvoiceFromTheFuture."""
        if self.can("record"):
            self.check_same(slip)
            if slip.issued_on > (clock.now() + AHEAD).date():
                raise InvoiceFromTheFuture(f"it says {slip.issued_on.isoformat()}", field="$.issued_on")
        self.move("record")
        self.number, self.issued_on, self.ended_at = slip.number, slip.issued_on, clock.now()

    def issue(self, number: str) -> None:
        """The platform issues it now."""
        self.move("issue")
        self.number, self.issued_on, self.ended_at = number, clock.now().date(), clock.now()
