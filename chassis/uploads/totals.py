"""Rows of totals: recognised by how they begin, and checked against the rows that they sum up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from chassis.uploads.cells import NO_CELL, Content, text_of
from chassis.uploads.fields import TotalWords
from chassis.uploads.headings import fold_heading
from chassis.values import read_exact

REMEMBERED = 4_096
_FIGURES = (None, "digits", "number", "formula")


@dataclass
class Sum:
    """What rows come to so far, in the file's own units; ``unread`` is the first row whose figure cannot be read."""

    count: int = 0
    figures: dict[str, Decimal] = field(default_factory=dict)
    unread: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Label:
    """What a row of totals says of itself: whether it sums up all rows above it, and how many they are if it says so."""

    is_whole: bool
    count: int | None


class Totals:
    """Sums the rows of a file up as they are read: ``summed`` are the places of those columns, ``counted`` that of the one
    in which their number may stand.
    """

    def __init__(self, words: TotalWords, summed: Mapping[str, int], counted: tuple[str, int] | None) -> None:
        self._pattern, self._counter = _compile(_freeze(words))
        self._initials = {fold_heading(word)[:1] for word in (*words.whole, *words.part)}
        self._summed, self._counted = summed, counted
        self._whole, self._part = Sum(), Sum()
        self._known: dict[str, re.Match[str] | None] = {}

    def find_label(self, cells: Sequence[Content]) -> Label | None:
        """The label of a row of totals: it stands in the first cell that has anything. None for any other row."""
        first = cells[0] or next(filter(None, cells), NO_CELL)
        if type(first) is not str or (found := self._match(first)) is None:
            return None
        number = self._at(self._counted[1] if self._counted else -1, cells)
        count = found["count"] or (None if number is first else self._read_count(number))
        return Label(found["whole"] is not None, int(count) if count else None)

    def _match(self, text: str) -> re.Match[str] | None:
        if (sign := text[0]).isascii() and sign.isalnum() and sign.lower() not in self._initials:
            return None
        if text not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[text] = self._pattern.fullmatch(fold_heading(text))
        return self._known[text]

    def add(self, row: int, cells: Sequence[Content]) -> None:
        """Take a row in."""
        figures = [(name, read_figure(self._at(place, cells))) for name, place in self._summed.items()]
        for total in (self._whole, self._part):
            total.count += 1
            for name, figure in figures:
                if figure is None:
                    total.unread.setdefault(name, row)
                else:
                    total.figures[name] = total.figures.get(name, Decimal(0)) + figure

    def check(self, label: Label, cells: Sequence[Content]) -> Iterator[tuple[str, str]]:
        """Where a row of totals differs from what it sums up: column and reason, with both figures."""
        rows, self._part = (self._whole if label.is_whole else self._part), Sum()
        if self._counted and label.count is not None and label.count != rows.count:
            yield self._counted[0], f"the total is {label.count} pieces, the rows are {rows.count}"
        for name, place in self._summed.items():
            cell = self._at(place, cells)
            if not text_of(cell).strip():
                continue
            figure, rows_come_to = read_figure(cell), rows.figures.get(name, Decimal(0))
            if figure is None:
                yield name, "the total is not a number in plain digits"
            elif name in rows.unread:
                row = rows.unread[name]
                yield name, f"the total is {figure:f} and cannot be checked: row {row} has no number to read"
            elif figure != rows_come_to:
                yield name, f"the total is {figure:f}, the rows come to {rows_come_to:f}"

    def _at(self, place: int, cells: Sequence[Content]) -> Content:
        return cells[place] if 0 <= place < len(cells) else NO_CELL

    def _read_count(self, cell: Content) -> str | None:
        found = self._counter.fullmatch(fold_heading(text_of(cell)))
        return found["count"] if found else None


def read_figure(cell: Content) -> Decimal | None:
    """The number in a cell as the file has it, in the unit of its heading; None where there is none."""
    if type(cell) is not str and cell[1] not in _FIGURES:
        return None
    try:
        return read_exact(text_of(cell).strip())
    except ValueError:
        return None


def _freeze(words: TotalWords) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    return tuple(words.whole), tuple(words.part), tuple(words.counters)


@lru_cache(32)
def _compile(words: tuple[tuple[str, ...], ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    whole, part, counters = (_alternatives(each) for each in words)
    counter = f"(?P<count>[0-9]{{1,6}})(?:{counters})?"
    return re.compile(f"(?:(?P<whole>{whole})|{part})(?:{counter})?"), re.compile(counter)


def _alternatives(words: tuple[str, ...]) -> str:
    return "|".join(re.escape(fold_heading(word)) for word in sorted(words, key=len, reverse=True)) or r"(?!)"
