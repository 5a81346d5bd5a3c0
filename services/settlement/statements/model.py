"""The settlement statement of a deal and its lines: written once, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CHAR, BigInteger, ColumnElement, ForeignKey, Numeric, UniqueConstraint, or_, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis import database
from chassis.auth import Caller
from chassis.values import Money, Quantity, UnitPrice, total
from services.settlement.base import Base
from services.settlement.escrows.shares import Shares


class LineKind(StrEnum):
    """Why money of a deal was shared out."""

    DELIVERY = "delivery"
    DEFAULT = "default"
    CANCELLATION = "cancellation"
    SUPPLEMENT = "supplement"


class Statement(Base):
    """What was settled of one deal; both sides see it."""

    __tablename__ = "statement"

    id: Mapped[str] = mapped_column(primary_key=True)
    deal_id: Mapped[str] = mapped_column(unique=True)
    buyer_id: Mapped[str] = mapped_column(index=True)
    seller_id: Mapped[str] = mapped_column(index=True)
    currency: Mapped[str] = mapped_column(CHAR(3))
    created_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        own = or_(cls.buyer_id == caller.party_id, cls.seller_id == caller.party_id)
        return true() if caller.is_operator else own


class StatementLine(Base):
    """One sharing out of a deal's money. Amounts are minor units of ``currency``; the shares are those of ``Shares``.

    The columns from ``loaded`` to ``gross`` are there for deliveries only, ``journal_id`` whenever money moved. ``value``
    is the share of the deal's gross that the line resolved; it is not there for what was settled without one. Lines of a
    supplement name the delivery that it was for.
    """

    __tablename__ = "statement_line"
    __table_args__ = (
        UniqueConstraint("statement_id", "number"),
        UniqueConstraint("delivery_id", "stage", "kind"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    statement_id: Mapped[str] = mapped_column(ForeignKey("statement.id"))
    number: Mapped[int]
    kind: Mapped[str]
    reason: Mapped[str | None]
    delivery_id: Mapped[str | None]
    stage: Mapped[str] = mapped_column(server_default="whole")
    supplement_id: Mapped[str | None]
    part_id: Mapped[str | None] = mapped_column(unique=True)
    ended_by: Mapped[str | None]
    piece_ids: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    quantity: Mapped[Quantity | None] = database.quantity("quantity", nullable=True)
    journal_id: Mapped[str | None]
    created_at: Mapped[datetime]
    loaded: Mapped[Quantity | None] = database.quantity("loaded", nullable=True)
    received: Mapped[Quantity | None] = database.quantity("received", nullable=True)
    third_party: Mapped[Quantity | None] = database.quantity("third_party", nullable=True)
    rule: Mapped[str | None]
    settled: Mapped[Quantity | None] = database.quantity("settled", nullable=True)
    price: Mapped[UnitPrice | None] = database.unit_price("price", nullable=True)
    tax_rate: Mapped[Decimal | None] = mapped_column(Numeric(18, 6))
    currency: Mapped[str] = mapped_column(CHAR(3))
    net: Mapped[int | None] = mapped_column(BigInteger)
    tax: Mapped[int | None] = mapped_column(BigInteger)
    gross: Mapped[int | None] = mapped_column(BigInteger)
    value: Mapped[int | None] = mapped_column(BigInteger)
    from_escrow: Mapped[int] = mapped_column(BigInteger)
    from_deposit: Mapped[int] = mapped_column(BigInteger)
    from_supplement: Mapped[int] = mapped_column(BigInteger, server_default="0")
    fee: Mapped[int] = mapped_column(BigInteger)
    shortfall: Mapped[int] = mapped_column(BigInteger)
    returned: Mapped[int] = mapped_column(BigInteger)
    buyer_released: Mapped[int] = mapped_column(BigInteger)
    seller_released: Mapped[int] = mapped_column(BigInteger)
    buyer_forfeited: Mapped[int] = mapped_column(BigInteger)
    seller_forfeited: Mapped[int] = mapped_column(BigInteger)
    forfeit_fee: Mapped[int] = mapped_column(BigInteger)

    @property
    def shares(self) -> Shares:
        """Who got what."""
        return Shares(**{name: Money(getattr(self, name), self.currency) for name in Shares.__struct_fields__})


def add_up(lines: Sequence[StatementLine], currency: str) -> Shares:
    """The sums of what lines share out."""
    return Shares(**{name: add_up_column(lines, name, currency) for name in Shares.__struct_fields__})


def add_up_column(lines: Sequence[StatementLine], name: str, currency: str) -> Money:
    """The sum of one column of amounts; a line that has none counts for nothing."""
    return total([Money(getattr(line, name) or 0, currency) for line in lines], currency)
