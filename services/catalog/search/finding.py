"""Finds: puts the question, and where the order is one that engines do not have, asks tier by tier.

Sorted by distance, each place is a tier, the nearest first; by relevance, what has every word in its title is the first
tier. Within a tier the newest comes first. A cursor names its tier, and stays good while things come and go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec

from chassis.database import read_cursor, write_cursor
from chassis.problems import Invalid
from services.catalog.search.access import Viewer
from services.catalog.search.asking import Sort, Wanted, point_of, question_of, words_of_question
from services.catalog.search.dictionary import Spell
from services.catalog.search.documents import NOWHERE
from services.catalog.search.engine import Found, Hit, Position, Question, SearchEngine
from services.catalog.search.hits import FoundThing, read_hit
from services.catalog.search.knowledge import Knowledge
from services.catalog.search.places import by_distance, distance_km, place_in

PLACE_FACET = "place"
Counts = dict[str, dict[str, int]]


class BadCursor(Invalid):
    """The cursor was not given by this search."""


@dataclass(frozen=True)
class Results:
    """A page of found things, how many there are on all pages, the counts of facets, and the cursor of the next page."""

    total: int
    items: list[FoundThing]
    next: str | None
    facets: Counts = field(default_factory=dict)


Tier = tuple[str, Question]


def find_things(
    engine: SearchEngine,
    knowledge: Knowledge,
    viewer: Viewer,
    wanted: Wanted,
    *,
    now: datetime,
    cursor: str | None = None,
    limit: int = 20,
    find_spell: Callable[[], Spell] | None = None,
) -> Results:
    """A page of what can be found now; when nothing is, words may be meant that are a slip away.

    Raises SearchUnavailable, BadCursor, UnknownFilter, BadFilter or UnknownPlace.
    """
    found = _find(engine, knowledge, viewer, wanted, now, cursor, limit, lambda _: ())
    if found.total == 0 and find_spell is not None and (wanted.text or wanted.place):
        found = _find(engine, knowledge, viewer, wanted, now, cursor, limit, find_spell())
    return found


def _find(
    engine: SearchEngine,
    knowledge: Knowledge,
    viewer: Viewer,
    wanted: Wanted,
    now: datetime,
    cursor: str | None,
    limit: int,
    spell: Spell,
) -> Results:
    tier, position = _read_cursor(wanted.sort, cursor) if cursor else ("", None)
    question = question_of(wanted, knowledge, viewer, now, spell)
    if question is None:
        return Results(0, [], None, {name: {} for name in wanted.facets})
    question = replace(question, limit=limit + 1 if limit else 0)
    if wanted.sort is Sort.DISTANCE and wanted.near is not None:
        found, tiers = _tiers_by_distance(engine, question, point_of(wanted.near))
    elif wanted.sort is Sort.RELEVANCE and wanted.text:
        found = engine.search(replace(question, limit=0))
        tiers = _tiers_by_relevance(replace(question, facets=()), wanted, knowledge, spell)
    else:
        found = engine.search(replace(question, after=position))
        return _results(found, [("", hit) for hit in found.hits], wanted, viewer, limit)
    hits = _walk(engine, tiers, tier, position, limit + 1) if found.total and limit else []
    return _results(found, hits, wanted, viewer, limit)


def _tiers_by_distance(
    engine: SearchEngine, question: Question, point: tuple[float, float]
) -> tuple[Found, list[Tier]]:
    found = engine.search(replace(question, limit=0, facets=tuple({*question.facets, PLACE_FACET})))
    allowed = question.labels.get(PLACE_FACET)
    counted = found.facets[PLACE_FACET]
    near = [key for _, key in by_distance(point, counted) if allowed is None or f"place={key}" in allowed]
    labels = [f"place={key}" for key in near] + ([f"place={NOWHERE}"] if allowed is None else [])
    bare = replace(question, facets=())
    tiers = [(label, replace(bare, labels={**bare.labels, PLACE_FACET: (label,)})) for label in labels]
    return found, tiers


def _tiers_by_relevance(question: Question, wanted: Wanted, knowledge: Knowledge, spell: Spell) -> list[Tier]:
    words = words_of_question(wanted, knowledge, spell)
    return [("1", replace(question, heading=words)), ("2", replace(question, not_heading=words))]


def _walk(
    engine: SearchEngine, tiers: Sequence[Tier], begin: str, position: Position | None, wanted: int
) -> list[tuple[str, Hit]]:
    """The hits of tiers one after the other, from a position in one of them."""
    names = [name for name, _ in tiers]
    at = names.index(begin) if begin in names else 0
    hits: list[tuple[str, Hit]] = []
    for name, question in tiers[at:]:
        after = position if name == begin else None
        found = engine.search(replace(question, after=after, limit=wanted - len(hits)))
        hits += [(name, hit) for hit in found.hits]
        if len(hits) >= wanted:
            break
    return hits


def _results(found: Found, hits: list[tuple[str, Hit]], wanted: Wanted, viewer: Viewer, limit: int) -> Results:
    point = point_of(wanted.near) if wanted.near is not None else None
    items = [_shown(read_hit(hit.body), viewer, point) for _, hit in hits[:limit]]
    following = None
    if len(hits) > limit:
        tier, last = hits[limit - 1]
        following = _write_cursor(wanted.sort, tier, last.position)
    return Results(found.total, items, following, found.facets)


def _shown(hit: FoundThing, viewer: Viewer, point: tuple[float, float] | None) -> FoundThing:
    """A hit for one who looks: nobody answers to what is its own, and it has a distance from a point."""
    if hit.seller_id == viewer.party_id:
        hit = msgspec.structs.replace(hit, answers=[])
    if point is not None and (place := place_in(hit.place)):
        hit = msgspec.structs.replace(hit, distance_km=round(distance_km(point, (place.lat, place.lon))))
    return hit


def _write_cursor(sort: Sort, tier: str, position: Position) -> str:
    return write_cursor(f"{sort}:{tier.encode().hex()}:{position.key:x}:{position.thing_id}")


def _read_cursor(sort: Sort, cursor: str) -> tuple[str, Position]:
    name, _, rest = read_cursor(cursor).partition(":")
    tier, _, rest = rest.partition(":")
    key, _, thing_id = rest.partition(":")
    try:
        read = bytes.fromhex(tier).decode(), Position(int(key, 16), thing_id)
    except ValueError:
        raise BadCursor("this is not a cursor that a search has given", field="$.cursor") from None
    if name != sort or not thing_id or not 0 <= read[1].key < 2**63:
        raise BadCursor("this cursor belongs to a search in another order", field="$.cursor")
    return read
