"""Shows a warehouse its zones and what is in them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from services.logistics.base import among
from services.logistics.zones.model import State, Stay, Zone


def see_zone(session: Session, zone_id: str, caller: Caller) -> Zone:
    """A zone of the caller's warehouse. Raises NotFound."""
    return see(session, Zone, zone_id, caller)


def list_zones(session: Session, caller: Caller, *, cursor: str | None, limit: int) -> Page[Zone]:
    """The zones of the caller's warehouse, newest first."""
    return page(session, Zone, caller, cursor, limit)


def zones_of_gate(session: Session, gate_id: str) -> list[Zone]:
    """The zones that a gate's antennas hear."""
    return list(session.scalars(select(Zone).where(Zone.gate_id == gate_id).order_by(Zone.id)))


def see_stay(session: Session, stay_id: str, caller: Caller) -> Stay:
    """A stay in the caller's warehouse. Raises NotFound."""
    return see(session, Stay, stay_id, caller)


def list_stays(
    session: Session,
    caller: Caller,
    *,
    zone_id: str | None,
    piece_id: str | None,
    state: State | None,
    cursor: str | None,
    limit: int,
) -> Page[Stay]:
    """What is and was in the zones of the caller's warehouse, newest first."""
    where: list[ColumnElement[bool]] = []
    if zone_id is not None:
        where.append(Stay.zone_id == zone_id)
    if piece_id is not None:
        where.append(Stay.piece_id == piece_id)
    if state is not None:
        where.append(Stay.state == state)
    return page(session, Stay, caller, cursor, limit, *where)


def zones_of_pieces(session: Session, warehouse_id: str, piece_ids: Collection[str] | None = None) -> dict[str, str]:
    """The zone that each piece is in now, of all pieces or of some; those that are in none are left out."""
    found = select(Stay.piece_id, Stay.zone_id).where(
        Stay.warehouse_id == warehouse_id, Stay.state == State.PRESENT, Stay.piece_id.is_not(None)
    )
    if piece_ids is not None:
        found = found.where(among(Stay.piece_id, piece_ids))
    return {row.piece_id: row.zone_id for row in session.execute(found.order_by(Stay.last_seen, Stay.id))}
