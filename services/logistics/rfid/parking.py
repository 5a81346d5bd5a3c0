"""Tags that stand at a gate: from when to when, so that their reads make no passage (RFID.md 4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.logistics.base import among
from services.logistics.rfid.model import ParkedTag
from services.logistics.rfid.stages.ghosts import parked_slots
from services.logistics.rfid.stages.sessions import PortalRules
from services.logistics.rfid.stretches import slot_time

Span = tuple[int, int]
"""The first ten seconds of a time, and those behind its last."""


def find_spans(slots: set[int], rules: PortalRules) -> list[Span]:
    """The times in which a tag stood there, given the ten seconds in which it was read."""
    spans: list[Span] = []
    for slot in sorted(parked_slots(slots, rules)):
        if spans and slot - spans[-1][1] < 2:
            spans[-1] = (spans[-1][0], slot + 1)
        else:
            spans.append((slot, slot + 1))
    return spans


def put_down_parked(
    session: Session, gate_id: str, runs: Mapping[str, set[int]], rules: PortalRules
) -> dict[str, list[tuple[datetime, datetime]]]:
    """Put down which tags stand at a gate; of those of which that is new, or for longer than was known, since when they do."""
    found = {epc: spans for epc, slots in runs.items() if (spans := find_spans(slots, rules))}
    if not found:
        return {}
    known: dict[str, list[ParkedTag]] = {}
    of_these = select(ParkedTag).where(ParkedTag.gate_id == gate_id, among(ParkedTag.epc, found))
    for row in session.scalars(of_these.order_by(ParkedTag.since).execution_options(populate_existing=True)):
        known.setdefault(row.epc, []).append(row)
    fresh: dict[str, list[tuple[datetime, datetime]]] = {}
    for epc, spans in found.items():
        for first, behind in spans:
            since, until = slot_time(first), slot_time(behind)
            touching = [row for row in known.get(epc, ()) if row.since <= until and row.until >= since]
            if any(row.since <= since and row.until >= until for row in touching):
                continue
            fresh.setdefault(epc, []).append((since, until))
            _widen(session, gate_id, epc, since, until, touching)
    session.flush()
    return fresh


def _widen(
    session: Session, gate_id: str, epc: str, since: datetime, until: datetime, touching: list[ParkedTag]
) -> None:
    """Let one row stand for a time and all those that it touches."""
    merged = {
        "gate_id": gate_id,
        "epc": epc,
        "since": min([since, *(row.since for row in touching)]),
        "until": max([until, *(row.until for row in touching)]),
    }
    for row in touching:
        if row.since != merged["since"]:
            session.delete(row)
    session.flush()
    put = insert(ParkedTag).values(**merged)
    session.execute(
        put.on_conflict_do_update(index_elements=["gate_id", "epc", "since"], set_={"until": merged["until"]})
    )
