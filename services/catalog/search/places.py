"""Where things are: the place that a text names, and what is near another place.

Things have the place that their text names in the gazetteer, so that what is near is a list of places and needs no
geometry from an engine.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache

from services.catalog.markets.data.places import PLACES, Place, find_place
from services.catalog.search.words import runs_of

EARTH_RADIUS_KM = 6371.0088
"""The mean radius of IUGG."""
BY_KEY: dict[str, Place] = {}


def key_of(place: Place) -> str:
    """What a place is called in labels: its UN/LOCODE, or its Chinese name where it has none."""
    return place.code or place.zh


BY_KEY.update({key_of(place): place for place in reversed(PLACES)})


@lru_cache(maxsize=20_000)
def place_in(text: str) -> Place | None:
    """The place that a text names: as a whole, else the longest Chinese name in it, else one of its words."""
    if found := find_place(text):
        return found
    for run in runs_of(text):
        if found := _named_in(run.text) if run.is_chinese else find_place(run.text):
            return found
    return None


def _named_in(run: str) -> Place | None:
    for size in range(min(len(run), 10), 1, -1):
        for start in range(len(run) - size + 1):
            if found := find_place(run[start : start + size]):
                return found
    return None


def distance_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The great-circle distance of two points in degrees of latitude and longitude (haversine)."""
    north, east, other_north, other_east = map(math.radians, (*one, *other))
    chord = (
        math.sin((other_north - north) / 2) ** 2
        + math.cos(north) * math.cos(other_north) * math.sin((other_east - east) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(chord)))


def by_distance(point: tuple[float, float], keys: Iterable[str]) -> list[tuple[float, str]]:
    """Places by their distance from a point in kilometres, the nearest first; equals by their keys."""
    return sorted((distance_km(point, (BY_KEY[key].lat, BY_KEY[key].lon)), key) for key in keys if key in BY_KEY)


def places_within(point: tuple[float, float], radius_km: float) -> list[str]:
    """The keys of all places within a distance of a point."""
    return [key for distance, key in by_distance(point, BY_KEY) if distance <= radius_km]


def groups_of_names() -> list[tuple[str, ...]]:
    """What each place is called, for the dictionary."""
    return [tuple(name for name in (place.zh, place.en, place.pinyin, *place.also) if name) for place in PLACES]
