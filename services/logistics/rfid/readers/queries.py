"""Shows readers with what is heard of them, and says who may speak for one."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import Page, page, see
from chassis.problems import NotFound
from services.logistics.rfid.llrp.offsets import MOST_SKEW_US
from services.logistics.rfid.readers.leases import MQTT
from services.logistics.rfid.readers.model import (
    Connection,
    Kind,
    NotThisReader,
    Reader,
    ReaderLease,
    ReaderPulse,
    State,
    connection_of,
)
from services.logistics.warehouses import queries as gates

WORTH_A_WORD_MS = 2_000


class Details(msgspec.Struct, frozen=True):
    """A reader, what was heard of it, and who listens."""

    reader: Reader
    pulse: ReaderPulse | None
    lease: ReaderLease | None

    def connection(self, now: datetime) -> Connection:
        """Whether it is heard of."""
        return connection_of(self.pulse and self.pulse.last_heard_at, now)


class Check(msgspec.Struct, frozen=True):
    """One thing that was looked at: whether it is well, and a sentence for people."""

    name: str
    is_well: bool
    text: str


def list_readers(session: Session, caller: Caller, gate_id: str, cursor: str | None, limit: int) -> Page[Details]:
    """The readers of a gate, newest first, retired ones among them. Raises NotFound."""
    gate = gates.see_gate(session, gate_id, caller)
    found = page(session, Reader, caller, cursor, limit, Reader.gate_id == gate.id)
    return Page(add_details(session, found.items), found.next)


def see_reader(session: Session, caller: Caller, gate_id: str, reader_id: str) -> Details:
    """One reader of a gate. Raises NotFound."""
    reader = see(session, Reader, reader_id, caller)
    if reader.gate_id != gate_id:
        raise NotFound(f"no reader {reader_id!r} at this gate")
    return add_details(session, [reader])[0]


def add_details(session: Session, readers: list[Reader]) -> list[Details]:
    """Readers with what is known of each."""
    ids = [reader.id for reader in readers]
    pulses = {one.reader_id: one for one in session.scalars(select(ReaderPulse).where(ReaderPulse.reader_id.in_(ids)))}
    leases = {one.name: one for one in session.scalars(select(ReaderLease).where(ReaderLease.name.in_(ids)))}
    return [Details(reader, pulses.get(reader.id), leases.get(reader.id)) for reader in readers]


def see_speaker(session: Session, caller: Caller, gate_id: str, reader_id: str | None) -> Reader | None:
    """The HTTP reader that the caller is; None for the gate's own key, which speaks for no reader that is registered.

    Raises NotFound for a gate that the caller does not see, NotThisGate and NotThisReader for a key that is another's.
    """
    gate = gates.see_gate(session, gate_id, caller)
    if reader_id is None and caller.device in (None, gate.id):
        gate.check_is_device(caller)
        return None
    try:
        reader = see(session, Reader, reader_id or caller.device or "", caller)
    except NotFound:
        if reader_id is None:
            gate.check_is_device(caller)
        raise NotThisReader("no such reader is at this gate", device=caller.device) from None
    reader.check_speaks(caller, gate_id=gate_id, kind=Kind.HTTP)
    return reader


def last_offset(session: Session, reader_id: str) -> timedelta | None:
    """What was last added to a reader's clock, as far as that was put down."""
    offset_ms = session.scalar(select(ReaderPulse.clock_offset_ms).where(ReaderPulse.reader_id == reader_id))
    return None if offset_ms is None else timedelta(milliseconds=offset_ms)


def find_publisher(session: Session, gate_id: str, reader_id: str) -> Reader | None:
    """The MQTT reader that may publish under a topic, None when there is none: then what came is not taken."""
    found = session.get(Reader, reader_id)
    fits = found is not None and found.gate_id == gate_id and found.kind is Kind.MQTT and found.state is State.ACTIVE
    return found if fits else None


def check_reader(session: Session, caller: Caller, gate_id: str, reader_id: str) -> tuple[Details, list[Check]]:
    """How a reader stands, looked at one thing after the other: who listens, whether it is heard, its clock, its lamp."""
    details, now = see_reader(session, caller, gate_id, reader_id), clock.now()
    reader, checks = details.reader, []
    if reader.state is not State.ACTIVE:
        checks.append(Check("state", False, "The reader is retired: nothing of it is taken."))
    lease = details.lease if reader.kind is Kind.LLRP else session.get(ReaderLease, MQTT)
    if reader.kind is not Kind.HTTP:
        checks.append(_check_listener(reader.kind, lease, now))
    if reader.kind is Kind.LLRP:
        checks.append(_check_link(details))
    checks.append(_check_pulse(details, now))
    checks.append(_check_clock(details.pulse))
    if reader.lamp is not None:
        shown = lease.shown if lease is not None else None
        checks.append(Check("lamp", shown is not None, f"The lamp shows {shown or 'what nobody knows'}."))
    return details, checks


def _check_listener(kind: Kind, lease: ReaderLease | None, now: datetime) -> Check:
    if lease is not None and lease.until > now:
        return Check("listener", True, "A worker listens.")
    return Check("listener", False, f"No worker listens to {kind} readers: look at the workers of logistics.")


def _check_link(details: Details) -> Check:
    if details.lease is not None and details.lease.is_ready:
        return Check("link", True, "The reader is connected and set up.")
    error = details.pulse.error if details.pulse is not None and details.pulse.error else "no connection yet"
    return Check("link", False, f"The reader is not connected: {error}")


def _check_pulse(details: Details, now: datetime) -> Check:
    connection = details.connection(now)
    if details.pulse is None or details.pulse.last_heard_at is None:
        return Check("heard", False, "Nothing was ever heard of it.")
    ago = (now - details.pulse.last_heard_at) // timedelta(seconds=1)
    return Check("heard", connection is Connection.CONNECTED, f"It was last heard {ago} s ago.")


def _check_clock(pulse: ReaderPulse | None) -> Check:
    offset = pulse.clock_offset_ms if pulse is not None else None
    if offset is None:
        return Check(
            "clock", True, "Its clock has not been compared; the platform's is used, or the reader's believed."
        )
    if abs(offset) > MOST_SKEW_US // 1_000:
        return Check("clock", False, f"Its clock is {offset} ms off: reads are kept and make no event. Set its clock.")
    word = " That is corrected, but a time server would be better." if abs(offset) > WORTH_A_WORD_MS else ""
    return Check("clock", True, f"Its clock is {offset} ms off.{word}")


def list_active(session: Session, gate_id: str | None, *, limit: int) -> list[Details]:
    """The readers that are listened to, of one gate or of all, in the order of gates and names: for an operator."""
    wanted = select(Reader).where(Reader.state == State.ACTIVE).order_by(Reader.gate_id, Reader.name).limit(limit)
    found = session.scalars(wanted if gate_id is None else wanted.where(Reader.gate_id == gate_id)).all()
    return add_details(session, list(found))


def list_passwords(session: Session) -> dict[str, str]:
    """The MQTT users of all readers that are listened to, with what Mosquitto keeps of their passwords."""
    wanted = select(Reader.id, Reader.password_hash).where(Reader.state == State.ACTIVE, Reader.kind == Kind.MQTT)
    return {id: told for id, told in session.execute(wanted) if told is not None}
