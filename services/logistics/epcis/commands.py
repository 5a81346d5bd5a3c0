"""Captures EPCIS events: many by a bounded number of statements, each told to others; what is kept already stays as it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy.orm import Session

from chassis import clock
from chassis.messages import emit_many
from chassis.problems import NotFound
from events.logistics import EpcisEventCaptured
from services.logistics.epcis import lookups, storing
from services.logistics.epcis.fields import Event
from services.logistics.epcis.object_event import name_transactions, write_object_event, write_time
from services.logistics.epcis.parties import keep_parties
from services.logistics.epcis.preparing import Prepared, prepare_event
from services.logistics.epcis.read_json import read_event
from services.logistics.epcis.sharing.filling import lock_captures
from services.logistics.manual.events import DEPARTING, Method, write_manual
from services.logistics.rfid.epc import decode_epc

MOST_TOLD_BYTES = 200_000
Reason = Literal["did_not_occur", "incorrect_data"]


class Thing(msgspec.Struct, frozen=True):
    """An EPC of an event (a URI), with the piece and the delivery that it stands for, where known."""

    epc: str
    piece_id: str | None
    delivery_id: str | None
    deal_id: str | None


class Captured(msgspec.Struct, frozen=True):
    """What became of an event: its row, its name, whether it is new, and whether what is kept says the same (by its hash)."""

    id: str
    event_id: str
    is_error: bool
    is_new: bool
    is_same: bool


def capture_events(
    session: Session,
    events: Sequence[Event],
    *,
    owner_id: str,
    things: Sequence[Collection[Thing]] = (),
    parties: Sequence[Collection[str]] = (),
    capture_id: str | None = None,
) -> list[Captured]:
    """Keep valid events as a company's; one whose (eventID, is_error) it has captured before changes nothing.

    ``things`` and ``parties`` (ids of companies that are party to it) stand place by place beside ``events``, or are left out.
    The answers stand in the order of the events.
    """
    prepared = [prepare_event(event) for event in events]
    return capture_prepared(session, prepared, owner_id=owner_id, things=things, parties=parties, capture_id=capture_id)


def capture_prepared(
    session: Session,
    prepared: Sequence[Prepared],
    *,
    owner_id: str,
    things: Sequence[Collection[Thing]] = (),
    parties: Sequence[Collection[str]] = (),
    capture_id: str | None = None,
) -> list[Captured]:
    """As ``capture_events``, for events that are made ready already."""
    rows = list(zip(clock.new_ids("epcis", len(prepared)), prepared, strict=True))
    first: dict[storing.Name, tuple[str, Prepared]] = {}
    for id, one in rows:
        first.setdefault((one.event_id, one.is_error), (id, one))
    at = clock.now()
    lock_captures(session, owner_id)
    fresh = storing.write_events(session, list(first.values()), owner_id=owner_id, at=at, capture_id=capture_id)
    new = [row for row in first.values() if row[0] in fresh]
    storing.write_keys(session, new)
    _keep_things(session, rows, fresh, things)
    told = {id: named for (id, _), named in zip(rows, parties, strict=False) if id in fresh}
    seen_by = keep_parties(session, new, told, owner_id=owner_id)
    emit_many(session, [_tell(id, one, owner_id, seen_by.get(id, set()), at) for id, one in new])
    kept = storing.find_kept(session, owner_id, [name for name, (id, _) in first.items() if id not in fresh])
    return [_answer(id, one, first, fresh, kept) for id, one in rows]


def capture_observation(
    session: Session,
    *,
    gate_id: str,
    warehouse_id: str,
    at: datetime,
    biz_step: str,
    disposition: str | None,
    things: Collection[Thing],
) -> str:
    """Keep that things were seen at a gate, as one ObjectEvent; seen again means nothing new. Returns its eventID.

    Beyond the gate they are nowhere that we know, whichever way they went: there is no bizLocation.
    """
    papers = {paper for thing in things for paper in name_transactions(thing.delivery_id, thing.deal_id)}
    document = write_object_event(
        at=at,
        epcs={thing.epc for thing in things},
        biz_step=biz_step,
        disposition=disposition,
        read_point=f"urn:haihe:gate:{gate_id}",
        transactions=papers,
    )
    (captured,) = capture_events(session, [read_event(document, {}, "$")], owner_id=warehouse_id, things=[things])
    return captured.event_id


def capture_departure(
    session: Session,
    *,
    gate_id: str,
    warehouse_id: str,
    at: datetime,
    delivery_id: str,
    deal_id: str,
    tags: Mapping[str, str | None],
    reason: str | None = None,
    parties: Collection[str] = (),
) -> str | None:
    """Keep that a delivery left on somebody's word, as the gate would have seen it, marked as manual; None without pieces.

    ``tags`` are its pieces with the tags that they wear; a piece without one goes by its own id. Returns the eventID.
    """
    things = [
        Thing(_name_piece(piece_id, tag), piece_id, delivery_id, deal_id) for piece_id, tag in sorted(tags.items())
    ]
    if not things:
        return None
    event = write_manual(
        DEPARTING,
        at=at,
        epcs={thing.epc for thing in things},
        method=Method.WORD,
        read_point=f"urn:haihe:gate:{gate_id}",
        transactions=name_transactions(delivery_id, deal_id),
        reason=reason,
    )
    (captured,) = capture_events(session, [event], owner_id=warehouse_id, things=[things], parties=[parties])
    return captured.event_id


def capture_error_declaration(
    session: Session,
    event_id: str,
    *,
    owner_id: str,
    reason: Reason | None,
    at: datetime,
    corrective_event_ids: Sequence[str] = (),
) -> Captured:
    """Take back an event of a company: kept again as it was captured, with the declaration that it was an error.

    Taken back before, nothing changes. Raises NotFound when the company has captured no such event.
    """
    row = storing.find_event(session, owner_id, event_id)
    if row is None:
        raise NotFound(f"no event {event_id[:200]}")
    declared: dict[str, Any] = {"declarationTime": write_time(at)}
    if reason is not None:
        declared["reason"] = reason
    if corrective_event_ids:
        declared["correctiveEventIDs"] = list(corrective_event_ids)
    event = read_event(row.document | {"errorDeclaration": declared}, {}, "$", frozenset(row.unhashed or ()))
    things, parties = lookups.things_of(session, row.id), lookups.parties_of(session, row.id)
    told = [Thing(one.epc, one.piece_id, one.delivery_id, one.deal_id) for one in things]
    (captured,) = capture_events(session, [event], owner_id=owner_id, things=[told], parties=[parties])
    return captured


def _name_piece(piece_id: str, tag: str | None) -> str:
    identity = decode_epc(tag) if tag else None
    return identity.link if identity else f"urn:haihe:piece:{piece_id}"


def _keep_things(
    session: Session, rows: Sequence[tuple[str, Prepared]], fresh: set[str], things: Sequence[Collection[Thing]]
) -> None:
    told = [
        (id, one.event_time, *msgspec.structs.astuple(thing))
        for (id, one), named in zip(rows, things, strict=False)
        if id in fresh
        for thing in named
    ]
    storing.write_things(session, told)


def _tell(id: str, one: Prepared, owner_id: str, seen_by: set[str], at: datetime) -> EpcisEventCaptured:
    return EpcisEventCaptured(
        thing=one.thing,
        id=id,
        owner_id=owner_id,
        party_ids=sorted(seen_by),
        event_id=one.event_id,
        is_error=one.is_error,
        event_time=one.event_time,
        record_time=at,
        document=msgspec.Raw(one.document.encode()) if len(one.document) < MOST_TOLD_BYTES // 4 else None,
    )


def _answer(
    id: str,
    one: Prepared,
    first: Mapping[storing.Name, tuple[str, Prepared]],
    fresh: set[str],
    kept: Mapping[storing.Name, tuple[str, str | None]],
) -> Captured:
    name = (one.event_id, one.is_error)
    kept_id, kept_hash = kept.get(name) or (first[name][0], first[name][1].hash)
    return Captured(kept_id, one.event_id, one.is_error, is_new=id in fresh, is_same=kept_hash == one.hash)
