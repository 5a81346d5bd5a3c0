"""Places that events name, with what is known of them: a name, and a point on the map."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.logistics.base import among
from services.logistics.epcis.described import find_attributes
from services.logistics.trace.facts import Fact
from services.logistics.trace.model import KnownPlace
from services.logistics.warehouses.queries import name_gates

_GEO = re.compile(r"geo:(-?\d{1,2}(?:\.\d{1,12})?),(-?\d{1,3}(?:\.\d{1,12})?)(?:[,;].{0,100})?")
_DEGREES = re.compile(r"[+-]?\d{1,3}(?:\.\d{1,12})?")
_GATE = "urn:haihe:gate:"
_DESCRIBED = ("name", "city", "country", "latitude", "longitude")
_STREET = ("streetAddressOne", "streetAddressTwo", "streetAddressThree")


class Place(msgspec.Struct, frozen=True):
    """A place by its canonical name; ``latitude`` and ``longitude`` are degrees (WGS 84), None where nobody said.

    What stands behind them is the address, which records ask for and maps do not.
    """

    id: str
    name: str | None = None
    city: str | None = None
    country: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    street: str | None = None
    region: str | None = None
    postal_code: str | None = None
    telephone: str | None = None


def find_places(session: Session, facts: Iterable[Fact]) -> dict[str, Place]:
    """What is known of the places and parties of some events: by the companies that captured the events (in their master data or
    as they describe places), by gates, by ``geo:`` URIs.

    A company describes places for its own events: the word of one that has captured none of them plays no part, and of several
    that of the first event counts.
    """
    owners: dict[str, dict[str, None]] = {}
    for fact in sorted(facts, key=lambda fact: fact.order):
        named = [uri for _, uri in (*fact.sources, *fact.destinations)]
        for name in (fact.biz_location, fact.read_point, *named):
            if name is not None:
                owners.setdefault(name, {})[fact.owner_id] = None
    found = {name: read_geo(name) or Place(name) for name in owners}
    gates = name_gates(session, [name.removeprefix(_GATE) for name in owners if name.startswith(_GATE)])
    found |= {_GATE + id: Place(_GATE + id, name) for id, name in gates.items()}
    described = _find_described(session, [(owner, name) for name, of_name in owners.items() for owner in of_name])
    for name, of_name in owners.items():
        if told := next((described[owner, name] for owner in of_name if (owner, name) in described), None):
            found[name] = told
    return found


def _find_described(session: Session, pairs: list[tuple[str, str]]) -> dict[tuple[str, str], Place]:
    """What companies say of places: as they describe them, and by their master data where that leaves something out."""
    if not pairs:
        return {}
    found = {(owner, name): _read_place(name, told) for (owner, name), told in find_attributes(session, pairs).items()}
    known = select(KnownPlace).where(among(KnownPlace.uri, [name for _, name in pairs]))
    wanted = set(pairs)
    for row in session.scalars(known.where(among(KnownPlace.owner_id, [owner for owner, _ in pairs]))):
        if (key := (row.owner_id, row.uri)) in wanted:
            told = {name: value for name in _DESCRIBED if (value := getattr(row, name)) is not None}
            found[key] = msgspec.structs.replace(found.get(key) or read_geo(row.uri) or Place(row.uri), **told)
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
    """A place by the master data attributes of CBV 2.0, section 10; ``telephone`` is GS1's web vocabulary's."""
    return Place(
        id=uri,
        name=told.get("name") or told.get("site"),
        city=told.get("city"),
        country=told.get("countryCode"),
        latitude=_read_degrees(told.get("latitude"), 90),
        longitude=_read_degrees(told.get("longitude"), 180),
        street=", ".join(told[name] for name in _STREET if told.get(name)) or None,
        region=told.get("state"),
        postal_code=told.get("postalCode"),
        telephone=told.get("telephone"),
    )


def _read_degrees(text: str | None, most: int) -> float | None:
    if text is None or not _DEGREES.fullmatch(text) or abs(float(text)) > most:
        return None
    return float(text)
