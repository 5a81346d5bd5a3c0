"""A part of a deal that came to nothing: who broke it or that both let go of it, why, and what it was worth."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, ForeignKey, select
from sqlalchemy.orm import Mapped, mapped_column

from chassis import database
from chassis.auth import Caller
from chassis.values import Money, Quantity
from services.orders.base import Base, stored
from services.orders.deals.model import Deal
from services.orders.deals.parts import Part


class EndedPart(Base):
    """A part that will not be delivered: ``cancelled`` (``by`` is None) or ``defaulted`` by a side; its deal's lock is its.

    ``value`` is its share of the deal's gross, in escrow when it ``is_paid``. A part without goods records a default on
    what a delivery had come to beyond the escrow.
    """

    __tablename__ = "ended_part"

    id: Mapped[str] = mapped_column(primary_key=True)
    deal_id: Mapped[str] = mapped_column(ForeignKey("deal.id"), index=True)
    kind: Mapped[str]
    by: Mapped[str | None]
    reason: Mapped[str]
    piece_ids: Mapped[list[str]] = stored(list[str])
    quantity: Mapped[Quantity] = database.quantity("quantity")
    value: Mapped[Money] = database.money("value")
    forfeit: Mapped[Money] = database.money("forfeit")
    is_paid: Mapped[bool]
    at: Mapped[datetime]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return cls.deal_id.in_(select(Deal.id).where(Deal.visible_to(caller)))

    @property
    def part(self) -> Part:
        """The goods that it holds."""
        return Part(self.piece_ids, self.quantity)
