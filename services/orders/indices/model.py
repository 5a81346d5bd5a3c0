"""A figure of a price index as the catalog published it, and what a formula that names an index may miss."""

from __future__ import annotations

import datetime

from sqlalchemy import ColumnElement, Index, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.problems import Conflict, Invalid
from chassis.values import UnitPrice
from services.orders.base import Base, stored

DAYS_KEPT = 400


class IndexNotKnown(Invalid):
    """There is no price index of this name."""


class IndexNotPublished(Conflict):
    """The index has no published figure that a price could be made of."""


class IndexFigure(Base):
    """An index of a day: projection of ``catalog.index_described``; there is no price where the day is withheld.

    Of each index the last 400 days are kept. The id is the day's in the catalog.
    """

    __tablename__ = "index_figure"
    __table_args__ = (Index("ix_index_figure_code_day", "code", "day"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    code: Mapped[str]
    market: Mapped[str]
    day: Mapped[datetime.date]
    revision: Mapped[int]
    state: Mapped[str]
    price: Mapped[UnitPrice | None] = stored(UnitPrice)
    tax_basis: Mapped[str]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true()
