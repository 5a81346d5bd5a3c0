"""Reads the cells of a column all at once: each different one is checked once and its result kept, as far as there is room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chassis.uploads.cells import Content, text_of
from chassis.uploads.fields import Field
from chassis.uploads.reasons import reason_of
from chassis.values import Exact, read_exact

REMEMBERED = 8_192


class Absent:
    """What stands for a cell in which there is nothing."""


class Refusal:
    """Why a cell is not taken."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


ABSENT = Absent()


class ColumnReader:
    """The column of a field: ``factor`` of the unit that is kept make one of those that the file has."""

    def __init__(self, field: Field, index: int, heading: str, factor: Exact) -> None:
        self.name, self.index, self.heading = field.name, index, heading
        self._field, self._factor = field, factor
        self._nothing = read_nothing(field)
        self._is_number = field.kind == "number"
        self._is_identifier = field.kind in ("text", "identifier")
        self._known: dict[Content, Any] = {}

    def read(self, cells: Sequence[Content]) -> tuple[list[Any], list[tuple[int, Refusal]]]:
        """What each cell says, and the places of those that are refused."""
        if len(self._known) > REMEMBERED:
            self._known.clear()
        known = self._known
        # None is what a dict says of a cell that it has not seen; no cell is read as None.
        found = list(map(known.get, cells))
        if None in found:
            for place, value in enumerate(found):
                if value is None:
                    cell = cells[place]
                    if (value := known.get(cell)) is None:
                        value = known[cell] = self._read_one(cell)
                    found[place] = value
        refused = [(place, value) for place, value in enumerate(found) if type(value) is Refusal]
        return found, refused

    def _read_one(self, cell: Content) -> Any:
        if not cell or not text_of(cell):
            return self._nothing
        if type(cell) is not str:
            reason = cell.refuse_as(number=self._is_number, identifier=self._is_identifier)
            if reason is not None:
                return Refusal(reason)
        try:
            return self._field.read(self._convert(text_of(cell)))
        except ValueError as error:
            return Refusal(reason_of(error))

    def _convert(self, text: str) -> str:
        """A number's text in the unit in which its column is kept, exactly; what is no number is left as it is."""
        if self._factor == 1:
            return text
        try:
            value = read_exact(text)
        except ValueError:
            return text
        return format((value * self._factor).normalize(), "f")


def read_nothing(field: Field) -> Any:
    """What a field says where a file has nothing for it."""
    if field.default is not None:
        return field.read(field.default)
    return Refusal("is missing") if field.required else ABSENT
