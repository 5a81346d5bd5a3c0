"""Looks captured events up by what they were about."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.logistics.epcis.model import EpcisEvent, EpcisThing
from services.logistics.epcis.object_event import name_transactions, write_time

MOST_EVENTS = 200


class PieceEvent(msgspec.Struct, frozen=True):
    """A captured event as far as it is about one piece: ``document`` leaves out what else passed with it."""

    at: datetime
    owner_id: str
    delivery_id: str | None
    document: dict[str, Any]


def events_of_piece(session: Session, piece_id: str) -> list[PieceEvent]:
    """What was captured about a piece and not taken back, whatever tag it wore, newest first; at most the last 200 events."""
    query = (
        select(EpcisThing, EpcisEvent.owner_id, EpcisEvent.document, EpcisEvent.record_time)
        .join(EpcisEvent, EpcisEvent.id == EpcisThing.event)
        .where(EpcisThing.piece_id == piece_id, EpcisEvent.stands())
        .order_by(EpcisThing.event_time.desc(), EpcisEvent.id.desc())
        .limit(MOST_EVENTS)
    )
    return [_piece_event(*row) for row in session.execute(query)]


def _piece_event(thing: EpcisThing, owner_id: str, document: dict[str, Any], record_time: datetime) -> PieceEvent:
    told = document | {"epcList": [thing.epc], "recordTime": write_time(record_time)}
    papers = name_transactions(thing.delivery_id, thing.deal_id)
    own = [
        paper
        for paper in document.get("bizTransactionList", [])
        if (paper.get("type"), paper["bizTransaction"]) in papers
    ]
    told.pop("bizTransactionList", None)
    return PieceEvent(
        at=thing.event_time,
        owner_id=owner_id,
        delivery_id=thing.delivery_id,
        document=told | ({"bizTransactionList": own} if own else {}),
    )


def find_declared(session: Session, event_ids: Collection[str], *, owner_id: str) -> set[str]:
    """Those of a company's events that were declared erroneous."""
    declared = (EpcisEvent.event_id.in_(list(event_ids)), EpcisEvent.owner_id == owner_id, EpcisEvent.is_error)
    return set(session.scalars(select(EpcisEvent.event_id).where(*declared)))
