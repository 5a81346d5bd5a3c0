"""Takes reads in, once each, and closes passages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import case, delete, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get
from events.logistics import TagsRead
from services.logistics.epcis import commands as epcis
from services.logistics.pieces import queries as pieces
from services.logistics.rfid.crossings import Crossing, Presence, Read, find_crossings
from services.logistics.rfid.epc import decode_epc
from services.logistics.rfid.model import Passage, PassageDelivery, Sighting, TagRead
from services.logistics.shipments import commands as shipments
from services.logistics.shipments import queries as waiting
from services.logistics.shipments.matching import Carried
from services.logistics.warehouses import queries as gates
from services.logistics.warehouses.model import Gate

READS_KEPT = timedelta(days=30)
PURGE_BATCH = 5_000
MOST_READS = 50_000
"""A passage is worked off at once when it has so many: more than a fast reader sees in forty seconds."""
ANY_CLOCK = timedelta(days=3_650)
"""A reader's time further off than this is no time, and could not be kept."""

_TAKE_IN = text(
    "INSERT INTO tag_read (gate_id, boot, sequence, epc, antenna, rssi_dbm, at, received_at) "
    "SELECT :gate_id, :boot, read.*, :received_at "
    "FROM unnest(:sequences ::bigint[], :epcs ::text[], :antennas ::int[], :rssi_dbm ::float8[], "
    ":times ::timestamptz[]) AS read "
    "ON CONFLICT DO NOTHING"
)


def take_reads(session: Session, caller: Caller, batches: Iterable[TagsRead]) -> None:
    """Keep reads that have not come before, and keep a passage of their gate open for as long as they come.

    Gates are taken in the order of their ids. Raises NotFound for a gate that does not exist.
    """
    by_gate: dict[str, list[TagsRead]] = {}
    for batch in batches:
        by_gate.setdefault(batch.gate_id, []).append(batch)
    for gate_id in sorted(by_gate):
        gate = gates.see_gate(session, gate_id, caller)
        fresh = sum(_keep_reads(session, batch) for batch in by_gate[gate_id])
        if fresh:
            _keep_open(session, gate, fresh)


def _keep_reads(session: Session, batch: TagsRead) -> int:
    reads, received_at = batch.reads, batch.received_at
    rows = {
        "gate_id": batch.gate_id,
        "boot": batch.boot,
        "received_at": received_at,
        "sequences": [read.sequence for read in reads],
        "epcs": [read.epc for read in reads],
        "antennas": [read.antenna for read in reads],
        "rssi_dbm": [read.rssi_dbm for read in reads],
        "times": [read.at if abs(received_at - read.at) < ANY_CLOCK else received_at for read in reads],
    }
    return session.execute(_TAKE_IN, rows).rowcount


def _keep_open(session: Session, gate: Gate, fresh: int) -> None:
    """Put the closing of the open passage off, unless it is as long or as full as it may get."""
    now = clock.now()
    id = clock.new_id("passage")
    opened = insert(Passage).values(
        id=id,
        gate_id=gate.id,
        warehouse_id=gate.party_id,
        window_id=id,
        state=Passage.initial,
        due_at=now + gate.closing,
        opened_at=now,
        reads=fresh,
    )
    reads = Passage.reads + fresh
    put_off = func.least(func.greatest(Passage.due_at, now + gate.closing), Passage.opened_at + gate.longest)
    due_at = case((reads < MOST_READS, put_off), else_=func.least(Passage.due_at, now))
    session.execute(
        opened.on_conflict_do_update(
            index_elements=["gate_id"],
            index_where=text(
                "state = 'open'"
            ),  # a bound value would not match the index once the statement is prepared
            set_={"due_at": due_at, "reads": reads},
        )
    )


def close_passage(session: Session, caller: Caller, passage_id: str) -> None:
    """Work off the reads of a gate that no more have joined for its closing time: each crossing in them is a passage.

    Nothing happens while reads still come. Deliveries whose pieces were seen move on; one EPCIS event is captured a
    passage.
    """
    window = get(session, Passage, passage_id, caller)
    if not window.is_due(clock.now()):
        return
    gate = gates.see_gate(session, window.gate_id, caller)
    crossings = find_crossings(_take_waiting(session, window), gate)
    for passage, crossing in zip(_passages(session, window, len(crossings)), crossings, strict=True):
        _close(session, caller, gate, passage, crossing)
    _purge(session, gate.id)


