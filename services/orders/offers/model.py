"""An offer as a row: its columns, and who may see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from sqlalchemy import CheckConstraint, ColumnElement, Index, Numeric, Text, and_, or_, text, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.database import quantity
from chassis.problems import Problem
from chassis.states import state_column
from chassis.values import Quantity
from events.catalog import LicenceNeeded
from events.orders import Terms
from services.orders.base import Base, stored
from services.orders.offers.offered import OPEN, NumberInUse, Offered, State
from services.orders.offers.shown import is_shown

NUMBERED_ONCE = "uq_offer_open_number"


class Offer(Offered, Base):
    """Goods for sale, by named pieces or by weight, at terms that have a version.

    ``number`` is the seller's own name for it, ``product_id`` what it is of where it has no pieces; ``audience`` are
    the companies that see and take it, None means all; ``licences`` are what its goods asked for when it was listed.
    """

    __tablename__ = "offer"
    __table_args__ = (
        CheckConstraint("remaining_value >= 0", name="not_oversold"),
        Index(
            NUMBERED_ONCE,
            "seller_id",
            "number",
            unique=True,
            postgresql_where=text("state IN ('listed', 'partly_taken', 'taken')"),
        ),
    )
    constraint_problems: ClassVar[Mapping[str, Callable[[], Problem]]] = {NUMBERED_ONCE: NumberInUse}

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    terms_version: Mapped[int]
    state: Mapped[State] = state_column(State)
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    valid_until: Mapped[datetime]
    market: Mapped[str]
    seller_id: Mapped[str] = mapped_column(index=True)
    warehouse_id: Mapped[str]
    title: Mapped[str]
    terms: Mapped[Terms] = stored(Terms)
    penalty_rate: Mapped[Decimal] = mapped_column(Numeric(18, 6))
    listed: Mapped[Quantity] = quantity("listed")
    remaining: Mapped[Quantity] = quantity("remaining")
    withdrawn: Mapped[Quantity] = quantity("withdrawn")
    minimum: Mapped[Quantity | None] = quantity("minimum", nullable=True)
    step: Mapped[Quantity | None] = quantity("step", nullable=True)
    number: Mapped[str | None]
    product_id: Mapped[str | None]
    audience: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    licences: Mapped[list[LicenceNeeded] | None] = stored(list[LicenceNeeded])

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        """Its seller and the operator see it, and while it is open the others whom it is shown to."""
        if caller.is_operator:
            return true()
        return or_(cls.seller_id == caller.party_id, and_(cls.state.in_(OPEN), is_shown(caller.party_id)))
