"""A gate of a warehouse, with the rules by which its reads become passages."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Interval, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.problems import Forbidden
from services.logistics.base import Base


class NotThisGate(Forbidden):
    """Only the key of the gate itself may post its reads."""


class Gate(Base):
    """A gate: goods that pass it leave the warehouse.

    A passage ends after ``closing`` without a read, and after ``longest`` at the latest. A tag read fewer than
    ``ghost_reads`` times and never stronger than ``ghost_rssi_dbm`` is a ghost. A reader's clock is believed up to
    ``clock_skew`` (RFID.md 4.1 and 4.3 give the defaults).
    """

    __tablename__ = "gate"

    id: Mapped[str] = mapped_column(primary_key=True)
    party_id: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    place: Mapped[str]
    closing: Mapped[timedelta] = mapped_column(Interval)
    longest: Mapped[timedelta] = mapped_column(Interval)
    ghost_reads: Mapped[int]
    ghost_rssi_dbm: Mapped[int]
    clock_skew: Mapped[timedelta] = mapped_column(Interval)
    created_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else cls.party_id == caller.party_id

    def check_is_device(self, caller: Caller) -> None:
        """Raises NotThisGate unless the caller is the machine whose key was made for this gate."""
        if caller.device != self.id:
            raise NotThisGate("an API key made for this gate is needed", device=caller.device)
