"""Shows passages to the warehouse and, as far as they carry its goods, to the parties of a delivery."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from services.logistics.discrepancies import queries as discrepancies
from services.logistics.discrepancies.model import Discrepancy
from services.logistics.rfid.model import SKEWED, GateEdge, Passage, PassageDelivery, Sighting, State, TagRead
from services.logistics.rfid.recordings import MOST_WRITTEN, RecordedEdge, RecordedRead, write_recording
from services.logistics.rfid.stages.reads import Read
from services.logistics.rfid.stretches import load_reads
from services.logistics.warehouses import queries as gates


class Details(msgspec.Struct, frozen=True):
    """A passage with what the caller may know of it."""

    passage: Passage
    delivery_ids: list[str]
    sightings: list[Sighting]
    discrepancies: list[Discrepancy]
    is_ours: bool = True


def see_passage(session: Session, passage_id: str, caller: Caller) -> Details:
    """One passage. Raises NotFound."""
    return _add_details(session, caller, [see(session, Passage, passage_id, caller)])[0]


def list_passages(
    session: Session,
    caller: Caller,
    *,
    gate_id: str | None,
    delivery_id: str | None,
    state: State | None = None,
    cursor: str | None,
    limit: int,
) -> Page[Details]:
    """The passages that the caller may see, newest first; those of a state, or those that were not taken back."""
    where: list[ColumnElement[bool]] = [Passage.state == state if state else Passage.state != State.TAKEN_BACK]
    if gate_id is not None:
        where.append(Passage.gate_id == gate_id)
    if delivery_id is not None:
        own = _shown(caller).where(PassageDelivery.delivery_id == delivery_id)
        where.append(Passage.id.in_(own.with_only_columns(PassageDelivery.passage_id)))
    found = page(session, Passage, caller, cursor, limit, *where)
    return Page(_add_details(session, caller, found.items), found.next)


def _shown(caller: Caller):
    """The deliveries of passages that a caller may know of: a warehouse all by its gates, others their own."""
    shown = select(PassageDelivery).join(Passage, Passage.id == PassageDelivery.passage_id)
    if caller.is_operator:
        return shown
    parties = (Passage.warehouse_id, PassageDelivery.buyer_id, PassageDelivery.seller_id)
    return shown.where(or_(*(party == caller.party_id for party in parties)))


def _add_details(session: Session, caller: Caller, passages: Collection[Passage]) -> list[Details]:
    ids = [passage.id for passage in passages]
    deliveries: dict[str, list[str]] = defaultdict(list)
    for row in session.scalars(
        _shown(caller).where(PassageDelivery.passage_id.in_(ids)).order_by(PassageDelivery.delivery_id)
    ):
        deliveries[row.passage_id].append(row.delivery_id)
    sightings: dict[str, list[Sighting]] = defaultdict(list)
    for sighting in session.scalars(select(Sighting).where(Sighting.passage_id.in_(ids)).order_by(Sighting.epc)):
        sightings[sighting.passage_id].append(sighting)
    findings = discrepancies.discrepancies_at(session, ids)
    return [_detail(caller, one, deliveries[one.id], sightings[one.id], findings[one.id]) for one in passages]


def _detail(
    caller: Caller, passage: Passage, deliveries: list[str], sightings: list[Sighting], findings: list[Discrepancy]
) -> Details:
    if caller.is_operator or caller.party_id == passage.warehouse_id:
        return Details(passage, deliveries, sightings, findings)
    own = [sighting for sighting in sightings if sighting.delivery_id in deliveries]
    return Details(passage, deliveries, own, [], is_ours=False)


def record_reads(session: Session, caller: Caller, gate_id: str, *, since: datetime, until: datetime) -> bytes:
    """What a gate's readers read from one time to another as a recorded file. Raises NotFound or RecordingInvalid."""
    gates.see_gate(session, gate_id, caller)
    reads = (
        select(TagRead.epc, TagRead.at, TagRead.antenna, TagRead.rssi_dbm, TagRead.count, TagRead.reader_id)
        .where(TagRead.gate_id == gate_id, TagRead.at.between(since, until), TagRead.mark.is_distinct_from(SKEWED))
        .order_by(TagRead.at)
        .limit(MOST_WRITTEN + 1)
    )
    edges = select(GateEdge.is_high, GateEdge.at).where(GateEdge.gate_id == gate_id, GateEdge.at.between(since, until))
    read = [RecordedRead(*row[:5], reader_id=row.reader_id or "") for row in session.execute(reads)]
    return write_recording(read + [RecordedEdge(*row) for row in session.execute(edges.limit(MOST_WRITTEN + 1))])


def reads_waiting(session: Session, gate_id: str, epc: str) -> list[Read]:
    """The reads of a tag that its gate has still to look at."""
    begins = func.least(Passage.changed_from, Passage.late_from, Passage.delayed_from)
    ends = func.greatest(Passage.changed_until, Passage.late_until, Passage.delayed_until)
    span = session.execute(select(begins, ends).where(Passage.gate_id == gate_id, Passage.state == State.OPEN)).first()
    if span is None or span[0] is None:
        return []
    return [read for read in load_reads(session, gate_id, *span) if read.epc == epc]
