"""What a search engine is to the catalog: documents in, found offers out, a rebuild that nobody notices.

Two engines do this: tantivy inside the process, and Elasticsearch. They compare words and numbers that were made here
and in ``words.py``, so that both find the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import Protocol

from chassis.problems import Unavailable
from services.catalog.search.words import Clause

LAYOUT = 1
"""Rises when documents are made differently: an index of another layout is rebuilt."""

_THOUSANDTHS_BITS = 32
_MOST_THOUSANDTHS = (1 << _THOUSANDTHS_BITS) - 1


class SearchUnavailable(Unavailable):
    """The search engine cannot be reached for now."""


class Sort(StrEnum):
    """In which order offers are found; the offer's id decides between equals."""

    NEWEST = "newest"
    CHEAPEST = "price"
    DEAREST = "-price"

    @property
    def key(self) -> str:
        """The field of a document that is sorted by."""
        return "rank" if self is Sort.NEWEST else "price"

    @property
    def descending(self) -> bool:
        """Whether the highest comes first."""
        return self is not Sort.CHEAPEST


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """An offer as an engine keeps it. ``version`` orders what is written about one offer; ``body`` is what a hit shows.

    ``phrases``, ``parts`` and ``places`` are words with spaces between them; ``labels`` are compared as a whole
    (``grade=q235b``); ``numbers`` come from ``encode_number``; ``rank`` and ``price`` are what is sorted by; ``until``
    is in seconds since 1970.
    """

    offer_id: str
    version: int
    phrases: str
    parts: str
    places: str
    labels: tuple[str, ...]
    numbers: tuple[int, ...]
    rank: int
    price: int
    until: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Gone:
    """An offer that is not to be found any more, as of a version."""

    offer_id: str
    version: int


Change = Document | Gone


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Encoded numbers from ``least`` to ``most``, both included."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ended: the sort key and the id of its last offer."""

    key: int
    offer_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What is looked for: everything named must hold.

    ``now`` hides offers whose validity is over (seconds since 1970).
    """

    now: int
    clauses: Sequence[Clause] = ()
    places: Sequence[Clause] = ()
    labels: Sequence[str] = ()
    numbers: Sequence[NumberRange] = ()
    sort: Sort = Sort.NEWEST
    after: Position | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class Hit:
    """A found offer: where it stands in the order, and its body."""

    position: Position
    body: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """A page of hits, and how many there are on all pages."""

    total: int
    hits: list[Hit] = field(default_factory=list)


class SearchEngine(Protocol):
    """An index of offers. Every method may raise SearchUnavailable."""

    def is_ready(self) -> bool:
        """Whether there is an index of the present layout."""

    def write(self, changes: Sequence[Change]) -> None:
        """Take changes in, durably; one that is older than the document of its offer changes nothing."""

    def rebuilt(self) -> AbstractContextManager[Callable[[Sequence[Change]], None]]:
        """A new index, empty, filled by what the context gives.

        When the block ends well it takes the old one's place at once.
        """

    def search(self, question: Question) -> Found:
        """A page of what is found."""

    def refresh(self) -> None:
        """Make what was written findable at once; without it that takes a second at most."""

    def close(self) -> None:
        """Let go of files and connections."""


def encode_number(label: str, value: Decimal) -> int:
    """A number that belongs to a label, as one integer that sorts by the number within the label.

    ``value`` is kept to a thousandth, from 0 to 4,294,967.295; what lies outside is put at the end it lies beyond.
    """
    thousandths = min(max(int(value * 1000), 0), _MOST_THOUSANDTHS)
    digest = int.from_bytes(hashlib.sha256(label.encode()).digest()[:4]) >> 1
    return digest << _THOUSANDTHS_BITS | thousandths


def number_range(label: str, least: Decimal | None, most: Decimal | None) -> NumberRange:
    """The encoded numbers of a label between two ends, both included; None is no end."""
    return NumberRange(
        encode_number(label, Decimal(0) if least is None else least.quantize(Decimal("0.001"), rounding=ROUND_CEILING)),
        encode_number(label, Decimal(_MOST_THOUSANDTHS) if most is None else most),
    )


def newest(changes: Iterable[Change]) -> list[Change]:
    """The latest change of each offer, in the order of their ids."""
    latest: dict[str, Change] = {}
    for change in changes:
        known = latest.get(change.offer_id)
        if known is None or known.version <= change.version:
            latest[change.offer_id] = change
    return [latest[offer_id] for offer_id in sorted(latest)]
