"""Asks the search engine for a caller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from services.catalog.markets.data.places import Place
from services.catalog.search.asking import Wanted, facet_field
from services.catalog.search.describing import BETWEEN
from services.catalog.search.engine import SearchEngine
from services.catalog.search.finding import find_things
from services.catalog.search.hits import FoundThing
from services.catalog.search.knowledge import Knowledge, find_knowledge, find_viewer, find_vocabulary
from services.catalog.search.places import BY_KEY
from services.catalog.search.suggesting import Suggestion, suggest

MOST_BUCKETS_SHOWN = 50


class BucketFound(msgspec.Struct, frozen=True):
    """A value of a facet, how many things have it, and what people call it, by language."""

    value: str
    count: int
    label: dict[str, str]


@dataclass(frozen=True)
class Things:
    """A page of found things, how many there are on all pages, the cursor of the next page, and facets."""

    total: int
    items: list[FoundThing]
    next: str | None
    buckets: dict[str, list[BucketFound]]


def search_things(
    session: Session, caller: Caller, engine: SearchEngine, wanted: Wanted, *, cursor: str | None, limit: int
) -> Things:
    """A page of what the caller can find now.

    Raises SearchUnavailable, BadCursor, UnknownFilter, BadFilter or UnknownPlace.
    """
    knowledge = find_knowledge(session)
    found = find_things(
        engine,
        knowledge,
        find_viewer(session, caller),
        wanted,
        now=clock.now(),
        cursor=cursor,
        limit=limit,
        find_spell=lambda: find_vocabulary(session).meant_by,
    )
    buckets = {name: name_buckets(knowledge, name, found.facets.get(facet_field(name), {})) for name in wanted.facets}
    return Things(found.total, found.items, found.next, buckets)


def suggest_words(
    session: Session, caller: Caller, engine: SearchEngine, wanted: Wanted, *, limit: int
) -> list[Suggestion]:
    """What the caller may be typing. Raises SearchUnavailable."""
    return suggest(engine, find_knowledge(session), find_viewer(session, caller), wanted, now=clock.now(), limit=limit)


def name_buckets(knowledge: Knowledge, facet: str, counts: Mapping[str, int]) -> list[BucketFound]:
    """The values of a facet that most things have, with their names."""
    names = knowledge.names_of(facet)
    ranked = sorted(counts, key=lambda value: (-counts[value], value))[:MOST_BUCKETS_SHOWN]
    return [_bucket(value, counts[value], names) for value in ranked]


def _bucket(value: str, count: int, names: Mapping[str, dict[str, str]]) -> BucketFound:
    plain, _, shown = value.partition(BETWEEN)
    if shown:
        return BucketFound(plain, count, {"zh": shown, "en": shown})
    return BucketFound(plain, count, names.get(plain) or _place_names(BY_KEY.get(plain)))


def _place_names(place: Place | None) -> dict[str, str]:
    return {"zh": place.zh, "en": place.en} if place else {}
