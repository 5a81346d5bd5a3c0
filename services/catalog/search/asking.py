"""Turns what somebody looks for into the question that engines are asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from chassis.problems import Invalid
from chassis.units import UNITS
from chassis.values import ShortText
from services.catalog.markets.attributes import Attribute
from services.catalog.markets.data.places import find_place
from services.catalog.search.access import Viewer
from services.catalog.search.describing import make_label
from services.catalog.search.dictionary import Clause, Spell
from services.catalog.search.documents import DELIVERY, MINUTE_S
from services.catalog.search.engine import Key, Order, Question, Range, range_of
from services.catalog.search.keys import milliseconds
from services.catalog.search.knowledge import Knowledge
from services.catalog.search.matcher import ATTRIBUTE
from services.catalog.search.places import places_within
from services.catalog.search.words import INITIALS, PLACE

KINDS = ("offer", "product", "inquiry", "tender", "auction", "capacity", "booking")
PLAIN_FACETS = ("market", "kind", "seller", "place", "delivery_mode", "type")
DEFAULT_CURRENCY = "CNY"
DEFAULT_RADIUS_KM = 100
_number = re.compile(r"\s*(-?[0-9]{1,12}(?:\.[0-9]{1,6})?)\s*([^0-9\s].{0,20})?\s*", re.DOTALL)
_point = re.compile(r"\s*(-?[0-9]{1,2}(?:\.[0-9]{1,8})?)\s*,\s*(-?[0-9]{1,3}(?:\.[0-9]{1,8})?)\s*")
_ends = re.compile(r"(?P<name>[a-z0-9_]+)(?:\.(?P<end>min|max))?")


class UnknownFilter(Invalid):
    """No market has goods that can be asked for by that name."""


class BadFilter(Invalid):
    """The value is none that can be asked for."""


class UnknownPlace(Invalid):
    """The place is not known: give its name, its UN/LOCODE, or latitude and longitude."""


class Sort(StrEnum):
    """In which order things are found; of equal ones the newest comes first, or the id decides."""

    NEWEST = "newest"
    CHEAPEST = "price"
    DEAREST = "-price"
    DISTANCE = "distance"
    DELIVER_BY = "deliver_by"
    RATING = "rating"
    RELEVANCE = "relevance"


FilterName = Annotated[str, Meta(min_length=1, max_length=48, pattern=r"^[a-z][a-z0-9_]*(\.(min|max))?(?![\s\S])")]
Filters = Annotated[
    dict[FilterName, Annotated[list[ShortText], Meta(min_length=1, max_length=20)]], Meta(max_length=20)
]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody looks for; everything given must hold.

    ``filters`` are values of attributes by their filter's name, of which one must be had; with ``.min`` and ``.max``
    the ends of a range, both included, in the attribute's unit unless a unit stands behind the number.
    """

    text: str | None = None
    market: str | None = None
    kinds: list[str] = []
    filters: dict[str, list[str]] = {}
    place: str | None = None
    near: str | None = None
    radius_km: int | None = None
    seller_id: str | None = None
    product_id: str | None = None
    deliver_by: datetime | None = None
    in_stock: bool = False
    allowed: bool = False
    currency: str | None = None
    tax_basis: str = "tax_included"
    sort: Sort = Sort.NEWEST
    facets: list[str] = []


def question_of(
    wanted: Wanted, knowledge: Knowledge, viewer: Viewer, now: datetime, spell: Spell = lambda _: ()
) -> Question | None:
    """The engine's question; None when a text has no word in it, so that nothing can be found.

    Raises UnknownFilter, BadFilter or UnknownPlace.
    """
    clauses = knowledge.dictionary.clauses_of(wanted.text or "", spell)
    places = tuple(map(_at, knowledge.dictionary.clauses_of(wanted.place or "", spell)))
    if (wanted.text and not clauses) or (wanted.place and not places):
        return None
    labels, ranges = _filter(wanted, knowledge)
    return Question(
        now=milliseconds(now),
        clauses=clauses + places,
        labels={**_plain_labels(wanted, viewer), **labels},
        excluded=_excluded(wanted, viewer),
        access=viewer.marks,
        ranges=tuple(ranges),
        facets=tuple(facet_field(name) for name in wanted.facets),
        order=_order_of(wanted),
    )


def words_of_question(wanted: Wanted, knowledge: Knowledge, spell: Spell = lambda _: ()) -> tuple[Clause, ...]:
    """What the best hits have in their titles."""
    return knowledge.dictionary.clauses_of(wanted.text or "", spell)


def facet_field(name: str) -> str:
    """Under which name a facet is counted: ``market``, ``kind`` and the like are plain, others are attributes.

    ``a.kind`` is the attribute that has the name of a plain one.
    """
    return name if name in PLAIN_FACETS else f"{ATTRIBUTE}{attribute_in(name)}"


def attribute_in(name: str) -> str:
    """The filter of an attribute that a facet names."""
    return name.removeprefix("a.")


def _at(clause: Clause) -> Clause:
    alternatives = (words for words in clause if not any(word.startswith(INITIALS) for word in words))
    return tuple(tuple(PLACE + word for word in words) for words in alternatives)


