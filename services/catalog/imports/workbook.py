"""Reads a sheet of an XLSX workbook (ECMA-376, SpreadsheetML) as a stream of rows.

The readers that there are give numbers as binary fractions and formulas as their last value; what a mill has written is
neither. Here a number has the fifteen digits that spreadsheets keep and show, and a formula, date or truth value is named so.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from math import isfinite

from services.catalog.imports.cells import NO_CELL, Cell, Kind, NoSuchSheet, NotReadable, Records
from services.catalog.imports.xml_parts import has_part, open_archive, walk

MAX_SHEETS = 200
MAX_COLUMN = 16_384
KEPT_DIGITS = 15
_reference = re.compile(r"([A-Z]{1,3})[0-9]{1,7}", re.ASCII)
_plain_number = re.compile(r"-?[0-9]+", re.ASCII)
_quoted = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_PLAIN_FORMATS = (0, 1, 49)  # General, 0, text
_DATE_FORMATS = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}


def read_workbook(body: bytes, sheet: str | None) -> Records:
    """The rows of the named sheet, or of the first one that has any, each at least as wide as its first.

    Raises NotReadable or NoSuchSheet.
    """
    archive = open_archive(body)
    sheets = _find_sheets(archive)
    if sheet is not None and sheet not in sheets:
        raise NoSuchSheet(f"no sheet {sheet!r}: there are {', '.join(sheets)}"[:500], field="$.sheet")
    texts, styles = _read_texts(archive), _read_styles(archive)
    for part in [sheets[sheet]] if sheet is not None else sheets.values():
        width = 0
        for row, cells in _read_rows(archive, part, texts, styles):
            width = width or len(cells)
            yield row, cells + [NO_CELL] * (width - len(cells))
        if width:
            return


def _find_sheets(archive: zipfile.ZipFile) -> dict[str, str]:
    """The parts of the sheets by name, in the order of their tabs."""
    targets = {
        attributes.get("Id", ""): posixpath.normpath(posixpath.join("/xl", attributes.get("Target", ""))).lstrip("/")
        for name, attributes, _ in walk(archive, "xl/_rels/workbook.xml.rels")
        if name == "Relationship" and attributes and attributes.get("Type", "").endswith("/worksheet")
    }
    found = {
        attributes.get("name", ""): targets[attributes["id"]]
        for name, attributes, _ in walk(archive, "xl/workbook.xml")
        if name == "sheet" and attributes and attributes.get("id") in targets
    }
    if not 0 < len(found) <= MAX_SHEETS:
        raise NotReadable(f"the workbook has {len(found)} sheets", field="$")
    return found


def _read_texts(archive: zipfile.ZipFile) -> list[str]:
    """The shared strings; how a text is pronounced is not part of it."""
    texts: list[str] = []
    if not has_part(archive, "xl/sharedStrings.xml"):
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


def _read_styles(archive: zipfile.ZipFile) -> list[Kind]:
    """What a number is in each cell format: digits as they stand, a number, or a date."""
    if not has_part(archive, "xl/styles.xml"):
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
    return styles


def _kind_of_format(id: str, codes: dict[str, str]) -> Kind:
    if id in codes:
        code = _quoted.sub("", codes[id].partition(";")[0]).lower()
        return "date" if re.search("[dmyhs]", code) and "general" not in code else "number"
    number = int(id) if id.isdecimal() else -1
    return "digits" if number in _PLAIN_FORMATS else "date" if number in _DATE_FORMATS else "number"


def _read_rows(
    archive: zipfile.ZipFile, part: str, texts: list[str], styles: list[Kind]
) -> Iterator[tuple[int, list[Cell]]]:
    row = 0
    cells: dict[int, Cell] = {}
    for name, attributes, value in _walk_cells(archive, part):
        if name == "row" and attributes is not None:
            row, cells, column = _row_number(attributes, row), {}, 0
        elif name == "row" and any(cell.text for cell in cells.values()):
            yield row, [cells.get(column, NO_CELL) for column in range(1, max(cells) + 1)]
        elif name == "c" and attributes is not None:
            column = _column_number(attributes, column)
            cell = _read_cell(attributes, value, texts, styles)
            if cell.text or cell.kind != "text":
                cells[column] = cell


def _walk_cells(archive: zipfile.ZipFile, part: str) -> Iterator[tuple[str, dict[str, str] | None, str]]:
    """Rows at their beginning and end, and each cell once, with its value; ``f`` among its attributes marks a formula."""
    cell: dict[str, str] | None = None
    value: list[str] = []
    is_spoken = False
    for name, attributes, text in walk(archive, part):
        if name == "row":
            yield name, attributes, ""
        elif name == "c" and attributes is not None:
            cell, value = dict(attributes), []
        elif name == "c" and cell is not None:
            yield name, cell, "".join(value)
            cell = None
        elif name == "rPh":
            is_spoken = attributes is not None
        elif name == "f" and cell is not None:
            cell["f"] = ""
        elif attributes is None and name in ("v", "t") and not is_spoken:
            value.append(text)


def _row_number(attributes: dict[str, str], before: int) -> int:
    text = attributes.get("r", str(before + 1))
    if not (text.isdecimal() and text.isascii() and len(text) <= 7 and int(text) > before):
        raise NotReadable(f"after row {before} the workbook has a row that calls itself {text[:20]!r}", field="$")
    return int(text)


def _column_number(attributes: dict[str, str], before: int) -> int:
    column = before + 1
    if "r" in attributes:
        if (found := _reference.fullmatch(attributes["r"])) is None:
            raise NotReadable(f"the workbook has a cell that calls itself {attributes['r'][:20]!r}", field="$")
        column = 0
        for letter in found[1]:
            column = column * 26 + ord(letter) - 64
    if not before < column <= MAX_COLUMN:
        raise NotReadable(f"a row of the workbook has cells out of order, or more than {MAX_COLUMN}", field="$")
    return column


def _read_cell(attributes: dict[str, str], value: str, texts: list[str], styles: list[Kind]) -> Cell:
    kind = attributes.get("t", "n")
    if kind == "n":
        cell = _read_number(value.strip(), _style_of(attributes, styles)) if value.strip() else NO_CELL
    elif kind == "s":
        if not (value.isdecimal() and value.isascii() and len(value) < 10 and int(value) < len(texts)):
            raise NotReadable(f"the workbook has no shared text {value[:20]!r}", field="$")
        cell = Cell(texts[int(value)].strip())
    elif kind in ("b", "e", "d"):
        cell = Cell(value.strip(), {"b": "boolean", "e": "error", "d": "date"}[kind])  # type: ignore[arg-type]
    else:
        cell = Cell(value.strip())
    return Cell(cell.text or " ", "formula") if "f" in attributes else cell


def _style_of(attributes: dict[str, str], styles: list[Kind]) -> Kind:
    style = attributes.get("s", "0")
    number = int(style) if style.isdecimal() and style.isascii() and len(style) < 7 else -1
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
