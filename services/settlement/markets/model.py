"""A market as settlement knows it: the platform's share of payments and forfeits."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import ColumnElement, Numeric, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from services.settlement.base import Base


class Market(Base):
    """An industry's market: projection of ``catalog.market_described``.

    Rates are fractions; the tax of ``fee_tax_rate`` is included in what the platform takes.
    """

    __tablename__ = "market"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    fee_rate: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    forfeit_fee_rate: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    fee_tax_rate: Mapped[Decimal] = mapped_column(Numeric(18, 6), server_default="0.06")

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true()