def _take_waiting(session: Session, window: Passage) -> list[Read]:
    taken = (
        update(TagRead)
        .where(TagRead.gate_id == window.gate_id, TagRead.window_id.is_(None))
        .values(window_id=window.id)
    )
    columns = (
        TagRead.boot,
        TagRead.sequence,
        TagRead.received_at,
        TagRead.at,
        TagRead.epc,
        TagRead.antenna,
        TagRead.rssi_dbm,
    )
    found = session.execute(taken.returning(*columns).execution_options(synchronize_session=False))
    return [Read(*row) for row in found]


def _passages(session: Session, window: Passage, count: int) -> list[Passage]:
    more = [
        Passage(
            id=clock.new_id("passage"),
            gate_id=window.gate_id,
            warehouse_id=window.warehouse_id,
            window_id=window.id,
            state=Passage.initial,
            opened_at=window.opened_at,
            reads=0,
        )
        for _ in range(count - 1)
    ]
    return [window, *more]


def _close(session: Session, caller: Caller, gate: Gate, passage: Passage, crossing: Crossing) -> None:
    by_tag = pieces.pieces_by_tag(
        session, [presence.epc for presence in crossing.presences], expected=waiting.pieces_expected(session, gate.id)
    )
    solid = [presence for presence in crossing.presences if not presence.is_ghost]
    seen = frozenset(by_tag[presence.epc] for presence in solid if presence.epc in by_tag)
    carried = shipments.pass_gate(session, caller, gate=gate, passage_id=passage.id, at=crossing.last_seen, seen=seen)
    of_piece = {piece_id: one for one in carried for piece_id in one.piece_ids}
    event_id = _capture(session, gate, crossing, solid, by_tag, of_piece)
    passage.close(crossing, event_id)
    session.add(passage)
    session.add_all(
        PassageDelivery(
            passage_id=passage.id, delivery_id=one.delivery_id, buyer_id=one.buyer_id, seller_id=one.seller_id
        )
        for one in carried
    )
    session.add_all(_sighting(passage, presence, by_tag, of_piece) for presence in crossing.presences)


def _capture(
    session: Session,
    gate: Gate,
    crossing: Crossing,
    solid: list[Presence],
    by_tag: dict[str, str],
    of_piece: dict[str, Carried],
) -> str | None:
    """One EPCIS event of what was seen; None when no tag says what it is on.

    Without a delivery nobody knows the direction.
    """
    things = {}
    for presence in solid:
        if identity := decode_epc(presence.epc):
            piece_id = by_tag.get(presence.epc)
            one = of_piece.get(piece_id or "")
            papers = (one.delivery_id, one.deal_id) if one else (None, None)
            things[identity.link] = epcis.Thing(identity.link, piece_id, *papers)
    if not things:
        return None
    step, disposition = ("departing", "in_transit") if of_piece else ("entering_exiting", None)
    return epcis.capture_observation(
        session,
        gate_id=gate.id,
        warehouse_id=gate.party_id,
        at=crossing.last_seen,
        biz_step=step,
        disposition=disposition,
        things=things.values(),
    )


def _sighting(passage: Passage, presence: Presence, by_tag: dict[str, str], of_piece: dict[str, Carried]) -> Sighting:
    identity, piece_id = decode_epc(presence.epc), by_tag.get(presence.epc)
    one = of_piece.get(piece_id or "")
    return Sighting(
        passage_id=passage.id,
        epc=presence.epc,
        link=identity.link if identity else None,
        piece_id=piece_id,
        delivery_id=one.delivery_id if one else None,
        reads=presence.reads,
        rssi_dbm=presence.rssi_dbm,
        antennas=list(presence.antennas),
        first_seen=presence.first_seen,
        last_seen=presence.last_seen,
        is_ghost=presence.is_ghost,
    )


def _purge(session: Session, gate_id: str) -> None:
    """Forget reads that were worked off long ago, a bounded number at a time."""
    key = (TagRead.gate_id, TagRead.boot, TagRead.sequence)
    old = select(*key).where(
        TagRead.gate_id == gate_id, TagRead.received_at < clock.now() - READS_KEPT, TagRead.window_id.is_not(None)
    )
    session.execute(
        delete(TagRead).where(tuple_(*key).in_(old.limit(PURGE_BATCH))).execution_options(synchronize_session=False)
    )
