"""Tells what enters and leaves a zone, as observations of a tag."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from chassis.messages import emit_many
from events.logistics import ZoneObserved
from services.logistics.zones.model import Stay


def tell_entered(session: Session, stays: Iterable[Stay]) -> None:
    """Tags are in a zone."""
    emit_many(session, [_observe(stay, "entered", stay.entered_at) for stay in stays])


def tell_left(session: Session, stay: Stay) -> None:
    """A tag is not in its zone any more."""
    emit_many(session, [_observe(stay, "left", stay.left_at or stay.last_seen)])


def _observe(stay: Stay, change: Literal["entered", "left"], at: datetime) -> ZoneObserved:
    return ZoneObserved(
        epc=stay.link or stay.epc,
        stay_id=stay.id,
        zone_id=stay.zone_id,
        warehouse_id=stay.warehouse_id,
        change=change,
        at=at,
        piece_id=stay.piece_id,
    )
