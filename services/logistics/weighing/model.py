"""A weigh ticket: what a scale said of one truck at one end of a delivery, or what a third party's scale said of it.

It is never changed, only replaced by another that buyer and seller have both signed.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ColumnElement, Index, Numeric, select
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.problems import Conflict, Invalid
from chassis.states import Move, Stateful, state_column
from chassis.values import Exact, Quantity
from services.logistics.base import Base
from services.logistics.shipments.model import Delivery

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


class NotInForce(Conflict):
    """A correction replaces the ticket of its delivery and end that is in force."""


class CorrectionProposed(Conflict):
    """Another correction of this ticket waits for a signature."""


class CorrectionSigned(Conflict):
    """This side has signed the correction."""


def ticket_exists() -> TicketExists:
    """What a caller is told whose ticket came second in a race."""
    return TicketExists("another ticket was recorded at the same time")


def correction_proposed() -> CorrectionProposed:
    """What a caller is told whose correction came second in a race."""
    return CorrectionProposed("another correction was proposed at the same time")


class WeighTicket(Base):
    """A ticket in kilograms.

    With ``replaces`` it is a correction, and its ``Correction`` says whether it is in force.
    """

    __tablename__ = "weigh_ticket"
    __table_args__ = (
        Index("uq_weigh_ticket_first", "delivery_id", "end", unique=True, postgresql_where="replaces IS NULL"),
        Index("ix_weigh_ticket_replaces", "replaces"),
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


def in_kilograms(value: Exact) -> Quantity:
    """A weight of a ticket without the zeros that PostgreSQL pads with."""
    return Quantity(Exact(format(value.normalize(), "f")), KG)


class State(StrEnum):
    """Where a correction stands."""

    PROPOSED = "proposed"
    IN_FORCE = "in_force"
    DECLINED = "declined"
    OVERTAKEN = "overtaken"
    TOO_LATE = "too_late"


class Correction(Stateful, Base):
    """The standing of a ticket that replaces another: in force once buyer and seller have both signed it.

    It is overtaken when the delivery is accepted or called off before that, and too late when it crossed with the acceptance.
    ``id`` is the ticket's.
    """

    __tablename__ = "correction"
    __table_args__ = (
        Index("uq_correction_replaces", "replaces", unique=True, postgresql_where="state IN ('proposed', 'in_force')"),
    )
    constraint_problems: ClassVar[dict[str, Any]] = {"uq_correction_replaces": correction_proposed}

    moves: ClassVar[dict[str, Move]] = {
        "enforce": Move(State.PROPOSED, to=State.IN_FORCE),
        "decline": Move(State.PROPOSED, to=State.DECLINED),
        "overtake": Move(State.PROPOSED, to=State.OVERTAKEN),
        "undo": Move(State.IN_FORCE, to=State.TOO_LATE),
    }
    initial = State.PROPOSED
    final = frozenset({State.DECLINED, State.OVERTAKEN, State.TOO_LATE})

    id: Mapped[str] = mapped_column(primary_key=True)
    delivery_id: Mapped[str] = mapped_column(index=True)
    end: Mapped[str]
    replaces: Mapped[str]
    state: Mapped[State] = state_column(State)
    buyer_signed_by: Mapped[str | None]
    buyer_signed_at: Mapped[datetime | None]
    seller_signed_by: Mapped[str | None]
    seller_signed_at: Mapped[datetime | None]
    in_force_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return cls.delivery_id.in_(select(Delivery.id).where(Delivery.visible_to(caller)))

    @property
    def signed_by(self) -> list[str]:
        """The sides that have signed."""
        return [side for side in ("buyer", "seller") if getattr(self, f"{side}_signed_by") is not None]

    def sign(self, sides: Collection[str], user_id: str, at: datetime) -> bool:
        """Sign for sides of the deal; True when both have signed and it is in force. Raises IllegalMove or CorrectionSigned."""
        if not self.can("enforce"):
            self.move("enforce")
        fresh = set(sides) - set(self.signed_by)
        if sides and not fresh:
            raise CorrectionSigned(f"the {' and the '.join(sorted(sides))} signed before")
        for side in fresh:
            setattr(self, f"{side}_signed_by", user_id)
            setattr(self, f"{side}_signed_at", at)
        if len(self.signed_by) < 2:
            return False
        self.move("enforce")
        self.in_force_at = at
        return True


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
