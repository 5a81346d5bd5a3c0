"""Rows of totals: recognised by how they begin, and checked against the rows that they sum up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from services.catalog.imports.cells import NO_CELL, Cell
from services.catalog.imports.headings import Place, read_figure
from services.catalog.markets.pack import TotalRows
from services.catalog.markets.texts import fold_heading

SUMMED = ("net", "gross")


@dataclass
class Sum:
    """What rows come to so far, in the file's own units; ``unread`` is the first row whose weight cannot be read."""

    count: int = 0
    figures: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(SUMMED, Decimal(0)))
    unread: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Label:
    """What a row of totals says of itself: whether it sums up all rows above it, and how many they are if it says so."""

    is_whole: bool
    count: int | None


class Totals:
    """Sums the rows of a file up as they are read."""

    def __init__(self, words: TotalRows, places: Mapping[str, Place]) -> None:
        self._words, self._places = words, places
        self._whole, self._part = Sum(), Sum()

    def find_label(self, cells: Sequence[Cell]) -> Label | None:
        """The label of a row of totals: it stands in the first cell that has anything. None for any other row."""
        first = next((cell for cell in cells if cell.text), NO_CELL)
        found = _pattern(self._words).fullmatch(fold_heading(first.text)) if first.kind == "text" else None
        if found is None:
            return None
        number = self._at("number", cells)
        count = found["count"] or (None if number is first else self._read_count(number))
        return Label(found["whole"] is not None, int(count) if count else None)

    def add(self, row: int, cells: Sequence[Cell]) -> None:
        """Take a row of the goods in."""
        for total in (self._whole, self._part):
            total.count += 1
            for name in SUMMED:
                figure = read_figure(self._at(name, cells), self._places[name])
                if figure is None:
                    total.unread.setdefault(name, row)
                else:
                    total.figures[name] += figure

    def check(self, label: Label, cells: Sequence[Cell]) -> Iterator[tuple[str, str]]:
        """Where a row of totals differs from what it sums up: column and reason, with both figures."""
        rows, self._part = (self._whole if label.is_whole else self._part), Sum()
        if label.count is not None and label.count != rows.count:
            yield "number", f"the total is {label.count} pieces, the rows are {rows.count}"
        for name in SUMMED:
            cell = self._at(name, cells)
            if not cell.text.strip():
                continue
            figure = read_figure(cell, self._places[name])
            if figure is None:
                yield name, "the total is not a number in plain digits"
            elif name in rows.unread:
                yield (
                    name,
                    f"the total is {figure:f} and cannot be checked: row {rows.unread[name]} has no weight to read",
                )
            elif figure != rows.figures[name]:
                yield name, f"the total is {figure:f}, the rows come to {rows.figures[name]:f}"

    def _at(self, name: str, cells: Sequence[Cell]) -> Cell:
        place = self._places.get(name)
        return cells[place.index] if place and place.index < len(cells) else NO_CELL

    def _read_count(self, cell: Cell) -> str | None:
        found = _counted(self._words).fullmatch(fold_heading(cell.text))
        return found["count"] if found else None


@lru_cache(32)
def _alternatives(words: tuple[str, ...]) -> str:
    return "|".join(re.escape(fold_heading(word)) for word in sorted(words, key=len, reverse=True)) or r"(?!)"


def _counter(words: TotalRows) -> str:
    return f"(?P<count>[0-9]{{1,6}})(?:{_alternatives(tuple(words.counters))})?"


def _counted(words: TotalRows) -> re.Pattern[str]:
    return re.compile(_counter(words))


def _pattern(words: TotalRows) -> re.Pattern[str]:
    whole, part = _alternatives(tuple(words.whole)), _alternatives(tuple(words.part))
    return re.compile(f"(?:(?P<whole>{whole})|{part})(?:{_counter(words)})?")
