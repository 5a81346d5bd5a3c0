"""A lot of a product: what was made together and is told apart by its number, and when it expires."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, UniqueConstraint, select, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.problems import Conflict
from services.catalog.base import Base
from services.catalog.products.model import Product, find_changes


class LotTwice(Conflict):
    """A lot with this number was described by another request at the same time."""


class Lot(Base):
    """A batch, a heat, a filling of a product. ``product_id`` and ``number`` name it for ever; ``expires_on`` is its last day.

    ``blocked`` says why it may not be handed over, ``due_at`` when a document of it begins or ends to be in force next.
    """

    __tablename__ = "lot"
    __table_args__ = (
        UniqueConstraint("product_id", "number"),
        Index("ix_lot_due_at", "due_at", postgresql_where="due_at IS NOT NULL"),
    )
    constraint_problems = {"uq_lot_product_id_number": LotTwice}

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    product_id: Mapped[str] = mapped_column(ForeignKey("product.id"))
    owner_id: Mapped[str]
    number: Mapped[str]
    attributes: Mapped[dict[str, str]] = mapped_column(JSONB)
    expires_on: Mapped[date | None]
    blocked: Mapped[str | None]
    due_at: Mapped[datetime | None]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        if caller.is_operator:
            return true()
        return cls.product_id.in_(select(Product.id).where(Product.visible_to(caller)))

    @property
    def content(self) -> dict[str, Any]:
        """What a change of it may change, by name."""
        expires_on = self.expires_on.isoformat() if self.expires_on else None
        return {**self.attributes, "expires_on": expires_on, "blocked": self.blocked}

    def count_change(self, before: dict[str, Any], at: datetime) -> dict[str, list[Any]]:
        """Count a change: what is different now, by name, as it was and as it is."""
        if changes := find_changes(before, self.content):
            self.version, self.changed_at = self.version + 1, at
        return changes


class LotChange(Base):
    """What changed in a lot, when, and by whom: names with the value before and after."""

    __tablename__ = "lot_change"
    __table_args__ = (Index("ix_lot_change_lot_id_id", "lot_id", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    lot_id: Mapped[str] = mapped_column(ForeignKey("lot.id"))
    version: Mapped[int]
    user_id: Mapped[str]
    at: Mapped[datetime]
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        if caller.is_operator:
            return true()
        return cls.lot_id.in_(select(Lot.id).where(Lot.owner_id == caller.party_id))
