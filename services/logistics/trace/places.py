"""Places that events name, with what is known of them: a name, and a point on the map."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from services.logistics.epcis.described import find_attributes
from services.logistics.trace.facts import Fact
from services.logistics.trace.model import KnownPlace
from services.logistics.warehouses.queries import name_gates

_GEO = re.compile(r"geo:(-?\d{1,2}(?:\.\d{1,12})?),(-?\d{1,3}(?:\.\d{1,12})?)(?:[,;].{0,100})?")
_DEGREES = re.compile(r"[+-]?\d{1,3}(?:\.\d{1,12})?")
_GATE = "urn:haihe:gate:"


class Place(msgspec.Struct, frozen=True):
    """A place by its canonical name; ``latitude`` and ``longitude`` are degrees (WGS 84), None where nobody said."""

    id: str
    name: str | None = None
    city: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None


def find_places(session: Session, facts: Iterable[Fact]) -> dict[str, Place]:
    """What is known of the places and parties of some events: by the company that captured the event (in its master data or
    as it describes places), by gates, by ``geo:`` URIs.

    A company describes places for its own events: another's word of the same name plays no part.
    """
    owners: dict[str, str] = {}
    for fact in facts:
        named = [uri for _, uri in (*fact.sources, *fact.destinations)]
        for name in (fact.biz_location, fact.read_point, *named):
            if name is not None:
                owners.setdefault(name, fact.owner_id)
    found = {name: read_geo(name) or Place(name) for name in owners}
    gates = name_gates(session, [name.removeprefix(_GATE) for name in owners if name.startswith(_GATE)])
    found |= {_GATE + id: Place(_GATE + id, name) for id, name in gates.items()}
    pairs = sorted((owner, name) for name, owner in owners.items())
    for (_, name), told in find_attributes(session, pairs).items():
        found[name] = _read_place(name, told)
    rows = select(KnownPlace).where(tuple_(KnownPlace.owner_id, KnownPlace.uri).in_(pairs))
    for row in session.scalars(rows) if pairs else []:
        found[row.uri] = Place(row.uri, row.name, row.city, row.country, row.latitude, row.longitude)
    return found


def read_geo(uri: str) -> Place | None:
    """The point of a ``geo:`` URI (RFC 5870), which CBV 2.0, 8.3.2 allows for a place; None where it is none."""
    found = _GEO.fullmatch(uri)
    if found is None:
        return None
    latitude, longitude = float(found[1]), float(found[2])
    if abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return Place(uri, latitude=latitude, longitude=longitude)


def _read_place(uri: str, told: dict[str, str]) -> Place:
    """A place by the master data attributes of CBV 2.0, section 10."""
    return Place(
        uri,
        told.get("name") or told.get("site"),
        told.get("city"),
        told.get("countryCode"),
        _read_degrees(told.get("latitude"), 90),
        _read_degrees(told.get("longitude"), 180),
    )


def _read_degrees(text: str | None, most: int) -> float | None:
    if text is None or not _DEGREES.fullmatch(text) or abs(float(text)) > most:
        return None
    return float(text)
