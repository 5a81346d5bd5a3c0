"""What was answered to orders: the deliveries of a deal that were closed, and the parts of it that were given back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ARRAY, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from chassis import database
from chassis.problems import Conflict
from chassis.values import Quantity
from services.logistics.base import Base


class PartWithdrawn(Conflict):
    """Both sides have agreed to cancel this part of the deal: it is not carried any more."""


class Closing(Base):
    """That orders has called the deliveries of a deal: since then no truck is set up for it. Its deal's lock is its lock.

    What the buyer had a pick-up note for, long enough, and did not fetch is kept, so that asked again the answer is the same.
    """

    __tablename__ = "closing"

    deal_id: Mapped[str] = mapped_column(primary_key=True)
    closed_at: Mapped[datetime]
    unfetched_piece_ids: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    unfetched: Mapped[Quantity | None] = database.quantity("unfetched", nullable=True)


class Recall(Base):
    """A part of a deal that orders recalled, and the answer: when it ``is_free``, nobody may carry it any more.

    Of a deal over a weight it counts until a description of the deal leaves it out, which is the first one later than
    ``ended_version``. Its deal's lock is its lock.
    """

    __tablename__ = "recall"

    id: Mapped[str] = mapped_column(primary_key=True)
    deal_id: Mapped[str] = mapped_column(index=True)
    piece_ids: Mapped[list[str]] = mapped_column(ARRAY(Text))
    quantity: Mapped[Quantity] = database.quantity("quantity")
    is_free: Mapped[bool]
    answered_at: Mapped[datetime]
    ended_version: Mapped[int | None] = mapped_column(Integer)
