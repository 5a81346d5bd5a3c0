"""Registers zones, and follows the tags in them: by the reads of a gate, by what a handheld found, and by time passing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get
from services.logistics.base import among
from services.logistics.epcis import lookups
from services.logistics.pieces import queries as pieces
from services.logistics.rfid import queries as rfid
from services.logistics.rfid.epc import decode_epc
from services.logistics.rfid.stages.reads import Read
from services.logistics.warehouses import queries as gates
from services.logistics.zones import queries, telling
from services.logistics.zones.model import Antenna, AntennasOfGate, AntennaTaken, State, Stay, Zone
from services.logistics.zones.presence import Area, Change, Known, Step, follow, to_us

MICROSECOND = timedelta(microseconds=1)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_PUT_IN = text(
    "INSERT INTO stay (id, zone_id, warehouse_id, epc, link, piece_id, state, entered_at, last_seen) "
    "SELECT stay.id, :zone_id, :warehouse_id, stay.epc, stay.link, stay.piece_id, :state, :entered_at, :entered_at "
    "FROM unnest(:ids ::text[], :epcs ::text[], :links ::text[], :piece_ids ::text[]) AS stay (id, epc, link, piece_id) "
    "ON CONFLICT DO NOTHING RETURNING id"
)


def register_zone(
    session: Session,
    caller: Caller,
    *,
    name: str,
    gate_id: str | None,
    antennas: Collection[Antenna],
    lost_after: timedelta,
) -> Zone:
    """A new zone of the caller's warehouse. Raises AntennasOfGate, NotFound, AntennaTaken (``antennas``) or ZoneTwice."""
    if gate_id is not None:
        gates.see_gate(session, gate_id, caller)
    zone = Zone(id=clock.new_id("zone"), party_id=caller.party_id, gate_id=gate_id, created_at=clock.now())
    _check_antennas(session, zone, antennas)
    zone.set(name, antennas, lost_after)
    session.add(zone)
    return zone


def change_zone(
    session: Session, caller: Caller, zone_id: str, *, name: str, antennas: Collection[Antenna], lost_after: timedelta
) -> Zone:
    """Another name, other antennas of the same gate, another time. Raises as ``register_zone`` does."""
    zone = get(session, Zone, zone_id, caller)
    _check_antennas(session, zone, antennas)
    zone.set(name, antennas, lost_after)
    return zone


def _check_antennas(session: Session, zone: Zone, antennas: Collection[Antenna]) -> None:
    if (zone.gate_id is None) != (not antennas):
        raise AntennasOfGate("name a gate and its antennas, or neither", field="$.antennas")
    others = [one for one in queries.zones_of_gate(session, zone.gate_id) if one.id != zone.id] if zone.gate_id else []
    heard = {antenna for one in others for antenna in one.heard_by}
    if taken := sorted(heard & set(antennas)):
        raise AntennaTaken("another zone is heard by it", antennas=[list(one) for one in taken])


