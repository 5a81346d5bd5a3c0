"""Reads that came too late for their session and yet contradict what was told of it (RFID.md 4.4, lateness class L2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from services.logistics.base import among
from services.logistics.rfid.model import LATE, Passage, Sighting, State, TagRead
from services.logistics.rfid.stages.directions import Direction
from services.logistics.warehouses.model import Gate


def is_contradicted(
    session: Session, gate: Gate, ways: Mapping[str, Direction], *, since: datetime, until: datetime
) -> bool:
    """Whether a passage at that time, or a quiet time away, tells of one of the tags that it went another way."""
    told = (
        select(Sighting.epc, Sighting.direction)
        .join(Passage, Passage.id == Sighting.passage_id)
        .where(Passage.gate_id == gate.id, Passage.state == State.CLOSED, Passage.is_late.is_(False))
        .where(Passage.first_seen <= until + gate.closing, Passage.last_seen >= since - gate.closing)
        .where(among(Sighting.epc, ways), Sighting.is_ghost.is_(False))
    )
    return any(direction != ways[epc].value for epc, direction in session.execute(told))


def let_count(session: Session, gate_id: str, since: datetime, until: datetime) -> None:
    """Let late reads of a time count with those that came in time."""
    late = (TagRead.gate_id == gate_id, TagRead.mark == LATE, TagRead.at.between(since, until))
    session.execute(update(TagRead).where(*late).values(mark=None).execution_options(synchronize_session=False))
