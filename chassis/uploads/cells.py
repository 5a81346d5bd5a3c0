"""The cells of an uploaded table, whatever file they came in, and what refuses such a file as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from chassis.problems import Invalid

MAX_COLUMNS = 200


class NotReadable(Invalid):
    """The file is neither CSV in UTF-8 or GB18030, nor an XLSX workbook, nor JSON Lines."""


class NoSuchSheet(Invalid):
    """The workbook has no sheet of this name."""


Kind = Literal["digits", "number", "formula", "date", "boolean", "error", "nested", "broken"]

_UNREADABLE = {
    "formula": "is a formula: paste its value",
    "date": "is a date to the spreadsheet: format the column as text",
    "boolean": "is a truth value to the spreadsheet: format the column as text",
    "error": "is an error of the spreadsheet",
    "nested": "has members of its own: write one value",
}
_ALTERED = "is a number of which the spreadsheet may have lost digits or noughts: format the column as text"


class Cell(NamedTuple):
    """What is shown in a cell that is more than text. ``digits`` are a whole number that names something as it stands.

    Of a ``number`` that is not sure. A row that could not be read at all is one ``broken`` cell that says why.
    """

    text: str
    kind: Kind

    def refuse_as(self, *, number: bool, identifier: bool) -> str | None:
        """Why the cell cannot be read as a number, as what names something, or as a word; None where it can."""
        if self.kind == "broken":
            return self.text
        if self.kind in _UNREADABLE:
            return _UNREADABLE[self.kind]
        return _ALTERED if identifier and not number and self.kind == "number" else None


Content = str | Cell
"""A cell: plain text as it stands, without blanks around it and empty where there is nothing, or something else."""
NO_CELL = ""
Row = tuple[int, list[Content]]
Records = Iterator[Row]
"""Rows as a spreadsheet counts them, each with its cells. Rows without any may be absent, and may come more than once: a
reader gives one now and then while it passes over much that is nothing, so that its caller is never away for long."""


def text_of(content: Content) -> str:
    """What is shown in a cell."""
    return content if type(content) is str else content[0]
