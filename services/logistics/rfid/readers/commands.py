"""Registers, changes and retires readers, and puts down what is heard of them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get
from events.logistics import GateJudged, ReaderHeard, TagsRead
from services.logistics.rfid.readers.credentials import hash_password, make_password
from services.logistics.rfid.readers.lamps import Lamp
from services.logistics.rfid.readers.model import (
    MOST_READERS,
    Kind,
    Reader,
    ReaderAddressTaken,
    ReaderInvalid,
    ReaderNameTaken,
    State,
    TooManyReaders,
)
from services.logistics.rfid.readers.trust import make_trust
from services.logistics.warehouses.model import Gate

PORT = 5084
MOST_ANTENNA = 65_535


class Antenna(msgspec.Struct, frozen=True):
    """An antenna by its number at the reader; without ``power_dbm`` it sends as strongly as the reader does by itself."""

    number: int
    label: str
    power_dbm: float | None = None


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says about a reader."""

    name: str
    host: str | None = None
    port: int | None = None
    identity: str | None = None
    certificate: str | None = None
    antennas: tuple[Antenna, ...] = ()
    lamp: Lamp | None = None


class Registered(msgspec.Struct, frozen=True):
    """A reader, and the MQTT password that is shown once."""

    reader: Reader
    password: str | None = None


class Heard(msgspec.Struct, frozen=True):
    """Something was heard of a reader: when, by which boot, and how far its clock was off where that is known."""

    reader_id: str
    at: datetime
    boot: str | None = None
    clock_offset_ms: int | None = None


def register_reader(
    session: Session, caller: Caller, gate_id: str, *, kind: Kind, setting: Setting, networks: str
) -> Registered:
    """A new reader of a gate; ``networks`` is where LLRP readers may be. An MQTT reader gets its password here.

    Raises NotFound, ReaderInvalid, ReaderNameTaken, ReaderAddressTaken or TooManyReaders.
    """
    gate = get(session, Gate, gate_id, caller)
    _check_setting(kind, setting, networks)
    count = session.scalar(select(func.count()).where(Reader.gate_id == gate.id, Reader.state == State.ACTIVE))
    if (count or 0) >= MOST_READERS:
        raise TooManyReaders(f"a gate has {MOST_READERS} readers at most")
    reader = Reader(
        id=clock.new_id("reader"),
        gate_id=gate.id,
        party_id=gate.party_id,
        kind=kind,
        state=State.ACTIVE,
        registered_at=clock.now(),
    )
    _check_is_free(session, reader, setting)
    _set(reader, setting)
    password = make_password() if kind is Kind.MQTT else None
    reader.password_hash = hash_password(password) if password else None
    session.add(reader)
    return Registered(reader, password)


def change_reader(session: Session, caller: Caller, reader_id: str, *, setting: Setting, networks: str) -> Reader:
    """Give a reader another setting; it is connected anew. Raises as ``register_reader`` does."""
    reader = get(session, Reader, reader_id, caller)
    if reader.state is not State.ACTIVE:
        raise ReaderInvalid("a retired reader is not changed")
    _check_setting(reader.kind, setting, networks)
    _check_is_free(session, reader, setting)
    _set(reader, setting)
    return reader


def retire_reader(session: Session, caller: Caller, reader_id: str) -> Reader:
    """Listen to a reader no more; what it says is refused from now on. Raises IllegalMove."""
    reader = get(session, Reader, reader_id, caller)
    reader.retire()
    return reader


def _set(reader: Reader, setting: Setting) -> None:
    reader.name, reader.host, reader.port = setting.name, setting.host, setting.port
    if setting.host is not None and setting.port is None:
        reader.port = PORT
    reader.identity = setting.identity and setting.identity.lower()
    reader.certificate = setting.certificate
    reader.antennas = [msgspec.to_builtins(antenna) for antenna in setting.antennas]
    reader.lamp = None if setting.lamp is None else msgspec.to_builtins(setting.lamp)


def _check_setting(kind: Kind, setting: Setting, networks: str) -> None:
    numbers = [antenna.number for antenna in setting.antennas]
    if len(set(numbers)) < len(numbers):
        raise ReaderInvalid("each antenna has a number of its own", field="antennas")
    if not all(1 <= number <= MOST_ANTENNA for number in numbers):
        raise ReaderInvalid(f"antennas are numbered from 1 to {MOST_ANTENNA}", field="antennas")
    if kind is not Kind.LLRP:
        if setting.host or setting.port or setting.identity or setting.certificate or setting.lamp:
            raise ReaderInvalid("only an LLRP reader has an address, an identity of its own and a lamp", field="kind")
        return
    if not setting.host:
        raise ReaderInvalid("an LLRP reader needs the IP address that it answers at", field="host")
    if not is_in_networks(setting.host, networks):
        raise ReaderInvalid("readers may not be at this address", field="host")
    if setting.certificate:
        make_trust(setting.certificate)
    if setting.lamp is not None:
        setting.lamp.check_is_safe()


def is_in_networks(host: str, networks: str) -> bool:
    """Whether an IP address is in one of some networks, separated by commas."""
    try:
        address = ipaddress.ip_address(host)
        return any(address in ipaddress.ip_network(one.strip()) for one in networks.split(",") if one.strip())
    except ValueError:
        return False


