"""Shows stock-takes, and finds what was read in one and what should be in its warehouse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, read_cursor, see, write_cursor
from services.logistics.epcis import lookups
from services.logistics.manual import capturing
from services.logistics.manual.events import name_warehouse, name_zone
from services.logistics.manual.items import PIECE
from services.logistics.pieces import queries as pieces
from services.logistics.rfid.epc import decode_epc
from services.logistics.shipments import queries as shipments
from services.logistics.stocktakes.counting import LastSeen, Standing, is_kept
from services.logistics.stocktakes.model import State, StockTake, StockTakeLine, StockTakeRead


class Details(msgspec.Struct, frozen=True):
    """A stock-take with how many things were read, and how many stand how once it is closed."""

    take: StockTake
    reads: int
    things: int
    standings: dict[str, int]


def see_stock_take(session: Session, take_id: str, caller: Caller) -> Details:
    """A stock-take of the caller's warehouse. Raises NotFound."""
    return add_details(session, [see(session, StockTake, take_id, caller)])[0]


def list_stock_takes(
    session: Session, caller: Caller, *, zone_id: str | None, state: State | None, cursor: str | None, limit: int
) -> Page[Details]:
    """The stock-takes of the caller's warehouse, newest first."""
    where = []
    if zone_id is not None:
        where.append(StockTake.zone_id == zone_id)
    if state is not None:
        where.append(StockTake.state == state)
    found = page(session, StockTake, caller, cursor, limit, *where)
    return Page(add_details(session, found.items), found.next)


def add_details(session: Session, takes: Collection[StockTake]) -> list[Details]:
    """Stock-takes with their counts, in one statement for each kind."""
    ids = [take.id for take in takes]
    read = StockTakeRead
    counted = select(read.stock_take_id, func.count(), func.count(read.epc.distinct())).where(
        read.stock_take_id.in_(ids)
    )
    reads = {id: (count, things) for id, count, things in session.execute(counted.group_by(read.stock_take_id))}
    line = StockTakeLine
    stood = select(line.stock_take_id, line.standing, func.count()).where(line.stock_take_id.in_(ids))
    standings: dict[str, Counter[str]] = {id: Counter(dict.fromkeys(map(str, Standing), 0)) for id in ids}
    for id, standing, count in session.execute(stood.group_by(line.stock_take_id, line.standing)):
        standings[id][standing] = count
    return [Details(take, *reads.get(take.id, (0, 0)), dict(standings[take.id])) for take in takes]


def list_lines(
    session: Session, caller: Caller, take_id: str, *, standing: Standing | None, cursor: str | None, limit: int
) -> Page[StockTakeLine]:
    """What came of a stock-take, by name. Raises NotFound."""
    take = see(session, StockTake, take_id, caller)
    query = select(StockTakeLine).where(StockTakeLine.stock_take_id == take.id)
    if standing is not None:
        query = query.where(StockTakeLine.standing == standing.value)
    if cursor is not None:
        query = query.where(StockTakeLine.name > read_cursor(cursor))
    rows = list(session.scalars(query.order_by(StockTakeLine.name).limit(limit + 1)))
    return Page(rows[:limit], write_cursor(rows[limit - 1].name) if len(rows) > limit else None)


def find_seen(session: Session, take: StockTake) -> dict[str, str | None]:
    """The things that were read: each by its canonical URI (or its hex digits, which then say nothing), with its piece."""
    read = select(StockTakeRead.epc).where(StockTakeRead.stock_take_id == take.id).distinct()
    names = sorted(session.scalars(read))
    tags = [name for name in names if ":" not in name]
    by_tag = pieces.pieces_by_tag(session, tags, expected=frozenset())
    seen = {_name_tag(tag): by_tag.get(tag) for tag in tags}
    worn = {_name_tag(tag): id for id, tag in pieces.pieces_kept(session, take.warehouse_id).items() if tag}
    told = pieces.find_tags(session, [name.removeprefix(PIECE) for name in names if name.startswith(PIECE)])
    seen |= {capturing.name_piece(id, tag): id for id, tag in told.items()}
    links = [name for name in names if ":" in name and name.removeprefix(PIECE) not in told]
    return {name: worn.get(name) for name in links} | seen


def find_kept(session: Session, warehouse_id: str) -> set[str]:
    """The pieces that should be in a warehouse: the catalog says so, and neither deliveries nor EPCIS that they have left."""
    kept = pieces.pieces_kept(session, warehouse_id)
    gone = shipments.pieces_gone(session, warehouse_id)
    last = lookups.last_of_pieces(session, kept, owner_id=warehouse_id)
    return {id for id in kept if is_kept(LastSeen(*last[id]) if id in last else None, gone.get(id))}


def name_place(take: StockTake) -> str:
    """Where a stock-take is made, as EPCIS names it."""
    return name_zone(take.zone_id) if take.zone_id else name_warehouse(take.warehouse_id)


def _name_tag(tag: str) -> str:
    identity = decode_epc(tag)
    return identity.link if identity else tag
