"""A product as the catalog described it, and the rules about who may offer how much of it."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, Index
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.database import quantity
from chassis.problems import Conflict, Invalid, NotFound
from chassis.values import Quantity
from events.catalog import LicenceNeeded
from services.orders.base import Base, stored

PUBLISHED = "published"


class ProductNotYours(NotFound):
    """A product is not the seller's to offer."""


class ProductNotPublished(Conflict):
    """Only a published product may be offered."""


class ProductBlocked(Conflict):
    """A product may not be offered as it is described, for want of a document or the like."""


class ProductElsewhere(Invalid):
    """A product is offered in its own market."""


class NotTradedSo(Invalid):
    """A product is traded in its own units and steps, and not below its minimum."""


class Product(Base):
    """A product: projection of ``catalog.product_described``; ``step`` and ``minimum`` are in its first trade unit."""

    __tablename__ = "product"
    __table_args__ = (Index("ix_product_owner_number", "owner_id", "number"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    market: Mapped[str]
    owner_id: Mapped[str]
    number: Mapped[str]
    state: Mapped[str]
    title: Mapped[dict[str, str]] = stored(dict[str, str])
    trade_units: Mapped[list[str]] = stored(list[str])
    step: Mapped[Quantity] = quantity("step")
    minimum: Mapped[Quantity] = quantity("minimum")
    licences: Mapped[list[LicenceNeeded]] = stored(list[LicenceNeeded])
    blocked: Mapped[str | None]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return cls.owner_id == caller.party_id

    @property
    def heading(self) -> str:
        """What an offer of it is called where its seller says nothing."""
        return (" · ".join(dict.fromkeys(self.title.values())) or self.number)[:180]

    def check_offerable(self, *, seller_id: str, market: str) -> None:
        """Raises ProductNotYours, ProductElsewhere, ProductNotPublished or ProductBlocked."""
        field = "$.product_id"
        if self.owner_id != seller_id:
            raise ProductNotYours(self.id, field=field)
        if self.market != market:
            raise ProductElsewhere(f"it is of the market {self.market!r}", field=field)
        if self.state != PUBLISHED:
            raise ProductNotPublished(f"{self.number} is {self.state}", field=field, state=self.state)
        if self.blocked:
            raise ProductBlocked(f"{self.number}: {self.blocked}", field=field, reason=self.blocked)

    def divide(
        self, said: Quantity, minimum: Quantity | None, step: Quantity | None
    ) -> tuple[Quantity, Quantity, Quantity]:
        """A quantity of it with the least and the step that may be taken; what is not said is the product's own.

        Raises NotTradedSo, which names the field.
        """
        self.check_quantities({"quantity": said, "minimum": minimum, "step": step})
        return said, minimum or self._least(said), step or self.step or self._least(said)

    def check_quantities(self, said: Mapping[str, Quantity | None]) -> None:
        """Whether an offer of it may say these of ``quantity``, ``minimum`` and ``step``. Raises NotTradedSo."""
        for field, each in said.items():
            if each is not None:
                self._check(field, each)

    def _check(self, field: str, said: Quantity) -> None:
        if said.unit not in self.trade_units:
            allowed = ", ".join(self.trade_units)
            raise NotTradedSo(f"its units are {allowed}", field=f"$.{field}", allowed=self.trade_units)
        if field != "step" and said < self.minimum:
            raise NotTradedSo(f"at least {self.minimum}", field=f"$.{field}", minimum=self.minimum)
        if self.step and said.to(self.step.unit).value % self.step.value:
            raise NotTradedSo(f"a multiple of {self.step}", field=f"$.{field}", step=self.step)

    def _least(self, said: Quantity) -> Quantity:
        """Its minimum, or its step where it has none; a product without either is sold whole."""
        return self.minimum or self.step or said
