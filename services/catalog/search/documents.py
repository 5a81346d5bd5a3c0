"""Makes the document of anything that is found: an offer, a product, or a posting that companies answer to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from chassis.values import Exact, Quantity, UnitPrice
from events.catalog import LicenceNeeded
from services.catalog.markets.pack import Pack
from services.catalog.parties.queries import Name
from services.catalog.search.access import NEVER, Lock, buying_lock, hiding_lock, marks_of
from services.catalog.search.describing import BETWEEN, Attributes, describe, make_label
from services.catalog.search.engine import Document, Key, encode_number
from services.catalog.search.hits import FoundThing, write_hit
from services.catalog.search.keys import milliseconds, price_keys, rank_of, rating_key, time_key
from services.catalog.search.places import key_of, place_in
from services.catalog.search.words import INITIALS, fold, initials_in, place_words_of, words_of, words_of_number

DELIVERY = "deliver_by"
"""The name of the number that is the minute by which something is delivered."""
MINUTE_S = 60
NOWHERE = "-"
"""The place of what has none that the gazetteer knows."""


@dataclass(frozen=True, kw_only=True)
class Thing:
    """What an event says of something that can be found, whatever its kind."""

    kind: str
    id: str
    version: int
    market: str
    owner_id: str
    state: str
    title: str
    answers: list[str]
    pieces: Sequence[Attributes]
    licences: Sequence[LicenceNeeded] = ()
    other_titles: Sequence[str] = ()
    numbers: Sequence[str] = ()
    product_id: str | None = None
    audience: list[str] | None = None
    price: UnitPrice | None = None
    tax_basis: str | None = None
    tax_rate: Exact | None = None
    remaining: Quantity | None = None
    minimum: Quantity | None = None
    step: Quantity | None = None
    terms_version: int | None = None
    free_pieces: int = 0
    place: str = ""
    delivery_mode: str | None = None
    warehouse_id: str | None = None
    deliver_by: datetime | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True)
class Around:
    """What else a document is made of: companies by id, what a market's pack says, how many deals each owner kept."""

    names: Mapping[str, Name] = field(default_factory=dict)
    packs: Mapping[str, Pack] = field(default_factory=dict)
    ratings: Mapping[str, int] = field(default_factory=dict)
    unknown_rating: int = 90


@dataclass(frozen=True)
class Made:
    """A document, and what is kept beside the index: the locks that it has, and its own title for people."""

    document: Document
    locks: tuple[Lock, ...]
    title: str


def make_document(thing: Thing, around: Around) -> Made:
    """The document of something that can be found now."""
    described = describe(around.packs.get(thing.market), thing.pieces)
    hit = _hit(thing, described.shown, around)
    hiding, buying = hiding_lock(thing.licences), buying_lock(thing.licences)
    place = place_in(thing.place) if thing.place else None
    titles = [thing.title, *thing.other_titles]
    heading, places = words_of(*titles), [name for name in (thing.place, hit.warehouse) if name]
    words = words_of(*described.texts, hit.seller, thing.place).union(
        heading, *map(words_of_number, thing.numbers), *map(place_words_of, places)
    )
    where = (thing.place, *((place.zh, place.en) if place else ()))
    named = [*described.names, *filter(None, (hit.seller, hit.warehouse, *where))]
    labels = described.labels | _labels(thing, buying) | {f"place={key_of(place) if place else NOWHERE}"}
    facets: dict[str, Sequence[str]] = {name: sorted(values) for name, values in described.facets.items()}
    facets |= {"market": [thing.market], "kind": [thing.kind], "seller": [f"{thing.owner_id}{BETWEEN}{hit.seller}"]}
    facets |= {"place": [key_of(place)]} if place else {}
    facets |= {"delivery_mode": [thing.delivery_mode]} if thing.delivery_mode else {}
    numbers: dict[str, Sequence[int]] = {name: sorted(values) for name, values in described.numbers.items()}
    if thing.deliver_by:
        numbers[DELIVERY] = [encode_number(Exact(int(thing.deliver_by.timestamp() // MINUTE_S)))]
    document = Document(
        thing_id=thing.id,
        version=thing.version,
        words=frozenset(words.union(*map(initials_in, named))),
        heading=frozenset(heading),
        labels=frozenset(labels),
        access=marks_of(thing.owner_id, thing.audience, hiding),
        facets=facets,
        numbers=numbers,
        pairs=frozenset(described.pairs),
        completions=frozenset().union(*map(completions_of, named)),
        keys=_keys(thing, hit.rating),
        until=milliseconds(thing.valid_until) if thing.valid_until else NEVER,
        body=write_hit(hit),
    )
    return Made(document, (hiding, buying), thing.title)


def _keys(thing: Thing, rating: int) -> dict[Key, int]:
    return {
        Key.NEWEST: rank_of(thing.id),
        Key.DELIVERY: time_key(thing.id, thing.deliver_by),
        Key.RATING: rating_key(thing.id, rating),
        **price_keys(thing.id, thing.price, thing.tax_basis, thing.tax_rate),
    }


def _labels(thing: Thing, buying: Lock) -> set[str]:
    labels = {
        make_label("kind", thing.kind),
        make_label("market", thing.market),
        make_label("seller", thing.owner_id),
        f"buy={buying.id}",
    }
    if thing.price is not None:
        labels.add(make_label("currency", thing.price.currency))
    if thing.delivery_mode:
        labels.add(make_label("delivery_mode", thing.delivery_mode))
    if thing.product_id:
        labels.add(make_label("product", thing.product_id))
    if thing.kind == "offer" and (thing.free_pieces or thing.warehouse_id):
        labels.add("stock=1")
    return labels


@lru_cache(maxsize=20_000)
def completions_of(name: str) -> frozenset[str]:
    """A name under its folded form and under its initials, with what is shown."""
    shown, initials = " ".join(name.split()), initials_in(name)
    longest = max(map(len, initials), default=0)
    keys = {complete_key(shown), *(word.removeprefix(INITIALS) for word in initials if len(word) == longest)}
    return frozenset(f"{key}{BETWEEN}{shown}" for key in keys)


def complete_key(text: str) -> str:
    """What a completion is compared by: folded, with single spaces."""
    return " ".join(fold(text).split())


def _hit(thing: Thing, attributes: dict[str, list[str]], around: Around) -> FoundThing:
    names = around.names
    return FoundThing(
        kind=thing.kind,
        id=thing.id,
        market=thing.market,
        title=thing.title,
        answers=thing.answers,
        seller_id=thing.owner_id,
        seller=names[thing.owner_id].name if thing.owner_id in names else "",
        state=thing.state,
        attributes=attributes,
        place=thing.place,
        rating=around.ratings.get(thing.owner_id, around.unknown_rating),
        offer_id=thing.id if thing.kind == "offer" else None,
        product_id=thing.product_id,
        terms_version=thing.terms_version,
        price=thing.price,
        tax_basis=thing.tax_basis,
        tax_rate=None if thing.tax_rate is None else format(thing.tax_rate, "f"),
        remaining=thing.remaining,
        minimum=thing.minimum,
        step=thing.step,
        pieces=thing.free_pieces,
        delivery_mode=thing.delivery_mode,
        warehouse_id=thing.warehouse_id,
        warehouse=_warehouse(thing, names),
        deliver_by=thing.deliver_by,
        valid_until=thing.valid_until,
    )


def _warehouse(thing: Thing, names: Mapping[str, Name]) -> str | None:
    if thing.warehouse_id is None:
        return None
    return names[thing.warehouse_id].name if thing.warehouse_id in names else ""