def _check_is_free(session: Session, reader: Reader, setting: Setting) -> None:
    """Two at once are told apart by unique indices; this tells those that come one after the other."""
    active = select(Reader.id).where(Reader.state == State.ACTIVE, Reader.id != reader.id)
    if session.scalar(active.where(Reader.gate_id == reader.gate_id, Reader.name == setting.name)):
        raise ReaderNameTaken(f"the gate has a reader {setting.name!r}")
    at = (Reader.kind == Kind.LLRP, Reader.host == setting.host, Reader.port == (setting.port or PORT))
    if reader.kind is Kind.LLRP and session.scalar(active.where(*at)):
        raise ReaderAddressTaken(f"{setting.host} port {setting.port or PORT} is that of another reader")


_HEAR = text(
    "INSERT INTO reader_pulse (reader_id, last_heard_at, boot, clock_offset_ms) "
    "SELECT heard.* FROM unnest(:ids ::text[], :times ::timestamptz[], :boots ::text[], :offsets ::bigint[]) "
    "AS heard (id, at, boot, clock) JOIN reader ON reader.id = heard.id ORDER BY heard.id "
    "ON CONFLICT (reader_id) DO UPDATE SET last_heard_at = excluded.last_heard_at, "
    "boot = coalesce(excluded.boot, reader_pulse.boot), "
    "clock_offset_ms = coalesce(excluded.clock_offset_ms, reader_pulse.clock_offset_ms) "
    "WHERE reader_pulse.last_heard_at IS NULL OR excluded.last_heard_at > reader_pulse.last_heard_at"
)


def hear_readers(session: Session, heard: Iterable[Heard]) -> None:
    """Put down when readers were last heard: one statement, and of each reader the latest only. Unknown ones are passed over."""
    latest: dict[str, Heard] = {}
    for one in heard:
        known = latest.get(one.reader_id)
        latest[one.reader_id] = one if known is None else _later(known, one)
    if latest:
        session.execute(_HEAR, _columns([latest[id] for id in sorted(latest)]))


def _later(known: Heard, other: Heard) -> Heard:
    """The later of two; what it does not say of boot and clock the other one does."""
    first, last = (known, other) if other.at >= known.at else (other, known)
    offset = first.clock_offset_ms if last.clock_offset_ms is None else last.clock_offset_ms
    return Heard(last.reader_id, last.at, last.boot or first.boot, offset)


def hear_told(session: Session, told: Iterable[TagsRead | ReaderHeard]) -> None:
    """Put down of whom something came in the stream, by what it says of itself."""
    hear_readers(session, [heard for one in told if (heard := _heard_in(one)) is not None])


def _heard_in(told: TagsRead | ReaderHeard) -> Heard | None:
    if told.reader_id is None:
        return None
    if isinstance(told, ReaderHeard):
        return Heard(told.reader_id, told.at)
    offset = next((one.at - one.reader_at for one in reversed(told.reads) if one.reader_at is not None), None)
    clock_offset_ms = None if offset is None else offset // timedelta(milliseconds=1)
    return Heard(told.reader_id, told.received_at, told.boot.partition("/")[2] or None, clock_offset_ms)


def _columns(heard: Sequence[Heard]) -> dict[str, Any]:
    return {
        "ids": [one.reader_id for one in heard],
        "times": [one.at for one in heard],
        "boots": [one.boot for one in heard],
        "offsets": [one.clock_offset_ms for one in heard],
    }


_REJECT = text(
    "INSERT INTO reader_pulse (reader_id, error, error_at, rejected) "
    "SELECT id, :error, :at, :count FROM reader WHERE id = :id "
    "ON CONFLICT (reader_id) DO UPDATE SET error = excluded.error, error_at = excluded.error_at, "
    "rejected = reader_pulse.rejected + excluded.rejected"
)


def note_trouble(session: Session, reader_id: str, error: str, *, rejected: int) -> None:
    """Put down what went wrong with a reader, and how many of its messages were rejected for it. It may be in its own words."""
    said = error[:500].replace("\0", "\N{REPLACEMENT CHARACTER}")
    session.execute(_REJECT, {"id": reader_id, "error": said, "at": clock.now(), "count": rejected})


_JUDGE = text(
    "INSERT INTO gate_verdict (gate_id, passage_id, verdict, at) SELECT :gate_id, :passage_id, :verdict, "
    "least(:at, (SELECT coalesce(p.last_seen, p.changed_until) + g.closing + interval '1 s' "
    "FROM passage p JOIN gate g ON g.id = p.gate_id WHERE p.id = :passage_id)) "
    "ON CONFLICT (gate_id) DO UPDATE SET passage_id = excluded.passage_id, verdict = excluded.verdict, at = excluded.at "
    "WHERE excluded.at >= gate_verdict.at"
)


def keep_verdict(session: Session, caller: Caller, said: GateJudged) -> None:
    """Keep what a gate has said of what passed last, for the lamps of its readers.

    What is said late counts from when it was due, so that a correction lights no lamp for the truck that came after.
    """
    values = {"gate_id": said.gate_id, "passage_id": said.passage_id, "verdict": said.verdict, "at": said.at}
    session.execute(_JUDGE, values)
