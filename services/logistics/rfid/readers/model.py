"""A reader of a gate, the facts that are known of it, who listens to it, and the last word of its gate for the lamp."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import BigInteger, ColumnElement, Index, Integer, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from chassis.problems import Conflict, Forbidden, Invalid, Problem
from chassis.states import Move, Stateful, state_column
from services.logistics.base import Base

SILENT = timedelta(seconds=10)
"""A reader that has said nothing for so long counts as silent (RFID.md 4.4)."""
MOST_READERS = 100
"""Of one gate."""


class NotThisReader(Forbidden):
    """Only the key of the reader itself may speak for it, and only at its gate."""


class ReaderNameTaken(Conflict):
    """The gate has a reader of that name."""


class ReaderAddressTaken(Conflict):
    """Another reader is registered at that address."""


class TooManyReaders(Conflict):
    """The gate has as many readers as it may have."""


class ReaderInvalid(Invalid):
    """The setting of the reader does not fit its kind."""


class Kind(StrEnum):
    """How reads come: the platform asks the reader (llrp), or a gateway hands them in (http, mqtt)."""

    LLRP = "llrp"
    HTTP = "http"
    MQTT = "mqtt"


class State(StrEnum):
    """Whether the reader is listened to."""

    ACTIVE = "active"
    RETIRED = "retired"


class Connection(StrEnum):
    """Whether a reader is heard of: lately, once, or never yet."""

    CONNECTED = "connected"
    SILENT = "silent"
    UNKNOWN = "unknown"


class Reader(Stateful, Base):
    """A reader of a gate. ``host`` and ``port`` are those of an LLRP reader, ``identity`` the id that it says it has.
    With a ``certificate`` the connection is TLS, and only a reader that shows it, or one that it signed, is read.

    ``antennas`` is a list of objects with number, label and power_dbm, ``lamp`` says which outputs mean what.
    ``password_hash`` is a line of Mosquitto's password file without the name.
    """

    __tablename__ = "reader"
    __table_args__ = (
        Index("uq_reader_name", "gate_id", "name", unique=True, postgresql_where="state = 'active'"),
        Index("uq_reader_address", "host", "port", unique=True, postgresql_where="state = 'active' AND kind = 'llrp'"),
    )
    constraint_problems: ClassVar[Mapping[str, Callable[[], Problem]]] = {
        "uq_reader_name": ReaderNameTaken,
        "uq_reader_address": ReaderAddressTaken,
    }
    moves: ClassVar[dict[str, Move]] = {"retire": Move(State.ACTIVE, to=State.RETIRED)}
    initial: ClassVar[StrEnum] = State.ACTIVE
    final: ClassVar[frozenset[StrEnum]] = frozenset({State.RETIRED})

    id: Mapped[str] = mapped_column(primary_key=True)
    gate_id: Mapped[str] = mapped_column(index=True)
    party_id: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    kind: Mapped[Kind] = state_column(Kind)
    host: Mapped[str | None]
    port: Mapped[int | None] = mapped_column(Integer)
    identity: Mapped[str | None]
    certificate: Mapped[str | None]
    antennas: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    lamp: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    password_hash: Mapped[str | None]
    state: Mapped[State] = state_column(State)
    registered_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else cls.party_id == caller.party_id

    def retire(self) -> None:
        """Listen to it no more. Raises IllegalMove."""
        self.move("retire")

    def check_speaks(self, caller: Caller, *, gate_id: str, kind: Kind) -> None:
        """Raises NotThisReader unless the caller is the machine whose key was made for this reader, at its own gate."""
        if (
            caller.device != self.id
            or self.gate_id != gate_id
            or self.state is not State.ACTIVE
            or self.kind is not kind
        ):
            raise NotThisReader("an API key made for this reader of this gate is needed", device=caller.device)


class ReaderPulse(Base):
    """What was last heard of a reader: when, by which boot, how far its clock is off, and what went wrong last."""

    __tablename__ = "reader_pulse"

    reader_id: Mapped[str] = mapped_column(primary_key=True)
    last_heard_at: Mapped[datetime | None]
    boot: Mapped[str | None]
    clock_offset_ms: Mapped[int | None] = mapped_column(BigInteger)
    error: Mapped[str | None]
    error_at: Mapped[datetime | None]
    rejected: Mapped[int] = mapped_column(BigInteger, server_default="0")


class ReaderLease(Base):
    """Which worker listens to a reader (or to MQTT) until when, whether it is ready, and what its lamp shows."""

    __tablename__ = "reader_lease"

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    until: Mapped[datetime]
    is_ready: Mapped[bool] = mapped_column(server_default="false")
    shown: Mapped[str | None]


class GateVerdict(Base):
    """The last that a gate has said of a passage, and when that was; the lamps of its readers show it for a while."""

    __tablename__ = "gate_verdict"

    gate_id: Mapped[str] = mapped_column(primary_key=True)
    passage_id: Mapped[str]
    verdict: Mapped[str]
    at: Mapped[datetime]


def connection_of(last_heard_at: datetime | None, now: datetime) -> Connection:
    """Whether a reader is heard of."""
    if last_heard_at is None:
        return Connection.UNKNOWN
    return Connection.CONNECTED if now - last_heard_at <= SILENT else Connection.SILENT
