"""Captures EPCIS events."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock
from services.logistics.epcis.model import EpcisEvent, EpcisThing
from services.logistics.epcis.object_event import name_transactions, write_object_event


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
    """Keep that things were seen at a gate, as one ObjectEvent; seen again means nothing new. Returns its eventID."""
    papers = {paper for thing in things for paper in name_transactions(thing.delivery_id, thing.deal_id)}
    document = write_object_event(
        at=at,
        epcs={thing.epc for thing in things},
        biz_step=biz_step,
        disposition=disposition,
        read_point=f"urn:haihe:gate:{gate_id}",
        biz_location=f"urn:haihe:warehouse:{warehouse_id}",
        transactions=papers,
    )
    return _capture(session, document, owner_id=warehouse_id, at=at, things=things)


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
