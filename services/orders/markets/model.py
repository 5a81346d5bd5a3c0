"""A market as the catalog described it: what terms may be, what the platform takes, what agreements say."""

from __future__ import annotations

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from events.catalog import Clause, MarketFees, MarketTerms
from services.orders.base import Base, stored


class Market(Base):
    """An industry's market: projection of ``catalog.market_described``."""

    __tablename__ = "market"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    terms: Mapped[MarketTerms] = stored(MarketTerms)
    fees: Mapped[MarketFees] = stored(MarketFees)
    clauses: Mapped[list[Clause] | None] = stored(list[Clause])

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true()
