"""Keeps what the catalog says of price indices, as far back as a formula may reach."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from chassis.database import project_many
from events.catalog import IndexDescribed
from services.orders.base import PLAIN, among
from services.orders.indices.model import DAYS_KEPT, IndexFigure


def describe_indices(session: Session, events: Sequence[IndexDescribed]) -> None:
    """Keep days of indices as they stand; an older version changes nothing, and days of long before are let go."""
    project_many(session, IndexFigure, ["id"], [_row(event) for event in events])
    _forget_old(session, {event.code for event in events})


def _row(event: IndexDescribed) -> dict[str, Any]:
    return {
        "id": event.index_day_id,
        "version": event.version,
        "code": event.code,
        "market": event.market,
        "day": date.fromisoformat(event.day),
        "revision": event.revision,
        "state": event.state,
        "price": event.price,
        "tax_basis": event.tax_basis,
    }


def _forget_old(session: Session, codes: set[str]) -> None:
    """By the newest day of each index and not by the clock: a projection that is made again comes out the same."""
    newest = select(IndexFigure.code, func.max(IndexFigure.day).label("day"))
    newest = newest.where(among(IndexFigure.code, codes)).group_by(IndexFigure.code).subquery()
    old = delete(IndexFigure).where(IndexFigure.code == newest.c.code, IndexFigure.day < newest.c.day - DAYS_KEPT)
    session.execute(old, execution_options=PLAIN)
