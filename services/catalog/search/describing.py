"""Makes a document's words, labels, numbers and facets of the attributes that its pieces have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache

from services.catalog.markets.attributes import Attribute
from services.catalog.markets.pack import Pack
from services.catalog.markets.reading import split_values
from services.catalog.search.engine import encode_number, encode_pair
from services.catalog.search.matcher import ATTRIBUTE, MIXED
from services.catalog.search.words import fold_label

BETWEEN = "\t"
"""Stands between what is compared and what is shown."""
Attributes = Mapping[str, str]


@lru_cache(maxsize=50_000)
def make_label(name: str, value: str) -> str:
    """How a value is compared as a whole."""
    return f"{name}={fold_label(value)}"


def is_told(attribute: Attribute) -> bool:
    """Whether a search shows an attribute: an identifier only where it names a product, and can be asked for."""
    return attribute.type != "identifier" or (attribute.level == "product" and attribute.filter is not None)


def number_in(attribute: Attribute, value: str) -> int | None:
    """A number or the day of a date as an engine keeps it; None for anything else."""
    return _number_in(attribute.type, value) if attribute.type in ("number", "date") else None


@lru_cache(maxsize=50_000)
def _number_in(type: str, value: str) -> int | None:
    try:
        return encode_number(Decimal(value) if type == "number" else Decimal(date.fromisoformat(value).toordinal()))
    except ArithmeticError:
        return None


@dataclass
class Described:
    """What the pieces of a thing (or its product) come to."""

    texts: dict[str, None] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)
    labels: set[str] = field(default_factory=set)
    numbers: dict[str, set[int]] = field(default_factory=dict)
    pairs: set[int] = field(default_factory=set)
    facets: dict[str, set[str]] = field(default_factory=dict)
    shown: dict[str, list[str]] = field(default_factory=dict)


def describe(pack: Pack | None, pieces: Sequence[Attributes]) -> Described:
    """The attributes of one or several pieces by their market's pack; nothing where the market is not known."""
    made = Described()
    if pack is None:
        return made
    different = (
        list(pieces) if len(pieces) < 2 else list({tuple(sorted(each.items())): each for each in pieces}.values())
    )
    sides = {_describe_one(made, pack, attributes) for attributes in different}
    if len(sides) > 1:
        made.labels.add(MIXED)
        for labels, numbers in sides:
            made.pairs |= {encode_pair(label, name, number) for label in labels for name, number in numbers}
    made.shown = _shown(pack, different)
    return made


Side = tuple[frozenset[str], frozenset[tuple[str, int]]]


def _describe_one(made: Described, pack: Pack, attributes: Attributes) -> Side:
    labels: set[str] = set()
    numbers: set[tuple[str, int]] = set()
    for name, kept in attributes.items():
        if (attribute := pack.by_name.get(name)) is None or not is_told(attribute):
            continue
        values = split_values(attribute, kept)
        _note_words(made, pack, attribute, values)
        if attribute.filter:
            _note_filter(made, attribute, values, labels, numbers)
    if kind := pack.type_of(attributes):
        labels.add(make_label("type", kind.name))
        made.facets.setdefault("type", set()).add(kind.name)
    made.labels |= labels
    for name, number in numbers:
        made.numbers.setdefault(name, set()).add(number)
    return frozenset(labels), frozenset(numbers)


def _note_words(made: Described, pack: Pack, attribute: Attribute, values: Iterable[str]) -> None:
    if not attribute.searchable:
        return
    for value in values:
        choice = pack.choice_of(attribute, value) if attribute.type == "choice" else None
        if choice is not None:
            made.texts |= dict.fromkeys((value, choice.name.zh, choice.name.en, *choice.also))
            made.names |= dict.fromkeys((choice.name.zh, choice.name.en))
        else:
            made.texts[value] = None
            if attribute.type == "text":
                made.names[value] = None


def _note_filter(
    made: Described, attribute: Attribute, values: Iterable[str], labels: set[str], numbers: set[tuple[str, int]]
) -> None:
    name = f"{ATTRIBUTE}{attribute.filter}"
    for value in values:
        made.facets.setdefault(name, set()).add(value)
        if (number := number_in(attribute, value)) is not None:
            numbers.add((name, number))
        else:
            labels.add(make_label(name, value))


def _shown(pack: Pack, pieces: Sequence[Attributes]) -> dict[str, list[str]]:
    """The different values of each attribute that is shown."""
    if len(pieces) == 1:
        kept = pieces[0]
        return {each.name: [kept[each.name]] for each in pack.attributes if each.name in kept and is_told(each)}
    names = [attribute.name for attribute in pack.attributes if is_told(attribute)]
    found = {name: sorted({piece[name] for piece in pieces if name in piece}) for name in names}
    return {name: values for name, values in found.items() if values}
