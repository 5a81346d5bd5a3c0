"""Reads an uploaded table into rows that the market's pack has checked, and errors by row and column.

Row numbers are those of a spreadsheet; blank rows count and are passed over, the first other row is the heading. A bad row does
not stop the others; a heading without which no row can be read stops all, and so does a row of totals that is not the sum of its
rows: then it is not known which of them the file got wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from chassis.problems import Invalid
from chassis.values import Exact, Quantity
from services.catalog.imports.cells import MAX_COLUMNS, NO_CELL, Cell, NoSuchSheet, NotReadable, Records
from services.catalog.imports.csv_file import read_csv
from services.catalog.imports.headings import Place, UnknownUnit, convert, find_column
from services.catalog.imports.totals import Totals
from services.catalog.imports.workbook import read_workbook
from services.catalog.markets.pack import Column, Columns, Pack
from services.catalog.markets.texts import read_identifier, read_number, read_text
from services.catalog.products.epc import read_epc

MAX_ROWS = 10_000
MAX_BYTES = 10 << 20
MAX_ERRORS = 1_000
_OPTIONAL_COLUMNS = ("epc",)
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


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


def read_sheet(body: bytes, pack: Pack, tab: str | None = None) -> Sheet:
    """The rows of a CSV file or of a sheet of an XLSX workbook, which its first bytes tell apart.

    Raises NotReadable, NoSuchSheet or TooManyRows.
    """
    sheet = Sheet()
    records = _open_records(body, tab)
    row, heading = next(((row, cells) for row, cells in records if any(cell.text for cell in cells)), (0, None))
    if heading is None:
        raise NotReadable("the file is empty", field="$")
    places = _read_heading(sheet, pack, row, [cell.text for cell in heading])
    if places is not None and not _read_rows(sheet, pack, records, places, len(heading)):
        sheet.rows.clear()
    return sheet


def _open_records(body: bytes, tab: str | None) -> Records:
    if body.startswith(_OLE):
        raise NotReadable("this is a workbook of the old kind (XLS): save it as XLSX", field="$")
    if body.startswith(_ZIP):
        return read_workbook(body, tab)
    if tab is not None:
        raise NoSuchSheet("only a workbook has sheets", field="$.sheet")
    return read_csv(body)


def _read_rows(sheet: Sheet, pack: Pack, records: Records, places: dict[str, Place], width: int) -> bool:
    """Read all rows below the heading; whether each row of totals is the sum that it says it is."""
    numbers: dict[str, int] = {}
    tags: dict[str, int] = {}
    totals, is_sound = Totals(pack.totals, places), True
    for row, cells in records:
        if not any(cell.text for cell in cells):
            continue
        if (label := totals.find_label(cells)) is not None:
            for name, detail in totals.check(label, cells):
                sheet.refuse(row, name, detail)
                is_sound = False
            continue
        sheet.count += 1
        if sheet.count > MAX_ROWS:
            raise TooManyRows(f"more than {MAX_ROWS} rows: send the file in parts", field="$")
        totals.add(row, cells)
        found = _read_row(sheet, pack, row, cells, places, width)
        if found and _is_first(sheet, found, numbers, tags):
            sheet.rows.append(found)
    return is_sound


def _read_heading(sheet: Sheet, pack: Pack, row: int, cells: list[str]) -> dict[str, Place] | None:
    """Where each column stands, or None when the rows cannot be read without what is missing or named twice."""
    if len(cells) > MAX_COLUMNS:
        raise NotReadable(f"the heading has more than {MAX_COLUMNS} columns", field="$")
    places: dict[str, Place] = {}
    is_usable = True
    for index, cell in enumerate(cells):
        try:
            found = find_column(pack, cell, index)
        except UnknownUnit as error:
            sheet.errors.append(RowError(row, cell[:64], str(error)))
            continue
        if found is None:
            if cell:
                sheet.errors.append(RowError(row, cell[:64], "no column of this market is called so: it was not read"))
        elif found[0] in places:
            first = cells[places[found[0]].index]
            sheet.errors.append(RowError(row, cell, f"the same column as {first!r}"))
            is_usable = False
        else:
            places[found[0]] = found[1]
            sheet.headings[found[0]] = cell
    for name, label in _required(pack):
        if name not in places:
            sheet.errors.append(RowError(row, label, "this column is missing"))
            is_usable = False
    return places if is_usable else None


def _required(pack: Pack) -> Iterator[tuple[str, str]]:
    for name in Columns.__struct_fields__:
        if name not in _OPTIONAL_COLUMNS:
            yield name, getattr(pack.columns, name).name.en
    for attribute in pack.attributes:
        if attribute.required:
            yield attribute.name, attribute.label.en


@dataclass
class _Reader:
    """Reads the cells of one row by the names of their columns; what cannot be read is noted."""

    sheet: Sheet
    places: dict[str, Place]
    row: int
    cells: list[Cell]
    wrong: set[str] = field(default_factory=set)

    def read(self, name: str, check: Callable[[str], object], *, required: bool, kind: str = "text") -> object:
        place = self.places.get(name)
        cell = self.cells[place.index] if place else NO_CELL
        if not cell.text:
            if required:
                self.refuse(name, "is missing")
            return None
        reason = cell.refuse_as(number=kind == "number", identifier=kind in ("text", "identifier"))
        if reason is not None:
            self.refuse(name, reason)
            return None
        try:
            return check(convert(cell.text, place) if place and kind == "number" else cell.text)
        except ValueError as error:
            self.refuse(name, str(error))
            return None

    def refuse(self, name: str, detail: str) -> None:
        self.wrong.add(name)
        self.sheet.refuse(self.row, name, detail)


def _read_row(
    sheet: Sheet, pack: Pack, row: int, cells: list[Cell], places: dict[str, Place], width: int
) -> Row | None:
    if len(cells) < width or any(cell.text for cell in cells[width:]):
        sheet.refuse(row, "", f"has {len(cells)} cells where the heading has {width}")
        return None
    reader = _Reader(sheet, places, row, cells)
    columns, unit = pack.columns, pack.terms.weight_unit
    number = reader.read("number", read_identifier, required=True, kind="identifier")
    net = reader.read("net", _weight(columns.net, unit), required=True, kind="number")
    gross = reader.read("gross", _weight(columns.gross, unit), required=True, kind="number")
    warehouse = reader.read("warehouse", read_text, required=True)
    epc = reader.read("epc", read_epc, required=False, kind="identifier")
    attributes = _read_attributes(reader, pack)
    if isinstance(net, Quantity) and isinstance(gross, Quantity) and gross < net:
        reader.refuse("gross", "is less than the net weight")
    if reader.wrong:
        return None
    return Row(row, number, attributes, net, gross, warehouse, epc)  # type: ignore[arg-type]


def _read_attributes(reader: _Reader, pack: Pack) -> dict[str, str]:
    """The attributes that a row has; those that its product form requires are missing where it has none."""
    found: dict[str, str] = {}
    for attribute in pack.attributes:
        value = reader.read(
            attribute.name,
            lambda text, of=attribute: pack.check(of, text),
            required=attribute.required,
            kind=attribute.type,
        )
        if isinstance(value, str):
            found[attribute.name] = value
    form = pack.form_of(found)
    for name in form.requires if form else ():
        if name not in found and name not in reader.wrong:
            reader.refuse(name, "is missing")
    return found


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
