"""Reads an uploaded CSV file into rows that the market's pack has checked, and errors by row and column.

Row 1 is the heading, as a spreadsheet counts; blank rows count and are passed over. A bad row does not stop the others;
a heading without which no row can be read stops all.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from chassis.problems import Invalid
from chassis.values import Exact, Quantity
from services.catalog.markets.pack import Column, Columns, Pack, fold_heading, read_identifier, read_number, read_text
from services.catalog.products.epc import read_epc

MAX_ROWS = 10_000
MAX_BYTES = 10 << 20
MAX_COLUMNS = 200
MAX_ERRORS = 1_000
_OPTIONAL_COLUMNS = ("epc",)


class NotReadable(Invalid):
    """The file is not a CSV file in UTF-8."""


class TooManyRows(Invalid):
    """The file has more rows than one upload may have."""


class RowError(Exception):
    """What is wrong in one cell; the column is the heading as it was written."""

    def __init__(self, row: int, column: str, detail: str) -> None:
        super().__init__(f"row {row}, {column}: {detail}")
        self.row, self.column, self.detail = row, column, detail


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is right as far as the file alone can tell; ``warehouse`` is still the text that names it."""

    row: int
    number: str
    attributes: dict[str, str]
    net: Quantity
    gross: Quantity
    warehouse: str
    epc: str | None


@dataclass
class Sheet:
    """What a file holds: ``count`` rows, of which ``rows`` are right.

    ``headings`` are names as the file writes them.
    """

    count: int = 0
    rows: list[Row] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    headings: dict[str, str] = field(default_factory=dict)

    def refuse(self, row: int, name: str, detail: str) -> None:
        """Note what is wrong in a row; ``name`` is that of an attribute or column."""
        self.errors.append(RowError(row, self.headings.get(name, name), detail))


def read_sheet(body: bytes, pack: Pack) -> Sheet:
    """The rows of a CSV file in UTF-8, with or without a byte order mark. Raises NotReadable or TooManyRows."""
    sheet = Sheet()
    records = _read_records(body)
    heading = next(records, None)
    if heading is None:
        raise NotReadable("the file is empty", field="$")
    places = _read_heading(sheet, pack, heading[1])
    if places is None:
        return sheet
    numbers: dict[str, int] = {}
    tags: dict[str, int] = {}
    for row, cells in records:
        if not any(cells):
            continue
        sheet.count += 1
        if sheet.count > MAX_ROWS:
            raise TooManyRows(f"more than {MAX_ROWS} rows: send the file in parts", field="$")
        found = _read_row(sheet, pack, row, cells, places, len(heading[1]))
        if found and _is_first(sheet, found, numbers, tags):
            sheet.rows.append(found)
    return sheet


def _read_records(body: bytes) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(body), "utf-8-sig", newline=""), strict=True)
    row = 0
    try:
        for row, cells in enumerate(reader, start=1):
            yield row, [cell.strip() for cell in cells]
    except UnicodeDecodeError as error:
        raise NotReadable(f"after row {row} there are bytes that are not UTF-8 ({error.reason})", field="$") from None
    except csv.Error as error:
        raise NotReadable(f"after row {row}: {error}", field="$") from None


def _read_heading(sheet: Sheet, pack: Pack, cells: list[str]) -> dict[str, int] | None:
    """Where each column stands, or None when the rows cannot be read without what is missing or named twice."""
    if len(cells) > MAX_COLUMNS:
        raise NotReadable(f"the heading has more than {MAX_COLUMNS} columns", field="$")
    places: dict[str, int] = {}
    is_usable = True
    for place, cell in enumerate(cells):
        name = pack.by_heading.get(fold_heading(cell))
        if name is None:
            sheet.errors.append(RowError(1, cell[:64], "no column of this market is called so: it was not read"))
        elif name in places:
            sheet.errors.append(RowError(1, cell, f"the same column as {cells[places[name]]!r}"))
            is_usable = False
        else:
            places[name] = place
            sheet.headings[name] = cell
    for name, label in _required(pack):
        if name not in places:
            sheet.errors.append(RowError(1, label, "this column is missing"))
            is_usable = False
    return places if is_usable else None


def _required(pack: Pack) -> Iterator[tuple[str, str]]:
    for name in Columns.__struct_fields__:
        if name not in _OPTIONAL_COLUMNS:
            yield name, getattr(pack.columns, name).name.en
    for attribute in pack.attributes:
        if attribute.required:
            yield attribute.name, attribute.label.en


def _read_row(sheet: Sheet, pack: Pack, row: int, cells: list[str], places: dict[str, int], width: int) -> Row | None:
    if len(cells) < width or any(cells[width:]):
        sheet.refuse(row, "", f"has {len(cells)} cells where the heading has {width}")
        return None
    before = len(sheet.errors)

    def read(name: str, check: Callable[[str], object], *, required: bool) -> object:
        text = cells[places[name]] if name in places else ""
        if not text:
            if required:
                sheet.refuse(row, name, "is missing")
            return None
        try:
            return check(text)
        except ValueError as error:
            sheet.refuse(row, name, str(error))
            return None

    columns, unit = pack.columns, pack.terms.weight_unit
    number = read("number", read_identifier, required=True)
    net = read("net", _weight(columns.net, unit), required=True)
    gross = read("gross", _weight(columns.gross, unit), required=True)
    warehouse = read("warehouse", read_text, required=True)
    epc = read("epc", read_epc, required=False)
    attributes = {
        attribute.name: value
        for attribute in pack.attributes
        if (value := read(attribute.name, lambda text, of=attribute: pack.check(of, text), required=attribute.required))
        is not None
    }
    if isinstance(net, Quantity) and isinstance(gross, Quantity) and gross < net:
        sheet.refuse(row, "gross", "is less than the net weight")
    if len(sheet.errors) > before:
        return None
    return Row(row, number, attributes, net, gross, warehouse, epc)  # type: ignore[arg-type]


def _weight(column: Column, unit: str) -> Callable[[str], Quantity]:
    return lambda text: Quantity(Exact(read_number(text, column)), unit)


def _is_first(sheet: Sheet, found: Row, numbers: dict[str, int], tags: dict[str, int]) -> bool:
    if (before := numbers.setdefault(found.number, found.row)) != found.row:
        sheet.refuse(found.row, "number", f"stands in row {before} already")
        return False
    if found.epc and (before := tags.setdefault(found.epc, found.row)) != found.row:
        sheet.refuse(found.row, "epc", f"is on the piece of row {before} already")
        return False
    return True