def _plain_labels(wanted: Wanted, viewer: Viewer) -> dict[str, tuple[str, ...]]:
    labels: dict[str, tuple[str, ...]] = {}
    for name, value in (("market", wanted.market), ("seller", wanted.seller_id), ("product", wanted.product_id)):
        if value is not None:
            labels[name] = (make_label(name, value),)
    if wanted.kinds:
        labels["kind"] = tuple(make_label("kind", kind) for kind in wanted.kinds)
    if wanted.in_stock:
        labels["stock"] = ("stock=1",)
    if wanted.allowed and viewer.marks is not None:
        labels["buy"] = tuple(f"buy={lock}" for lock in viewer.opened)
    if wanted.currency or wanted.sort in (Sort.CHEAPEST, Sort.DEAREST):
        labels["currency"] = (make_label("currency", wanted.currency or DEFAULT_CURRENCY),)
    if wanted.near is not None and (wanted.radius_km is not None or wanted.sort is not Sort.DISTANCE):
        near = places_within(point_of(wanted.near), wanted.radius_km or DEFAULT_RADIUS_KM)
        labels["place"] = tuple(f"place={key}" for key in near) or ("place=none",)
    return labels


def _excluded(wanted: Wanted, viewer: Viewer) -> frozenset[str]:
    """Products are only found when they are asked for: what can be answered to comes first."""
    excluded = set() if wanted.kinds else {make_label("kind", "product")}
    if wanted.allowed and viewer.party_id is not None:
        excluded.add(make_label("seller", viewer.party_id))
    return frozenset(excluded)


def point_of(near: str) -> tuple[float, float]:
    """Latitude and longitude of a place, or as they are given. Raises UnknownPlace."""
    if found := _point.fullmatch(near):
        point = float(found[1]), float(found[2])
        if abs(point[0]) <= 90 and abs(point[1]) <= 180:
            return point
    elif place := find_place(near):
        return place.lat, place.lon
    raise UnknownPlace(f"no place {near[:64]!r}", field="$.near")


def _order_of(wanted: Wanted) -> Order:
    with_tax = Key.WITH_TAX if wanted.tax_basis == "tax_included" else Key.WITHOUT_TAX
    return {
        Sort.CHEAPEST: Order(with_tax, descending=False),
        Sort.DEAREST: Order(with_tax),
        Sort.DELIVER_BY: Order(Key.DELIVERY, descending=False),
        Sort.RATING: Order(Key.RATING),
    }.get(wanted.sort, Order())


def _filter(wanted: Wanted, knowledge: Knowledge) -> tuple[dict[str, tuple[str, ...]], list[Range]]:
    labels: dict[str, tuple[str, ...]] = {}
    ranges: dict[str, list[Decimal | None]] = {}
    for name, values in wanted.filters.items():
        found = _ends.fullmatch(name)
        base, end = (found["name"], found["end"]) if found else (name, None)
        attributes = knowledge.attributes_of(base, wanted.market)
        if not attributes:
            raise UnknownFilter(f"no market has goods with {base[:48]!r}", field=f"$.a.{name}")
        if end is None and not _is_counted(attributes):
            labels[ATTRIBUTE + base] = tuple(_labels_of(ATTRIBUTE + base, values, attributes, knowledge))
        else:
            _note_range(ranges, base, end, [_read(value, attributes, knowledge, name) for value in values])
    if wanted.deliver_by is not None:
        ranges[DELIVERY] = [None, Decimal(int(wanted.deliver_by.timestamp() // MINUTE_S))]
    return labels, [
        range_of(name if name == DELIVERY else ATTRIBUTE + name, least, most) for name, (least, most) in ranges.items()
    ]


def _note_range(ranges: dict[str, list[Decimal | None]], name: str, end: str | None, values: Sequence[Decimal]) -> None:
    ends = ranges.setdefault(name, [None, None])
    if end != "max":
        ends[0] = min(values)
    if end != "min":
        ends[1] = max(values)


def _is_counted(attributes: Sequence[Attribute]) -> bool:
    return attributes[0].type in ("number", "date")


def _labels_of(name: str, values: Sequence[str], attributes: Sequence[Attribute], knowledge: Knowledge) -> list[str]:
    codes = [value for text in values for each in attributes for value in knowledge.codes_called(each, text)]
    return list(dict.fromkeys(make_label(name, value) for value in (*values, *codes)))


def _read(text: str, attributes: Sequence[Attribute], knowledge: Knowledge, name: str) -> Decimal:
    """A number in the unit of its attribute, or the day of a date."""
    field = f"$.a.{name}"
    if attributes[0].type == "date":
        try:
            return Decimal(date.fromisoformat(text.strip()).toordinal())
        except ValueError:
            raise BadFilter(f"{text[:40]!r} is not a date such as 2026-03-20", field=field) from None
    found = _number.fullmatch(text)
    if found is None:
        raise BadFilter(f"{text[:40]!r} is not a number", field=field)
    try:
        value = Decimal(found[1])
    except InvalidOperation:
        raise BadFilter(f"{text[:40]!r} is not a number", field=field) from None
    return value * _factor(found[2], attributes, knowledge, field) if found[2] else value


def _factor(word: str, attributes: Sequence[Attribute], knowledge: Knowledge, field: str) -> Decimal:
    code = knowledge.unit_called(word)
    kept = next((attribute.unit for attribute in attributes if attribute.unit), None)
    unit, into = UNITS.get(code or ""), UNITS.get(kept or "")
    if unit is None or into is None or unit.dimension != into.dimension:
        raise BadFilter(
            f"{word[:20]!r} is not a unit that {kept or 'a number without unit'} is measured in", field=field
        )
    return unit.factor / into.factor


Kind = Annotated[str, Meta(pattern="^(" + "|".join(KINDS) + r")(?![\s\S])")]
FacetName = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^(a\.)?[a-z][a-z0-9_]*(?![\s\S])")]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}(?![\s\S])")]
