"""Captures EPCIS events."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock
from services.logistics.epcis.model import EpcisEvent, EpcisThing
from services.logistics.epcis.object_event import name_transactions, write_object_event
from services.logistics.rfid.epc import decode_epc


class Thing(msgspec.Struct, frozen=True):
    """An EPC of an event (a URI), with the piece and the delivery that it stands for, where known."""

    epc: str
    piece_id: str | None
    delivery_id: str | None
    deal_id: str | None


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
    return _capture(session, document, owner_id=warehouse_id, at=at, things=things)


def capture_departure(
    session: Session,
    *,
    gate_id: str,
    warehouse_id: str,
    at: datetime,
    delivery_id: str,
    deal_id: str,
    tags: Mapping[str, str | None],
) -> str | None:
    """Keep that a delivery left on somebody's word, as the gate would have seen it; None when it carries no pieces.

    ``tags`` are its pieces with the tags that they wear; a piece without one goes by its own id. Returns the eventID.
    """
    things = [
        Thing(_name_piece(piece_id, tag), piece_id, delivery_id, deal_id) for piece_id, tag in sorted(tags.items())
    ]
    if not things:
        return None
    return capture_observation(
        session,
        gate_id=gate_id,
        warehouse_id=warehouse_id,
        at=at,
        biz_step="departing",
        disposition="in_transit",
        things=things,
    )


def _name_piece(piece_id: str, tag: str | None) -> str:
    identity = decode_epc(tag) if tag else None
    return identity.link if identity else f"urn:haihe:piece:{piece_id}"


def _capture(
    session: Session, document: dict[str, Any], *, owner_id: str, at: datetime, things: Collection[Thing]
) -> str:
    event_id = document["eventID"]
    statement = insert(EpcisEvent).values(
        id=clock.new_id("epcis"),
        event_id=event_id,
        is_error=False,
        owner_id=owner_id,
        event_time=at,
        record_time=clock.now(),
        document=document,
    )
    id = session.scalar(statement.on_conflict_do_nothing().returning(EpcisEvent.id))
    if id is not None:
        session.add_all(
            EpcisThing(
                event=id,
                epc=thing.epc,
                event_time=at,
                piece_id=thing.piece_id,
                delivery_id=thing.delivery_id,
                deal_id=thing.deal_id,
            )
            for thing in things
        )
    return event_id
