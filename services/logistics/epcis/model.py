"""The tables of the EPCIS repository: events as they were captured, and what each was about."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, UniqueConstraint, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from services.logistics.base import Base


class EpcisEvent(Base):
    """A captured EPCIS event. An error declaration repeats the ``event_id`` of the event that it takes back."""

    __tablename__ = "epcis_event"
    __table_args__ = (UniqueConstraint("event_id", "is_error"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str]
    is_error: Mapped[bool]
    owner_id: Mapped[str] = mapped_column(index=True)
    event_time: Mapped[datetime] = mapped_column(index=True)
    record_time: Mapped[datetime]
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else cls.owner_id == caller.party_id


class EpcisThing(Base):
    """What an event names, with the piece and delivery of that time: a tag that moves on takes no past along."""

    __tablename__ = "epcis_thing"
    __table_args__ = (
        Index("ix_epcis_thing_epc", "epc", "event_time"),
        Index("ix_epcis_thing_piece", "piece_id", "event_time"),
    )

    event: Mapped[str] = mapped_column(ForeignKey("epcis_event.id"), primary_key=True)
    epc: Mapped[str] = mapped_column(primary_key=True)
    event_time: Mapped[datetime]
    piece_id: Mapped[str | None]
    delivery_id: Mapped[str | None]
    deal_id: Mapped[str | None]