def follow_zones(session: Session, caller: Caller, gate_id: str, reads: Sequence[Read], until_us: int) -> None:
    """Follow the tags in the zones that a gate's antennas hear, by reads up to a time; late and repeated ones change nothing.

    What enters and leaves is told as observations. A tag that is in a zone elsewhere in the warehouse leaves that.
    """
    found = {zone.id: zone for zone in queries.zones_of_gate(session, gate_id)}
    area = Area(
        {antenna: zone.id for zone in found.values() for antenna in zone.heard_by},
        {zone.id: zone.lost_after // MICROSECOND for zone in found.values()},
    )
    heard = {read.epc for read in reads if (read.reader_id, read.antenna) in area.zones and read.at_us <= until_us}
    if not heard:
        return
    (warehouse_id,) = {zone.party_id for zone in found.values()}
    stays = {stay.epc: stay for stay in _lock_present(session, warehouse_id, heard)}
    known = {epc: _known(stay) for epc, stay in stays.items() if stay.zone_id in found}
    by_tag = pieces.pieces_by_tag(session, heard, expected=frozenset())
    for epc, steps in sorted(follow([read for read in reads if read.epc in heard], area, known).items()):
        stay = stays.get(epc)
        for step in steps:
            stay = _take_step(session, found[step.zone_id], stay, epc, by_tag.get(epc), step)


def put_in_zone(
    session: Session, zone: Zone, tags: Mapping[str, str | None], *, missing: Collection[str], at: datetime
) -> None:
    """Somebody has looked through a zone: these tags (with their pieces) are in it, and the missing pieces are not.

    A tag that readers hear there already stays as it is.
    """
    for stay in _lock_present(session, zone.party_id, tags):
        if stay.zone_id != zone.id:
            _leave(session, stay, at)
    session.flush()
    present = {stay.epc for stay in _lock_present(session, zone.party_id, tags)}
    fresh = sorted((epc, piece_id) for epc, piece_id in tags.items() if epc not in present)
    _put_in(session, [_stay(zone, epc, piece_id, at, last_seen=at, gate_id=None) for epc, piece_id in fresh])
    gone = _present().where(Stay.zone_id == zone.id, among(Stay.piece_id, missing), Stay.due_at.is_(None))
    for stay in session.scalars(gone.with_for_update().execution_options(populate_existing=True)):
        _leave(session, stay, at)


def leave_by_events(session: Session, ids: Collection[str]) -> None:
    """The EPCIS events of some rows took pieces out of the warehouse that captured them: they are in no zone of it any more."""
    left = {(warehouse_id, piece_id): at for warehouse_id, at, piece_id in lookups.pieces_departed(session, ids)}
    if not left:
        return
    here = _present().where(among(Stay.piece_id, [piece_id for _, piece_id in left]))
    for stay in session.scalars(here.with_for_update().execution_options(populate_existing=True)):
        at = left.get((stay.warehouse_id, stay.piece_id or ""))
        if at is not None and stay.last_seen <= at:
            _leave(session, stay, at)


def end_stay(session: Session, caller: Caller, stay_id: str) -> None:
    """A tag was not read for as long as its zone says: it has left. Reads that wait to be worked off are looked at before."""
    stay, now = get(session, Stay, stay_id, caller), clock.now()
    if stay.due_at is None or stay.due_at > now:
        return
    if stay.gate_id is not None:
        waiting = rfid.reads_waiting(session, stay.gate_id, stay.epc)
        follow_zones(session, caller, stay.gate_id, waiting, to_us(now))
    if stay.state == State.PRESENT and stay.due_at is not None and stay.due_at <= now:
        _leave(session, stay, stay.due_at)


def _take_step(
    session: Session, zone: Zone, stay: Stay | None, epc: str, piece_id: str | None, step: Step
) -> Stay | None:
    at, last_seen = BEGINNING + step.at_us * MICROSECOND, BEGINNING + step.last_us * MICROSECOND
    if step.change is Change.LEAVE:
        return _leave(session, stay, at)
    due_at = max(last_seen + zone.lost_after, clock.now())
    if step.change is Change.KEEP:
        if stay is not None:
            stay.keep(last_seen, step.rssi_dbm, due_at)
        return stay
    _leave(session, stay, at)
    session.flush()
    row = _stay(zone, epc, piece_id, at, last_seen=last_seen, gate_id=zone.gate_id)
    entered = _enter(session, [row | {"rssi_dbm": step.rssi_dbm, "due_at": due_at}])
    return entered[0] if entered else None


def _stay(
    zone: Zone, epc: str, piece_id: str | None, at: datetime, *, last_seen: datetime, gate_id: str | None
) -> dict[str, Any]:
    identity = decode_epc(epc)
    return {
        "id": clock.new_id("stay"),
        "zone_id": zone.id,
        "warehouse_id": zone.party_id,
        "gate_id": gate_id,
        "epc": epc,
        "link": identity.link if identity else None,
        "piece_id": piece_id,
        "rssi_dbm": None,
        "state": Stay.initial,
        "entered_at": at,
        "last_seen": last_seen,
        "due_at": None,
    }


def _enter(session: Session, rows: list[dict[str, Any]]) -> list[Stay]:
    """Tags are in a zone; those are left out of which another gate has said so of another zone at the same moment."""
    if not rows:
        return []
    stays = list(session.scalars(insert(Stay).on_conflict_do_nothing().returning(Stay), rows))
    telling.tell_entered(session, stays)
    return stays


def _put_in(session: Session, rows: list[dict[str, Any]]) -> None:
    """As ``_enter``, for thousands at once: by one statement, and without an object for each."""
    if not rows:
        return
    same = {name: rows[0][name] for name in ("zone_id", "warehouse_id", "state", "entered_at")}
    columns = {f"{name}s": [row[name] for row in rows] for name in ("id", "epc", "link", "piece_id")}
    kept = set(session.scalars(_PUT_IN, {**same, **columns}))
    telling.tell_entered(session, [Stay(**row) for row in rows if row["id"] in kept])


def _leave(session: Session, stay: Stay | None, at: datetime) -> None:
    if stay is not None and stay.can("leave"):
        stay.leave(at)
        telling.tell_left(session, stay)


def _known(stay: Stay) -> Known:
    rssi_dbm = -90.0 if stay.rssi_dbm is None else stay.rssi_dbm
    return Known(stay.zone_id, to_us(stay.entered_at), to_us(stay.last_seen), rssi_dbm)


def _present():
    return select(Stay).where(Stay.state == State.PRESENT).order_by(Stay.id)


def _lock_present(session: Session, warehouse_id: str, epcs: Collection[str]) -> list[Stay]:
    found = _present().where(Stay.warehouse_id == warehouse_id, among(Stay.epc, epcs))
    return list(session.scalars(found.with_for_update().execution_options(populate_existing=True)))
