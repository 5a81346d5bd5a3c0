"""Reads a sheet of an XLSX workbook (ECMA-376, SpreadsheetML) as a stream of rows.

The readers that there are give numbers as binary fractions and formulas as their last value; what people have written is
neither. Here a number has the fifteen digits that spreadsheets keep and show, and a formula, date or truth value is named so.
"""

from __future__ import annotations

import posixpath
import re
from decimal import Decimal
from math import isfinite
from typing import BinaryIO

from chassis.uploads.cells import NO_CELL, Cell, Content, Kind, NoSuchSheet, NotReadable, Records
from chassis.uploads.sheet_parts import KEPT_DIGITS, read_rows
from chassis.uploads.text_spool import TextSpool
from chassis.uploads.xml_parts import Archive, Limits, open_archive, walk

MAX_SHEETS = 200
MAX_FORMATS = 100_000
_plain_number = re.compile(r"-?[0-9]+", re.ASCII)
_quoted = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_PLAIN_FORMATS = (0, 1, 49)  # General, 0, text
_DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}


def read_workbook(file: BinaryIO, sheet: str | None, limits: Limits) -> Records:
    """The rows of the named sheet, or of the first one that has any, each at least as wide as its first.

    Raises NotReadable or NoSuchSheet.
    """
    archive = open_archive(file, limits)
    sheets = _find_sheets(archive)
    if sheet is not None and sheet not in sheets:
        raise NoSuchSheet(f"no sheet {sheet!r}: there are {', '.join(sheets)}"[:500], field="$.sheet")
    texts = _read_texts(archive)
    read_cell = _CellReader(_read_styles(archive), texts)
    try:
        for part in [sheets[sheet]] if sheet is not None else sheets.values():
            width = 0
            for row, cells in read_rows(archive, part, read_cell):
                width = width or len(cells)
                yield row, cells + [NO_CELL] * (width - len(cells)) if cells else cells
            if width:
                return
    finally:
        texts.close()


def _find_sheets(archive: Archive) -> dict[str, str]:
    """The parts of the sheets by name, in the order of their tabs."""
    ids: dict[str, str] = {}
    for name, attributes, _ in walk(archive, "xl/workbook.xml"):
        if name == "sheet" and attributes and len(ids) <= MAX_SHEETS:
            ids[attributes.get("name", "")] = attributes.get("id", "")
    wanted = set(ids.values())
    targets = {
        attributes["Id"]: posixpath.normpath(posixpath.join("/xl", attributes.get("Target", ""))).lstrip("/")
        for name, attributes, _ in walk(archive, "xl/_rels/workbook.xml.rels")
        if name == "Relationship"
        and attributes
        and attributes.get("Id") in wanted
        and attributes.get("Type", "").endswith("/worksheet")
    }
    found = {name: targets[id] for name, id in ids.items() if id in targets}
    if not 0 < len(found) <= MAX_SHEETS:
        raise NotReadable(f"the workbook has {len(found)} sheets", field="$")
    return found


def _read_texts(archive: Archive) -> TextSpool:
    """The shared strings; how a text is pronounced is not part of it."""
    texts = TextSpool()
    if not archive.has_part("xl/sharedStrings.xml"):
        return texts
    parts: list[str] = []
    is_spoken = False
    for name, attributes, text in walk(archive, "xl/sharedStrings.xml"):
        if name == "rPh":
            is_spoken = attributes is not None
        elif attributes is None and name == "t" and not is_spoken:
            parts.append(text)
        elif attributes is None and name == "si":
            texts.append("".join(parts))
            parts = []
    return texts


def _read_styles(archive: Archive) -> list[Kind]:
    """What a number is in each cell format: digits as they stand, a number, or a date."""
    if not archive.has_part("xl/styles.xml"):
        return []
    codes: dict[str, str] = {}
    styles: list[Kind] = []
    is_cell_format = False
    for name, attributes, _ in walk(archive, "xl/styles.xml"):
        if name == "cellXfs":
            is_cell_format = attributes is not None
        elif name == "numFmt" and attributes:
            codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name == "xf" and attributes is not None and is_cell_format:
            styles.append(_kind_of_format(attributes.get("numFmtId", "0"), codes))
        if len(codes) + len(styles) > MAX_FORMATS:
            raise NotReadable(f"the workbook has more than {MAX_FORMATS} cell formats", field="$")
    return styles


def _kind_of_format(id: str, codes: dict[str, str]) -> Kind:
    if id in codes:
        code = _quoted.sub("", codes[id].partition(";")[0]).lower()
        return "date" if re.search("[dmyhs]", code) and "general" not in code else "number"
    number = int(id) if id.isdecimal() else -1
    return "digits" if number in _PLAIN_FORMATS else "date" if number in _DATE_FORMATS else "number"


class _CellReader:
    """Makes cells of what a sheet says of them: the type, the style, the value, and whether it is a formula's."""

    def __init__(self, styles: list[Kind], texts: TextSpool) -> None:
        self._styles, self.texts = styles, texts

    def __call__(self, kind: str, style: str, value: str, is_formula: bool) -> Content:
        if kind == "n":
            cell: Content = _read_number(value.strip(), self._style_of(style)) if value.strip() else NO_CELL
        elif kind == "s":
            if not (value.isdecimal() and value.isascii() and len(value) < 10 and int(value) < len(self.texts)):
                raise NotReadable(f"the workbook has no shared text {value[:20]!r}", field="$")
            cell = self.texts[int(value)].strip()
        elif kind in ("b", "e", "d"):
            cell = Cell(value.strip(), {"b": "boolean", "e": "error", "d": "date"}[kind])  # type: ignore[arg-type]
        else:
            cell = value.strip()
        if not is_formula:
            return cell
        return Cell((cell if isinstance(cell, str) else cell.text) or " ", "formula")

    def _style_of(self, style: str) -> Kind:
        number = int(style) if style.isdecimal() and style.isascii() and len(style) < 7 else -1
        styles = self._styles
        return "digits" if not styles and number == 0 else styles[number] if 0 <= number < len(styles) else "number"


def _read_number(raw: str, style: Kind) -> Cell:
    """A number with the digits that spreadsheets keep; one that names something is whole and has no more of them."""
    if style == "date":
        return Cell(raw, "date")
    if _plain_number.fullmatch(raw) and len(raw) <= KEPT_DIGITS:
        return Cell(raw, style)
    try:
        value = float(raw)
    except ValueError:
        return Cell(raw, "error")
    if not isfinite(value):
        return Cell(raw, "number")
    return Cell(format(Decimal(f"{value:.{KEPT_DIGITS}g}"), "f"), "number")
