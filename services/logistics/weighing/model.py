"""A weigh ticket: what a scale said of one truck at one end of a delivery.

It is never changed, only replaced by another.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Index, Numeric
from sqlalchemy.orm import Mapped, mapped_column

from chassis.problems import Conflict, Invalid
from chassis.values import Exact, Quantity
from services.logistics.base import Base

KG = "KGM"
HEAVIEST_KG = Exact(100_000_000)
KEPT_BACK = timedelta(days=30)


class NetIsNotGrossLessTare(Invalid):
    """The net weight of a ticket is its gross weight less its tare."""


class NotAWeight(Invalid):
    """A scale weighs something, and no more than 100,000 tonnes."""


class NotWeighedLately(Invalid):
    """A ticket is recorded after the weighing and within thirty days of it."""


class TicketExists(Conflict):
    """This end of the delivery already has a ticket."""


def ticket_exists() -> TicketExists:
    """What a caller is told whose ticket came second in a race."""
    return TicketExists("another ticket was recorded at the same time")


class WeighTicket(Base):
    """A ticket in kilograms.

    ``replaces`` is for a later ticket that both sides have signed: the one nobody replaces is in force.
    """

    __tablename__ = "weigh_ticket"
    __table_args__ = (
        Index("uq_weigh_ticket_first", "delivery_id", "end", unique=True, postgresql_where="replaces IS NULL"),
        Index("uq_weigh_ticket_replaces", "replaces", unique=True),
        CheckConstraint("net_kg = gross_kg - tare_kg AND net_kg > 0 AND tare_kg >= 0", name="net"),
    )
    constraint_problems: ClassVar[dict[str, Any]] = {"uq_weigh_ticket_first": ticket_exists}

    id: Mapped[str] = mapped_column(primary_key=True)
    delivery_id: Mapped[str]
    end: Mapped[str]
    scale: Mapped[str]
    plate: Mapped[str]
    gross_kg: Mapped[Exact] = mapped_column(Numeric(18, 6))
    tare_kg: Mapped[Exact] = mapped_column(Numeric(18, 6))
    net_kg: Mapped[Exact] = mapped_column(Numeric(18, 6))
    weighed_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    replaces: Mapped[str | None]


def check_weights(*, gross: Quantity, tare: Quantity, net: Quantity) -> tuple[Exact, Exact, Exact]:
    """Gross, tare and net in kilograms, compared exactly. Raises UnitMismatch, NotAWeight or NetIsNotGrossLessTare."""
    gross_kg, tare_kg, net_kg = (weight.to(KG).value for weight in (gross, tare, net))
    if not 0 < net_kg <= HEAVIEST_KG or gross_kg > HEAVIEST_KG:
        raise NotAWeight(f"net is {net_kg} kg of {gross_kg} kg", field="$.net")
    if net_kg != gross_kg - tare_kg:
        raise NetIsNotGrossLessTare(f"{gross_kg} - {tare_kg} is {gross_kg - tare_kg}, not {net_kg}", field="$.net")
    return gross_kg, tare_kg, net_kg


def check_time(weighed_at: datetime, now: datetime) -> None:
    """Raises NotWeighedLately."""
    if not now - KEPT_BACK <= weighed_at <= now:
        raise NotWeighedLately(f"it is {now.isoformat()}", field="$.weighed_at")
