"""A deal as orders described it, and when goods may be carried for it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ARRAY, ColumnElement, Interval, Text, or_, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis import database
from chassis.auth import Caller
from chassis.problems import Conflict, Forbidden
from chassis.values import Quantity
from services.logistics.base import Base

DELIVERING = "delivering"
SELF_PICKUP = "self_pickup"
THIRD_PARTY = "THIRD_PARTY"


class DealNotDelivering(Conflict):
    """The deal is not at the stage at which goods are delivered."""


class DeliveryOverdue(Conflict):
    """The time to deliver this deal is over: no more trucks are set up for it."""


class NotTheWarehouse(Forbidden):
    """Only the warehouse that keeps the goods of the deal may do this."""


class NotTheBuyer(Forbidden):
    """Only the buyer of the deal may do this."""


class NotTheSeller(Forbidden):
    """Only the seller of the deal may do this."""


class NotTheWeigher(Forbidden):
    """Only the third party that the deal names, or the platform's operator, may do this."""


class NotAParty(Forbidden):
    """Only those who weigh the goods of the deal, its buyer or its seller may do this."""


class Deal(Base):
    """A paid deal: projection of ``orders.deal_described``. ``weigher_id`` is the third party whose scale is asked.

    What is ``unpaid`` may be paid for any time: that it was may not have been heard of yet.
    """

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
    weighing_rule: Mapped[str | None]
    weigher_id: Mapped[str | None]
    delivery_mode: Mapped[str] = mapped_column(server_default=SELF_PICKUP)
    unpaid_piece_ids: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    unpaid: Mapped[Quantity | None] = database.quantity("unpaid", nullable=True)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        if caller.is_operator:
            return true()
        parties = (cls.buyer_id, cls.seller_id, cls.warehouse_id, cls.weigher_id)
        return or_(*(column == caller.party_id for column in parties))

    @property
    def is_fetched(self) -> bool:
        """Whether the buyer sends the trucks."""
        return self.delivery_mode == SELF_PICKUP

    @property
    def weigher_decides(self) -> bool:
        """Whether the weight that is paid for is the third party's."""
        return self.weighing_rule == THIRD_PARTY

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

    def check_is_seller(self, caller: Caller) -> None:
        """Raises NotTheSeller."""
        if caller.party_id != self.seller_id:
            raise NotTheSeller("the goods are sold by another company")

    def check_is_weigher(self, caller: Caller) -> None:
        """Raises NotTheWeigher."""
        if not (caller.is_operator or (self.weigher_id and caller.party_id == self.weigher_id)):
            raise NotTheWeigher("its third party is another company" if self.weigher_id else "it names no third party")

    def sides_of(self, caller: Caller) -> frozenset[str]:
        """What the caller's company is in the deal: ``buyer``, ``seller`` or neither."""
        sides = {"buyer": self.buyer_id, "seller": self.seller_id}
        return frozenset(side for side, party_id in sides.items() if party_id == caller.party_id)


class DealPiece(Base):
    """A piece of a deal with the weight that the deal froze."""

    __tablename__ = "deal_piece"

    deal_id: Mapped[str] = mapped_column(primary_key=True)
    piece_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str]
    net: Mapped[Quantity] = database.quantity("net")
