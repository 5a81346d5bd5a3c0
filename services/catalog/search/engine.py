"""What a search engine is to the catalog: documents in, found things out, a rebuild that nobody notices.

Two engines do this: tantivy inside the process, and Elasticsearch. They compare words, labels and numbers that were made
here, so that both find the same; ``matcher.py`` says in plain Python what that is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import Protocol

from chassis.problems import Unavailable
from services.catalog.search.dictionary import Clause

LAYOUT = 2
"""Rises when documents are made differently: an index of another layout is rebuilt."""

MOST_BUCKETS = 1_000
"""Of each facet so many values are counted."""
MOST_KEY = 2**63 - 1
_PAIR_BITS = 40
_PAIR_OFFSET = 1 << (_PAIR_BITS - 1)
_MOST_NUMBER = 10**12


class SearchUnavailable(Unavailable):
    """The search engine cannot be reached for now."""


class Key(StrEnum):
    """The fields of a document that are sorted by."""

    NEWEST = "newest"
    WITH_TAX = "with_tax"
    WITHOUT_TAX = "without_tax"
    DELIVERY = "delivery"
    RATING = "rating"


@dataclass(frozen=True, slots=True)
class Order:
    """By which key, and which end comes first; the thing's id decides between equals."""

    key: Key = Key.NEWEST
    descending: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A thing as an engine keeps it. ``version`` orders what is written about one thing; ``body`` is what a hit shows.

    ``words`` is all that it is found by, ``heading`` those of its title. ``labels`` are compared as a whole
    (``a_grade=q235b``), ``access`` says who may see it, ``facets`` are values that are counted, by name. ``numbers`` are
    in millionths, by name; ``pairs`` (see ``encode_pair``) say which number goes with which label where a thing has
    several pieces. ``completions`` are what typing may be completed to. ``keys`` is what is sorted by; ``until`` is in
    milliseconds since 1970.
    """

    thing_id: str
    version: int
    words: frozenset[str]
    heading: frozenset[str]
    labels: frozenset[str]
    access: frozenset[str]
    facets: Mapping[str, Sequence[str]]
    numbers: Mapping[str, Sequence[int]]
    pairs: frozenset[int]
    completions: frozenset[str]
    keys: Mapping[Key, int]
    until: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Gone:
    """A thing that is not to be found any more, as of a version."""

    thing_id: str
    version: int


Change = Document | Gone


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers of a name from ``least`` to ``most``, both included, in millionths; both fit 64 bits."""

    name: str
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ended: the sort key and the id of its last thing."""

    key: int
    thing_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is looked for: everything named must hold.

    ``now`` hides what is no longer valid (milliseconds since 1970). Of each name in ``labels`` one must be had;
    ``access`` are the marks of which one must be had, None for who may see all. ``ranges`` hold for a number of the
    piece that has the ``a_`` labels asked for. ``heading`` words must stand in the title, ``not_heading`` not all of
    them. ``facets`` are counted as if nothing were asked of their own name.
    """

    now: int
    clauses: tuple[Clause, ...] = ()
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    excluded: frozenset[str] = frozenset()
    access: tuple[str, ...] | None = None
    ranges: tuple[Range, ...] = ()
    heading: tuple[Clause, ...] = ()
    not_heading: tuple[Clause, ...] = ()
    facets: tuple[str, ...] = ()
    order: Order = Order()
    after: Position | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class Hit:
    """A found thing: where it stands in the order, and its body."""

    position: Position
    body: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """A page of hits, how many there are on all pages, and the counts of each facet's values."""

    total: int
    hits: list[Hit] = field(default_factory=list)
    facets: dict[str, dict[str, int]] = field(default_factory=dict)


class SearchEngine(Protocol):
    """An index of things. Every method may raise SearchUnavailable."""

    def is_ready(self) -> bool:
        """Whether there is an index of the present layout."""

    def write(self, changes: Sequence[Change]) -> None:
        """Take changes in, durably; one that is older than the document of its thing changes nothing."""

    def rebuilt(self) -> AbstractContextManager[Callable[[Sequence[Change]], None]]:
        """A new index, empty, filled by what the context gives.

        When the block ends well it takes the old one's place at once.
        """

    def search(self, question: Question) -> Found:
        """A page of what is found."""

    def complete(self, question: Question, beginning: str, limit: int) -> dict[str, int]:
        """Completions with this beginning among what a question finds, with how many things have each."""

    def refresh(self) -> None:
        """Make what was written findable at once; without it that takes a second at most."""

    def close(self) -> None:
        """Let go of files and connections."""


def without(question: Question, name: str) -> Question:
    """A question that asks nothing of a name: what the facet of that name is counted by."""
    return replace(
        question,
        labels={other: asked for other, asked in question.labels.items() if other != name},
        ranges=tuple(asked for asked in question.ranges if asked.name != name),
    )


def encode_number(value: Decimal) -> int:
    """A number in millionths; what is further from nought than a million millions is put there."""
    return int(min(max(value, Decimal(-_MOST_NUMBER)), Decimal(_MOST_NUMBER)) * 1_000_000)


def range_of(name: str, least: Decimal | None, most: Decimal | None) -> Range:
    """The numbers of a name between two ends, both included; None is no end."""
    low = Decimal(-_MOST_NUMBER) if least is None else least.quantize(Decimal("0.000001"), rounding=ROUND_CEILING)
    high = Decimal(_MOST_NUMBER) if most is None else most.quantize(Decimal("0.000001"), rounding=ROUND_FLOOR)
    return Range(name, encode_number(low), encode_number(high))


def encode_pair(label: str, name: str, number: int) -> int:
    """A number (in millionths) that stands beside a label, as one integer that sorts by the number.

    It is kept to a thousandth, up to some 549 million; what lies outside is put at the end it lies beyond. 23 bits tell
    one label and name from another.
    """
    thousandths = min(max(number // 1000, -_PAIR_OFFSET), _PAIR_OFFSET - 1) + _PAIR_OFFSET
    digest = int.from_bytes(hashlib.sha256(f"{name}|{label}".encode()).digest()[:4]) >> 9
    return digest << _PAIR_BITS | thousandths


def pair_range(label: str, asked: Range) -> tuple[int, int]:
    """The encoded pairs of a label within a range, both ends included."""
    low = -(-asked.least // 1000) * 1000
    return encode_pair(label, asked.name, low), encode_pair(label, asked.name, asked.most)


def newest(changes: Iterable[Change]) -> list[Change]:
    """The latest change of each thing, in the order of their ids."""
    latest: dict[str, Change] = {}
    for change in changes:
        known = latest.get(change.thing_id)
        if known is None or known.version <= change.version:
            latest[change.thing_id] = change
    return [latest[thing_id] for thing_id in sorted(latest)]
