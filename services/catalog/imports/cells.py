"""The cells of an uploaded table, whatever file they came in, and what refuses such a file as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from chassis.problems import Invalid

MAX_COLUMNS = 200


class NotReadable(Invalid):
    """The file is neither CSV in UTF-8 or GB18030 nor an XLSX workbook."""


class NoSuchSheet(Invalid):
    """The workbook has no sheet of this name."""


Kind = Literal["text", "digits", "number", "formula", "date", "boolean", "error"]

_UNREADABLE = {
    "formula": "is a formula: paste its value",
    "date": "is a date to the spreadsheet: format the column as text",
    "boolean": "is a truth value to the spreadsheet: format the column as text",
    "error": "is an error of the spreadsheet",
}
_ALTERED = "is a number of which the spreadsheet may have lost digits or noughts: format the column as text"


class Cell(NamedTuple):
    """What is shown in a cell. ``digits`` are a whole number that names something as it stands; of a ``number`` that is not sure.

    All cells of a CSV file are ``text``.
    """

    text: str
    kind: Kind = "text"

    def refuse_as(self, *, number: bool, identifier: bool) -> str | None:
        """Why the cell cannot be read as a number, as what names something, or as a word; None where it can."""
        if self.kind in _UNREADABLE:
            return _UNREADABLE[self.kind]
        return _ALTERED if identifier and not number and self.kind == "number" else None


NO_CELL = Cell("")
Records = Iterator[tuple[int, list[Cell]]]
"""Rows as a spreadsheet counts them, each with its cells; rows without any may be absent."""
