"""Describes places."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from services.logistics.trace.model import KnownPlace
from services.logistics.trace.naming import read_name


def describe_place(
    session: Session,
    caller: Caller,
    *,
    uri: str,
    name: str,
    city: str | None,
    country: str | None,
    latitude: float | None,
    longitude: float | None,
) -> KnownPlace:
    """Say what a place of the caller's events is; said again, the last word counts. Raises NotAName."""
    said = {
        "name": name,
        "city": city,
        "country": country,
        "latitude": latitude,
        "longitude": longitude,
        "described_at": clock.now(),
    }
    key = {"owner_id": caller.party_id, "uri": read_name(uri)}
    statement = insert(KnownPlace).values(id=clock.new_id("place"), **key, **said)
    statement = statement.on_conflict_do_update(index_elements=list(key), set_=said)
    id = session.scalar(statement.returning(KnownPlace.id))
    return session.scalars(
        select(KnownPlace).where(KnownPlace.id == id).execution_options(populate_existing=True)
    ).one()
