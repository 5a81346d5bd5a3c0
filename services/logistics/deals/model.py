"""A deal as orders described it, and when goods may be carried for it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Interval, or_
from sqlalchemy.orm import Mapped, mapped_column

from chassis import database
from chassis.auth import Caller
from chassis.problems import Conflict, Forbidden
from chassis.values import Quantity
from services.logistics.base import Base

DELIVERING = "delivering"


class DealNotDelivering(Conflict):
    """The deal is not at the stage at which goods are delivered."""


class DeliveryOverdue(Conflict):
    """The time to deliver this deal is over: no more trucks are set up for it."""


class NotTheWarehouse(Forbidden):
    """Only the warehouse that keeps the goods of the deal may do this."""


class NotTheBuyer(Forbidden):
    """Only the buyer of the deal may do this."""


class Deal(Base):
    """A paid deal: projection of ``orders.deal_described``."""

    __tablename__ = "deal"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    market: Mapped[str]
    state: Mapped[str]
    buyer_id: Mapped[str]
    seller_id: Mapped[str]
    warehouse_id: Mapped[str]
    quantity: Mapped[Quantity] = database.quantity("quantity")
    deliver_by: Mapped[datetime]
    load: Mapped[timedelta] = mapped_column(Interval)
    receive: Mapped[timedelta] = mapped_column(Interval)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return or_(*(column == caller.party_id for column in (cls.buyer_id, cls.seller_id, cls.warehouse_id)))

    @property
    def is_over(self) -> bool:
        """Whether nothing more will leave for it; orders describes a deal from ``delivering`` on."""
        return self.state != DELIVERING

    def check_is_delivering(self) -> None:
        """Raises DealNotDelivering."""
        if self.state != DELIVERING:
            raise DealNotDelivering(f"the deal is {self.state}", state=self.state)

    def check_in_time(self, at: datetime) -> None:
        """Raises DeliveryOverdue from the last day of delivery on, called or not."""
        if at >= self.deliver_by:
            raise DeliveryOverdue(
                f"it had to be delivered before {self.deliver_by.isoformat()}", due_at=self.deliver_by
            )

    def check_is_warehouse(self, caller: Caller) -> None:
        """Raises NotTheWarehouse."""
        if caller.party_id != self.warehouse_id:
            raise NotTheWarehouse("the goods are kept by another company")

    def check_is_buyer(self, caller: Caller) -> None:
        """Raises NotTheBuyer."""
        if caller.party_id != self.buyer_id:
            raise NotTheBuyer("the goods go to another company")


class Closing(Base):
    """That orders has called the deliveries of a deal: since then no truck is set up for it. Its deal's lock is its lock."""

    __tablename__ = "closing"

    deal_id: Mapped[str] = mapped_column(primary_key=True)
    closed_at: Mapped[datetime]


class DealPiece(Base):
    """A piece of a deal with the weight that the deal froze."""

    __tablename__ = "deal_piece"

    deal_id: Mapped[str] = mapped_column(primary_key=True)
    piece_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str]
    net: Mapped[Quantity] = database.quantity("net")
