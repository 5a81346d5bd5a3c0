"""What somebody planned for a delivery, and which of its milestones were told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Index, Text, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.problems import Forbidden, Invalid
from services.logistics.base import Base
from services.logistics.milestones.eta import Plan
from services.logistics.shipments.model import Delivery


class NotYourTruck(Forbidden):
    """Who sells the goods, buys them or keeps them may say when their truck is to leave and to arrive."""


class ArrivesBeforeItLeaves(Invalid):
    """A truck arrives after it has left."""


class DeliveryPlan(Base):
    """When a delivery is to leave and to arrive, and the containers (ISO 6346) that it travels in."""

    __tablename__ = "delivery_plan"
    __table_args__ = (Index("ix_delivery_plan_containers", "containers", postgresql_using="gin"),)

    delivery_id: Mapped[str] = mapped_column(primary_key=True)
    departs_at: Mapped[datetime | None]
    arrives_at: Mapped[datetime | None]
    containers: Mapped[list[str]] = mapped_column(ARRAY(Text))
    planned_by: Mapped[str]
    planned_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        if caller.is_operator:
            return true()
        return cls.delivery_id.in_(select(Delivery.id).where(Delivery.visible_to(caller)))

    @property
    def dates(self) -> Plan:
        """The planned times."""
        return Plan(self.departs_at, self.arrives_at)


class MilestoneTold(Base):
    """A milestone as it was last told: ``digest`` is of all that it says. ``place`` is where, or which discrepancy."""

    __tablename__ = "milestone_told"

    delivery_id: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    classifier: Mapped[str] = mapped_column(primary_key=True)
    container: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    version: Mapped[int]
    is_withdrawn: Mapped[bool]
