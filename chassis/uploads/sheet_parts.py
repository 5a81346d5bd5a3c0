"""Reads the rows of one sheet of a workbook from its XML: what costs most of a large upload, so each cell takes few steps."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from chassis.uploads.cells import NO_CELL, Content, NotReadable, Row
from chassis.uploads.xml_parts import Archive, Parser, local

MAX_COLUMN = 16_384
KEPT_DIGITS = 15
TICK_CHUNKS = 128
"""After so many chunks of XML without a row an empty one is given."""
_reference = re.compile(r"([A-Z]{1,3})[0-9]{1,7}", re.ASCII)
ReadCell = Callable[[str, str, str, bool], Content]


def read_rows(archive: Archive, part: str, read_cell: ReadCell) -> Iterator[Row]:
    """The rows of a sheet that have anything. Raises NotReadable."""
    sheet = _Sheet(read_cell)
    parser = Parser(sheet.begin, sheet.end, sheet.add_text, separator=None)
    tags = empty = 0
    for chunk in archive.read(part):
        parser.feed(chunk, part, sheet.texts)
        tags += chunk.count(b"<") - chunk.count(b"</")
        if tags > archive.limits.sheet_elements:
            raise NotReadable(f"a sheet has more than {archive.limits.sheet_elements} elements", field="$")
        if sheet.rows:
            yield from sheet.rows
            sheet.rows.clear()
            empty = 0
        elif (empty := empty + 1) % TICK_CHUNKS == 0:
            yield sheet.row, []


class _Sheet:
    """The handlers of a sheet's parser, the rows that were read and not yet given, and the texts of the cell in hand."""

    def __init__(self, read_cell: ReadCell) -> None:
        self.rows: list[Row] = []
        self.row = 0
        self._read_cell = read_cell
        self._cells: list[Content] = []
        self._has_any = False
        self._cell: dict[str, str] | None = None
        self.texts: list[str] = []
        self._is_value = self._is_formula = self._is_spoken = False

    def begin(self, element: str, attributes: dict[str, str]) -> None:
        name = _SHORT.get(element) or _shorten(element)
        if name == "c":
            self._cell, self._is_formula = attributes, False
            self.texts = []
        elif name == "v":
            self._is_value = not self._is_spoken
        elif name == "row":
            self.row = _row_number(attributes, self.row)
            self._cells, self._has_any = [], False
        elif name == "rPh":
            self._is_spoken = True
        elif name == "f":
            self._is_formula = True

    def end(self, element: str) -> None:
        name = _SHORT.get(element) or _shorten(element)
        if name == "v":
            self._is_value = False
        elif name == "c" and self._cell is not None:
            self._end_cell(self._cell)
        elif name == "row" and self._has_any:
            while not self._cells[-1]:
                self._cells.pop()
            self.rows.append((self.row, self._cells))
        elif name == "rPh":
            self._is_spoken = False

    def add_text(self, text: str) -> None:
        if self._is_value:
            self.texts.append(text)

    def _end_cell(self, attributes: dict[str, str]) -> None:
        self._cell, cells = None, self._cells
        place = _column_number(attributes["r"]) if "r" in attributes else len(cells) + 1
        if (gap := place - len(cells) - 1) < 0 or place > MAX_COLUMN:
            raise NotReadable(f"a row of the workbook has cells out of order, or more than {MAX_COLUMN}", field="$")
        if gap:
            cells.extend([NO_CELL] * gap)
        if not self.texts and not self._is_formula:
            cells.append(NO_CELL)
            return
        value = "".join(self.texts)
        content = self._read_cell(attributes.get("t", "n"), attributes.get("s", "0"), value, self._is_formula)
        cells.append(content)
        if content:
            self._has_any = True


_SHORT = {"c": "c", "v": "v", "t": "v", "row": "row", "is": "is", "rPh": "rPh", "f": "f"}
"""Names of elements; a value and a text are the same to a cell."""


def _shorten(element: str) -> str:
    return _SHORT.get(local(element), element)


def _row_number(attributes: dict[str, str], before: int) -> int:
    text = attributes.get("r", str(before + 1))
    if not (text.isdecimal() and text.isascii() and len(text) <= 7 and int(text) > before):
        raise NotReadable(f"after row {before} the workbook has a row that calls itself {text[:20]!r}", field="$")
    return int(text)


def _column_number(reference: str) -> int:
    if (found := _reference.fullmatch(reference)) is None:
        raise NotReadable(f"the workbook has a cell that calls itself {reference[:20]!r}", field="$")
    return _number_of(found[1])


@lru_cache(MAX_COLUMN)
def _number_of(letters: str) -> int:
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return column
