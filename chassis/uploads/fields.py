"""What a service says of an upload of its kind: the columns that it may have, and what becomes of its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.uploads.reasons import Words
from chassis.values import Exact


@dataclass(frozen=True, kw_only=True)
class Field:
    """A column that an upload may have.

    ``read`` makes of a text what is kept, or raises ValueError with the reason in English; it gives the same for the same
    text, as it is asked once for each. ``kind`` says what a spreadsheet's own numbers and dates may be here. ``factors``
    are the units that a heading may name: how many of the unit that is kept make one, by its word without width, case and
    blanks. ``default`` is meant where a file has nothing. A ``unique`` value stands in one row of a file; of a ``summed`` one
    rows of totals are checked.
    """

    name: str
    label: Mapping[str, str]
    headings: Sequence[str]
    read: Callable[[str], Any]
    kind: Literal["text", "number", "identifier", "word", "date"] = "text"
    required: bool = False
    default: str | None = None
    factors: Mapping[str, Exact] = field(default_factory=dict)
    unique: bool = False
    summed: bool = False


@dataclass(frozen=True, kw_only=True)
class TotalWords:
    """How a row begins that sums up all rows above it (``whole``) or those since the last such row (``part``).

    ``counters`` are the words that stand behind a number of rows.
    """

    whole: Sequence[str] = ()
    part: Sequence[str] = ()
    counters: Sequence[str] = ()


@dataclass
class Outcome:
    """What became of rows: how many were taken in and how, and why others were not, by their place and column."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: list[tuple[int, str, str]] = field(default_factory=list)


Values = dict[str, Any]
"""What a row says, by the names of fields; what it does not say is absent."""


class Batcher(Protocol):
    """Takes the rows of one upload in, a batch at a time."""

    def check(self, values: Values) -> Iterable[tuple[str, str]]:
        """What is wrong between the cells of a row, by the name of a field: nothing is looked up."""

    def store(self, session: Session, rows: Sequence[Values]) -> Outcome:
        """Take rows in whose cells are right. Rows that come again change nothing. A row refused stops no other."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What an upload is of."""

    market: str


@dataclass(frozen=True, kw_only=True)
class Importer:
    """A kind of upload: who may send it, which columns it has, and what becomes of its rows.

    ``fields`` raises a problem for options that do not stand. ``words`` tells its reasons in Chinese.
    """

    kind: str
    role: str
    fields: Callable[[Session, Caller, Options], list[Field]]
    open: Callable[[Session, Caller, Options], Batcher]
    totals: Callable[[Session, Options], TotalWords] = lambda _session, _options: TotalWords()
    words: Callable[[Session, Options], Words] = lambda _session, _options: Words()
