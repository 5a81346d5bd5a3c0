"""Writes down what settling found: passages with sightings, events, tasks and verdicts, and takes back what does not stand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from sqlalchemy import insert
from sqlalchemy.orm import Session

from chassis import clock
from chassis.messages import emit_many
from services.logistics.discrepancies import commands as discrepancies
from services.logistics.discrepancies.kinds import Finding, Kind
from services.logistics.epcis import commands as epcis
from services.logistics.epcis import queries as epcis_kept
from services.logistics.rfid import saying
from services.logistics.rfid.model import Passage, PassageDelivery, Sighting
from services.logistics.rfid.passing import Meant
from services.logistics.rfid.stages.directions import Direction
from services.logistics.rfid.stages.passages import Observation
from services.logistics.rfid.stretches import from_us
from services.logistics.rfid.telling import Told
from services.logistics.warehouses.model import Gate

MOST_NAMES = 16


def replace_passages(
    session: Session,
    gate: Gate,
    rules_version: int,
    new: Sequence[tuple[str, Meant]],
    gone: Sequence[Passage],
    *,
    spare: Passage | None,
    is_late: bool,
    left: Collection[str],
) -> None:
    """Let passages stand in the place of those that are gone. ``left`` are deliveries that had left with these, and would not."""
    _name_events(session, gate, [meant for _, meant in new], gone)
    passages = []
    for place, (digest, meant) in enumerate(new):
        row = spare if place == 0 and spare is not None else open_passage(gate)
        replaced = [one for one in gone if overlaps(one, meant)]
        _close(row, digest, meant, version=1 + max((one.version for one in replaced), default=0))
        row.rules_version, row.is_late = rules_version, is_late
        passages.append(row)
    session.add_all(passages)
    _capture(session, gate, [meant for _, meant in new], gone)
    _take_back(session, gone, list(zip(passages, [meant for _, meant in new], strict=True)))
    for passage, (_, meant) in zip(passages, new, strict=True):
        _write_parts(session, passage, meant)
        _put_down(session, gate, passage, meant, [one for one in gone if one.superseded_by == passage.id], left)
    emit_many(
        session,
        saying.say_passages(gate, list(zip(passages, [meant for _, meant in new], strict=True)), is_late=is_late),
    )


def _name_events(session: Session, gate: Gate, meant: Sequence[Meant], gone: Sequence[Passage]) -> None:
    """Events go by their hash ids; one that was declared erroneous and is true after all gets a name of its own.

    One that stood for what is gone keeps its name: if it was declared erroneous, a person has done so.
    """
    names = {told.id: [told.id, *_other_names(told.id)] for one in meant for told in one.told}
    wanted = [name for each in names.values() for name in each]
    declared = epcis_kept.find_declared(session, wanted, owner_id=gate.party_id) if wanted else set()
    before = _names_of(gone)
    for one in meant:
        for told in one.told:
            kept = [name for name in names[told.id] if name in before]
            free = [name for name in names[told.id] if name not in declared]
            told.event.fields["eventID"] = next(iter((*kept, *free)), f"urn:uuid:{uuid4()}")


def _names_of(passages: Sequence[Passage]) -> set[str]:
    return {id for one in passages for id in one.event_ids or filter(None, [one.epcis_event_id])}


def _other_names(hash_id: str) -> list[str]:
    return [f"urn:uuid:{uuid5(NAMESPACE_URL, f'{hash_id}#{place}')}" for place in range(1, MOST_NAMES)]


def open_passage(gate: Gate) -> Passage:
    """A passage of a gate that begins now."""
    id = clock.new_id("passage")
    return Passage(
        id=id,
        gate_id=gate.id,
        warehouse_id=gate.party_id,
        window_id=id,
        state=Passage.initial,
        opened_at=clock.now(),
        reads=0,
    )


def overlaps(passage: Passage, meant: Meant) -> bool:
    """Whether a passage that was told and one that is found have some time in common."""
    span = meant.found.span
    return bool(
        passage.first_seen
        and passage.last_seen
        and passage.first_seen <= from_us(span.last_us)
        and passage.last_seen >= from_us(span.first_us)
    )


def _close(row: Passage, digest: str, meant: Meant, *, version: int) -> None:
    row.close()
    describe(row, digest, meant)
    row.version = version
    row.event_ids = [one.id for one in meant.told]
    row.epcis_event_id = next((one.id for one in meant.told), None)
    row.verdict, row.plate, row.reasons = meant.judgement.verdict.value, meant.plate, list_reasons(meant)


def describe(passage: Passage, digest: str, meant: Meant) -> None:
    """Say of a passage what it was made of."""
    span = meant.found.span
    passage.first_seen, passage.last_seen = from_us(span.first_us), from_us(span.last_us)
    passage.has_beam, passage.digest = span.has_beam, digest
    passage.reads = sum(one.reads for one in meant.found.observations)


def list_reasons(meant: Meant) -> list[dict[str, Any]]:
    """The reasons of a verdict as a passage keeps them."""
    return [
        {"code": one.code.value, "text": one.text, "piece_id": one.piece_id, "epc": one.epc}
        for one in meant.judgement.reasons
    ]


def _capture(session: Session, gate: Gate, meant: Sequence[Meant], gone: Sequence[Passage]) -> None:
    """Capture the events of what stands, and declare those of what does not erroneous that are not among them."""
    told = [(event, one) for one in meant for event in one.told]
    if told:
        epcis.capture_events(
            session,
            [event.event for event, _ in told],
            owner_id=gate.party_id,
            things=[event.things for event, _ in told],
            parties=[_parties(event, one) for event, one in told],
        )
    before = _names_of(gone)
    now = {event.id for event, _ in told}
    for id in sorted(before - now):
        reason = "incorrect_data" if now - before else "did_not_occur"
        epcis.capture_error_declaration(
            session,
            id,
            owner_id=gate.party_id,
            reason=reason,
            at=clock.now(),
            corrective_event_ids=sorted(now - before),
        )


def _parties(event: Told, meant: Meant) -> set[str]:
    """Who is party to an event: the sides of a delivery, when all that it tells of is on theirs."""
    sides = {one.delivery_id: (one.buyer_id, one.seller_id) for one in meant.passing.carried}
    named = {sides.get(thing.delivery_id) for thing in event.things}
    return set(named.pop() or ()) if len(named) == 1 else set()


def _take_back(session: Session, gone: Sequence[Passage], new: Sequence[tuple[Passage, Meant]]) -> None:
    now = clock.now()
    for one in gone:
        one.take_back(now)
        one.superseded_by = next((passage.id for passage, meant in new if overlaps(one, meant)), None)
    if gone:
        discrepancies.withdraw(session, [one.id for one in gone], now)


def _write_parts(session: Session, passage: Passage, meant: Meant) -> None:
    session.flush()
    write_sightings(session, [(passage, meant)])
    if meant.passing.carried:
        session.execute(
            insert(PassageDelivery),
            [
                {
                    "passage_id": passage.id,
                    "delivery_id": one.delivery_id,
                    "buyer_id": one.buyer_id,
                    "seller_id": one.seller_id,
                    "departs": one.delivery_id in meant.passing.departed,
                }
                for one in meant.passing.carried
            ],
        )


def write_sightings(session: Session, passages: Iterable[tuple[Passage, Meant]]) -> None:
    """Write down the tags of passages, with one statement."""
    sightings = []
    for passage, meant in passages:
        under = {one.piece_id: one.delivery_id for one in meant.passed if one.piece_id}
        sightings += [_sighting(passage, one, meant, under) for one in meant.found.observations]
    if sightings:
        session.execute(insert(Sighting.__table__), sightings)


def _sighting(passage: Passage, seen: Observation, meant: Meant, under: dict[str, str | None]) -> dict[str, Any]:
    piece_id = meant.known.piece_of.get(seen.epc)
    return {
        "passage_id": passage.id,
        "epc": seen.epc,
        "link": meant.known.links.get(seen.epc),
        "piece_id": piece_id,
        "delivery_id": under.get(piece_id or "") or _carried(meant, piece_id),
        "reads": seen.reads,
        "rssi_dbm": seen.rssi_dbm,
        "antennas": sorted({antenna for _, antenna in seen.antennas}),
        "first_seen": from_us(seen.first_us),
        "last_seen": from_us(seen.last_us),
        "is_ghost": seen.is_ghost,
        "direction": seen.direction.value,
        "by": seen.by,
        "contradicts": seen.contradicts,
        "lost_to": meant.lost.get(seen.epc),
    }


def _carried(meant: Meant, piece_id: str | None) -> str | None:
    return next((one.delivery_id for one in meant.passing.carried if piece_id in one.piece_ids), None)


def _put_down(
    session: Session,
    gate: Gate,
    passage: Passage,
    meant: Meant,
    replaced: Sequence[Passage],
    left: Collection[str],
) -> None:
    """Give what does not fit to people: each task names the event that it may correct."""
    undirected = next((one.id for one in meant.told if one.direction == Direction.UNKNOWN), None)
    findings = [*meant.findings, *_late_corrections(passage, replaced, left)]
    for event_id in dict.fromkeys((passage.epcis_event_id, undirected)):
        of_event = [
            one
            for one in findings
            if (undirected if one.kind == Kind.UNKNOWN_DIRECTION else passage.epcis_event_id) == event_id
        ]
        if of_event:
            discrepancies.put_down(
                session,
                of_event,
                passage_id=passage.id,
                warehouse_id=gate.party_id,
                at=passage.last_seen or clock.now(),
                gate_id=gate.id,
                epcis_event_id=event_id,
            )
    if passage.verdict is not None and (pieces := [one.piece_id for one in meant.passed if one.piece_id]):
        discrepancies.close_found(
            session,
            warehouse_id=gate.party_id,
            piece_ids=pieces,
            at=passage.last_seen or clock.now(),
            epcis_event_id=passage.epcis_event_id,
        )


def _late_corrections(passage: Passage, replaced: Sequence[Passage], left: Collection[str]) -> list[Finding]:
    """What late reads changed that cannot be undone, or that somebody may have acted on."""
    if not replaced:
        return []
    found = [
        Finding(
            Kind.LATE_CORRECTION, delivery_id=id, detail="it left by reads that late ones have changed, and stays gone"
        )
        for id in sorted(left)
    ]
    before = {id for one in replaced for id in one.event_ids or ()}
    if before - set(passage.event_ids or ()):
        detail = f"late reads changed it: version {passage.version} stands for {', '.join(one.id for one in replaced)}"
        found.append(Finding(Kind.LATE_CORRECTION, detail=detail))
    return found
