"""Begins stock-takes, takes reads in once each, and closes them: what is missing or unexpected becomes a task."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get
from services.logistics.discrepancies import commands as discrepancies
from services.logistics.discrepancies.kinds import Finding
from services.logistics.discrepancies.kinds import Kind as Odd
from services.logistics.manual import capturing, events
from services.logistics.manual.capturing import Named
from services.logistics.manual.events import Method, Step
from services.logistics.manual.items import Item, name_items
from services.logistics.pieces import queries as pieces
from services.logistics.stocktakes import queries
from services.logistics.stocktakes.counting import Line, Standing, count
from services.logistics.stocktakes.model import (
    MOST_READS,
    OPEN_FOR,
    Kind,
    StockTake,
    StockTakeFull,
    StockTakeRead,
)
from services.logistics.zones import commands as zoning
from services.logistics.zones import queries as zones

_WRITE_LINES = text(
    "INSERT INTO stock_take_line (stock_take_id, name, standing, piece_id, epc, zone_id) "
    "SELECT :stock_take_id, line.* FROM unnest("
    ":names ::text[], :standings ::text[], :piece_ids ::text[], :epcs ::text[], :zone_ids ::text[]) AS line"
)
_TAKE_IN = text(
    "INSERT INTO stock_take_read (stock_take_id, handheld, boot, sequence, epc, at, received_at) "
    "SELECT :stock_take_id, :handheld, :boot, read.*, :received_at "
    "FROM unnest(:sequences ::bigint[], :epcs ::text[], :times ::timestamptz[]) AS read ON CONFLICT DO NOTHING"
)


class Sight(msgspec.Struct, frozen=True):
    """One sight of one thing: ``sequence`` counts within a boot of the handheld."""

    sequence: int
    item: Item
    at: datetime


def begin_stock_take(session: Session, caller: Caller, *, zone_id: str | None, kind: Kind) -> StockTake:
    """Begin to go through a zone of the caller's warehouse, or through all of it. Raises NotFound."""
    if zone_id is not None:
        zones.see_zone(session, zone_id, caller)
    now = clock.now()
    take = StockTake(
        id=clock.new_id("stocktake"),
        warehouse_id=caller.party_id,
        zone_id=zone_id,
        kind=kind.value,
        state=StockTake.initial,
        due_at=now + OPEN_FOR,
        started_at=now,
        started_by=caller.user_id,
    )
    session.add(take)
    return take


def take_sights(
    session: Session, caller: Caller, take_id: str, *, handheld: str, boot: str, sights: Sequence[Sight]
) -> int:
    """Keep what a handheld has seen; how many of the sights are new. (Handheld, boot, sequence) names each.

    Raises NotFound, NotThisHandheld, StockTakeOver, StockTakeFull, NotACode or NoSuchNumber.
    """
    take = get(session, StockTake, take_id, caller)
    take.check_takes_reads(caller, handheld)
    have = session.scalar(select(func.count()).where(StockTakeRead.stock_take_id == take.id)) or 0
    if have + len(sights) > MOST_READS:
        raise StockTakeFull(f"it has {have} reads", most=MOST_READS)
    rows = {
        "stock_take_id": take.id,
        "handheld": handheld,
        "boot": boot,
        "received_at": clock.now(),
        "sequences": [sight.sequence for sight in sights],
        "epcs": name_items(session, caller, [sight.item for sight in sights]),
        "times": [sight.at for sight in sights],
    }
    return session.execute(_TAKE_IN, rows).rowcount


def close_stock_take(session: Session, caller: Caller, take_id: str) -> StockTake:
    """Hold what was read against what should be there; an EPCIS event says what was, tasks what does not fit.

    What was missing before and is there is found; the zones of things follow. Raises NotFound or IllegalMove.
    """
    take = get(session, StockTake, take_id, caller)
    now = clock.now()
    take.close(caller, now, None)
    seen = queries.find_seen(session, take)
    kept = queries.find_kept(session, take.warehouse_id)
    lines = count(seen, kept, zones.zones_of_pieces(session, take.warehouse_id), zone_id=take.zone_id)
    _write_lines(session, take, lines)
    take.epcis_event_id = _capture(session, take, lines, now)
    _put_down(session, take, lines, now)
    if take.zone_id is not None:
        _place(session, caller, take, lines, now)
    session.flush()
    return take


def abandon_stock_take(session: Session, caller: Caller, take_id: str) -> None:
    """Nobody has closed it in time: what was read says nothing of what is missing."""
    take = get(session, StockTake, take_id, caller)
    if take.due_at is not None and take.due_at <= clock.now():
        take.abandon(clock.now())


def _write_lines(session: Session, take: StockTake, lines: Collection[Line]) -> None:
    columns = {
        "names": [line.name for line in lines],
        "standings": [line.standing.value for line in lines],
        "piece_ids": [line.piece_id for line in lines],
        "epcs": [line.epc for line in lines],
        "zone_ids": [line.zone_id for line in lines],
    }
    session.execute(_WRITE_LINES, {"stock_take_id": take.id, **columns})


def _capture(session: Session, take: StockTake, lines: Collection[Line], at: datetime) -> str | None:
    """One ObjectEvent of what was there; None when nothing was whose name anybody could say."""
    there = [Named(line.epc, line.piece_id) for line in lines if line.epc is not None and ":" in line.epc]
    if not there:
        return None
    place = queries.name_place(take)
    event = events.write_manual(
        Step(take.kind),
        at=at,
        epcs=[one.epc for one in there],
        method=Method.HANDHELD,
        read_point=place,
        biz_location=place,
        transactions=[("", f"urn:haihe:stock-take:{take.id}")],
    )
    return capturing.capture(session, event, owner_id=take.warehouse_id, named=there)


def _put_down(session: Session, take: StockTake, lines: Collection[Line], at: datetime) -> None:
    odd = {Standing.MISSING: Odd.MISSING, Standing.UNEXPECTED: Odd.UNEXPECTED}
    findings = [
        Finding(odd[line.standing], piece_id=line.piece_id, epc=line.epc) for line in lines if line.standing in odd
    ]
    found = [line.piece_id for line in lines if line.standing == Standing.FOUND and line.piece_id]
    event_id = take.epcis_event_id
    discrepancies.close_found(session, warehouse_id=take.warehouse_id, piece_ids=found, at=at, epcis_event_id=event_id)
    discrepancies.put_down(
        session,
        findings,
        passage_id=None,
        warehouse_id=take.warehouse_id,
        at=at,
        zone_id=take.zone_id,
        stock_take_id=take.id,
        epcis_event_id=event_id,
    )


def _place(session: Session, caller: Caller, take: StockTake, lines: Collection[Line], at: datetime) -> None:
    zone = zones.see_zone(session, take.zone_id or "", caller)
    found = {line.piece_id: line.name for line in lines if line.standing == Standing.FOUND and line.piece_id}
    tags = pieces.tags_of_pieces(session, found)
    worn = {tags[piece_id] or f"urn:haihe:piece:{piece_id}": piece_id for piece_id in found}
    missing = [line.piece_id for line in lines if line.standing == Standing.MISSING and line.piece_id]
    zoning.put_in_zone(session, zone, worn, missing=missing, at=at)
