"""A gate of a warehouse, and the versions of the rules by which its reads become passages."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Interval, select, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.problems import Forbidden, Invalid
from services.logistics.base import Base
from services.logistics.warehouses.rules import GateRules


class NotThisGate(Forbidden):
    """Only the key of the gate itself may post its reads."""


class NoSuchNeighbour(Invalid):
    """The neighbours of a gate are other gates of the same company."""


class Gate(Base):
    """A gate: goods that pass it leave the warehouse or come in.

    What its columns say of rules is what those in force say (``warehouses.rules``): a passage ends after ``closing`` without
    a read, and after ``longest`` at the latest; a reader's clock is believed up to ``clock_skew``.
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

    def follow(self, rules: GateRules) -> None:
        """Say what the rules say that are in force from now on."""
        self.closing, self.longest = timedelta(milliseconds=rules.closing_ms), timedelta(seconds=rules.longest_s)
        self.ghost_reads, self.ghost_rssi_dbm = rules.ghost_reads, rules.ghost_rssi_dbm
        self.clock_skew = timedelta(seconds=rules.clock_skew_s)

    def check_is_device(self, caller: Caller) -> None:
        """Raises NotThisGate unless the caller is the machine whose key was made for this gate."""
        if caller.device != self.id:
            raise NotThisGate("an API key made for this gate is needed", device=caller.device)


class GateRulesVersion(Base):
    """The rules of a gate from ``made_at`` until the next version; what passed before stays judged by those of its time."""

    __tablename__ = "gate_rules"

    gate_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    rules: Mapped[dict[str, Any]] = mapped_column(JSONB)
    made_at: Mapped[datetime]
    made_by: Mapped[str | None]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return (
            true() if caller.is_operator else cls.gate_id.in_(select(Gate.id).where(Gate.party_id == caller.party_id))
        )

    def read(self) -> GateRules:
        """The rules as a struct."""
        return msgspec.convert(self.rules, GateRules, strict=False)
