"""The settlement statement of a deal and its lines: written once, never changed."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CHAR, BigInteger, ColumnElement, ForeignKey, Numeric, UniqueConstraint, or_, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.database import quantity, unit_price
from chassis.values import Money, Quantity, UnitPrice
from services.settlement.base import Base
from services.settlement.escrows.shares import Shares


class LineKind(StrEnum):
    """Why money of a deal was shared out."""

    DELIVERY = "delivery"
    DEFAULT = "default"
    CANCELLATION = "cancellation"


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

    The columns from ``loaded`` to ``gross`` are there for deliveries only, ``journal_id`` whenever money moved.
    """

    __tablename__ = "statement_line"
    __table_args__ = (UniqueConstraint("statement_id", "number"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    statement_id: Mapped[str] = mapped_column(ForeignKey("statement.id"))
    number: Mapped[int]
    kind: Mapped[str]
    reason: Mapped[str | None]
    delivery_id: Mapped[str | None] = mapped_column(unique=True)
    journal_id: Mapped[str | None]
    created_at: Mapped[datetime]
    loaded: Mapped[Quantity | None] = quantity("loaded", nullable=True)
    received: Mapped[Quantity | None] = quantity("received", nullable=True)
    settled: Mapped[Quantity | None] = quantity("settled", nullable=True)
    price: Mapped[UnitPrice | None] = unit_price("price", nullable=True)
    tax_rate: Mapped[Decimal | None] = mapped_column(Numeric(18, 6))
    currency: Mapped[str] = mapped_column(CHAR(3))
    net: Mapped[int | None] = mapped_column(BigInteger)
    tax: Mapped[int | None] = mapped_column(BigInteger)
    gross: Mapped[int | None] = mapped_column(BigInteger)
    from_escrow: Mapped[int] = mapped_column(BigInteger)
    from_deposit: Mapped[int] = mapped_column(BigInteger)
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
