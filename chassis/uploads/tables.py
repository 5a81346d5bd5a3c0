"""Reads an uploaded table: which file it is, its heading, and its rows a batch at a time, with what is wrong by row and column.

Row numbers are those of a spreadsheet; blank rows count and are passed over, the first other row is the heading. What is wrong
with a row follows from the rows up to it alone: reading a file again gives the same, however it is cut into batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from chassis.uploads.cells import MAX_COLUMNS, Cell, Content, NoSuchSheet, NotReadable, Records, Row, text_of
from chassis.uploads.columns import ABSENT, ColumnReader, Refusal, read_nothing
from chassis.uploads.csv_file import read_csv
from chassis.uploads.fields import Field, TotalWords, Values
from chassis.uploads.headings import Column, factor_of
from chassis.uploads.json_lines import read_json_lines
from chassis.uploads.text_spool import Seen
from chassis.uploads.totals import Totals
from chassis.uploads.workbook import read_workbook
from chassis.uploads.xml_parts import Limits

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
SHOWN_VALUE = 100


def find_format(file: BinaryIO) -> str:
    """``xlsx``, ``jsonl`` or ``csv``, by a file's first bytes. Raises NotReadable."""
    file.seek(0)
    beginning = file.read(64)
    if beginning.startswith(_OLE):
        raise NotReadable("this is a workbook of the old kind (XLS): save it as XLSX", field="$")
    if beginning.startswith(_ZIP):
        return "xlsx"
    return "jsonl" if beginning.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{") else "csv"


def open_records(file: BinaryIO, sheet: str | None, limits: Limits) -> Records:
    """The rows of a file, the heading among them. Raises NotReadable or NoSuchSheet, then or while it is read."""
    format = find_format(file)
    if format == "xlsx":
        return read_workbook(file, sheet, limits)
    if sheet is not None:
        raise NoSuchSheet("only a workbook has sheets", field="$.sheet")
    return read_json_lines(file) if format == "jsonl" else read_csv(file)


def read_heading(records: Records) -> tuple[int, list[str]]:
    """The first row that is not blank, as texts. Raises NotReadable."""
    row, cells = next(((row, cells) for row, cells in records if any(cells)), (0, None))
    if cells is None:
        raise NotReadable("the file is empty", field="$")
    if len(cells) > MAX_COLUMNS:
        raise NotReadable(f"the heading has more than {MAX_COLUMNS} columns", field="$")
    return row, [text_of(cell) for cell in cells]


def list_missing(fields: Sequence[Field], columns: Iterable[Column]) -> list[Field]:
    """The fields without which no row can be read and that no column is of."""
    there = {column.field for column in columns}
    return [each for each in fields if each.required and each.default is None and each.name not in there]


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong in one cell: its column as the file calls it, what stands there, and why it is refused; ``zh`` says that
    in Chinese where the reason brought it along."""

    row: int
    column: str
    value: str
    reason: str
    zh: str | None = None


@dataclass
class Checked:
    """What a batch of rows holds: ``count`` rows, of which ``rows`` are right; ``cells`` are theirs as the file has them.

    ``unsound`` totals are not the sum of their rows.
    """

    count: int = 0
    rows: list[tuple[int, Values]] = field(default_factory=list)
    cells: list[list[Content]] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    unsound: int = 0


class Table:
    """Reads the rows below a heading. ``check`` says what is wrong between the cells of a row, by the names of fields."""

    def __init__(
        self,
        fields: Sequence[Field],
        columns: Sequence[Column],
        *,
        check: Callable[[Values], Iterable[tuple[str, str]]],
        totals: TotalWords,
    ) -> None:
        by_name = {each.name: each for each in fields}
        of = {column.field: column for column in columns if column.field in by_name}
        self.headings = {name: column.heading for name, column in of.items()}
        self._width = len(columns)
        self._check = check
        self._readers = [_open_column(each, of[each.name]) for each in fields if each.name in of]
        self._places = {reader.name: reader.index for reader in self._readers}
        self._defaults = {each.name: read_nothing(each) for each in fields if each.name not in of}
        self._unique = [each.name for each in fields if each.unique and each.name in of]
        self._seen = Seen()
        summed = {each.name: of[each.name].index for each in fields if each.summed and each.name in of}
        counted = next(((name, of[name].index) for name in self._unique), None)
        self._totals = Totals(totals, summed, counted) if totals.whole or totals.part else None

    def read(self, records: Sequence[Row]) -> Checked:
        """What some rows that are not blank hold, those of totals among them."""
        checked = Checked()
        rows = self._sort_out(checked, records)
        values, wrong = self._read_cells(rows)
        self._check_rows(rows, values, wrong)
        kept = [place for place in range(len(rows)) if place not in wrong]
        for name in self._unique:
            kept = self._keep_first(name, kept, rows, values, wrong)
        for place in sorted(wrong):
            row, cells = rows[place]
            checked.mistakes += [self.mistake(row, cells, name, reason) for name, reason in wrong[place]]
        checked.mistakes.sort(key=lambda each: each.row)
        checked.rows = [(rows[place][0], values[place]) for place in kept]
        checked.cells = [rows[place][1] for place in kept]
        return checked

    def mistake(self, row: int, cells: Sequence[Content], name: str, reason: str) -> Mistake:
        """What is wrong in the cell of a field; a field that has no column is named itself."""
        place = self._places.get(name)
        value = text_of(cells[place]) if place is not None and place < len(cells) else ""
        return Mistake(row, self.headings.get(name, name), value[:SHOWN_VALUE], reason, getattr(reason, "zh", None))

    def close(self) -> None:
        """Give its temporary file up."""
        self._seen.close()

    def _sort_out(self, checked: Checked, records: Sequence[Row]) -> list[Row]:
        """The rows that are goods and have as many cells as the heading; totals are checked and others refused."""
        rows: list[Row] = []
        width, totals = self._width, self._totals
        for record in records:
            row, cells = record
            if totals is not None:
                if (label := totals.find_label(cells)) is not None:
                    differing = [self.mistake(row, cells, *each) for each in totals.check(label, cells)]
                    checked.unsound += bool(differing)
                    checked.mistakes += differing
                    continue
                totals.add(row, cells)
            checked.count += 1
            if len(cells) == width or (len(cells) > width and not any(cells[width:])):
                rows.append(record)
            else:
                checked.mistakes.append(Mistake(row, "", "", _why_not(cells, width)))
        return rows

    def _read_cells(self, rows: Sequence[Row]) -> tuple[list[Values], dict[int, list[tuple[str, str]]]]:
        wrong: dict[int, list[tuple[str, str]]] = {}
        columns: list[list[Any]] = []
        for reader in self._readers:
            index = reader.index
            found, refused = reader.read([cells[index] for _, cells in rows])
            for place, refusal in refused:
                wrong.setdefault(place, []).append((reader.name, refusal.reason))
            columns.append(found)
        names = [reader.name for reader in self._readers]
        lacking = {name: value for name, value in self._defaults.items() if value is not ABSENT}
        if any(type(value) is Refusal for value in lacking.values()):
            for place in range(len(rows)):
                reasons = [(name, value.reason) for name, value in lacking.items() if type(value) is Refusal]
                wrong.setdefault(place, []).extend(reasons)
        if not columns:
            return [dict(lacking) for _ in rows], wrong
        # What is refused stays out of the row, so that checks between cells see only what is right.
        return [
            {**lacking, **{name: value for name, value in zip(names, found, strict=True) if value is not ABSENT}}
            if place not in wrong
            else _without_refusals({**lacking, **dict(zip(names, found, strict=True))})
            for place, found in enumerate(zip(*columns, strict=True))
        ], wrong

    def _check_rows(
        self, rows: Sequence[Row], values: Sequence[Values], wrong: dict[int, list[tuple[str, str]]]
    ) -> None:
        check = self._check
        for place in range(len(rows)):
            for name, reason in check(values[place]):
                reasons = wrong.setdefault(place, [])
                if name not in [each for each, _ in reasons]:
                    reasons.append((name, reason))

    def _keep_first(
        self,
        name: str,
        kept: list[int],
        rows: Sequence[Row],
        values: Sequence[Values],
        wrong: dict[int, list[tuple[str, str]]],
    ) -> list[int]:
        """Those rows of which a value did not stand in a row before."""
        known = self._seen.find(name, [value for place in kept if (value := values[place].get(name)) is not None])
        first: dict[str, int] = {}
        left = []
        for place in kept:
            value, row = values[place].get(name), rows[place][0]
            before = None if value is None else known.get(value) or first.setdefault(value, row)
            if before is None or before == row:
                left.append(place)
            else:
                wrong[place] = [(name, f"stands in row {before} already")]
        self._seen.add(name, first)
        return left


def _open_column(field: Field, column: Column) -> ColumnReader:
    factor = factor_of(field, column.unit)
    if factor is None:
        raise NotReadable(f"no unit of this column is called {column.unit!r}", field="$")
    return ColumnReader(field, column.index, column.heading, factor)


def _why_not(cells: Sequence[Content], width: int) -> str:
    if cells and isinstance(cells[0], Cell) and cells[0].kind == "broken":
        return cells[0].text
    return f"has {len(cells)} cells where the heading has {width}"


def _without_refusals(values: Values) -> Values:
    return {name: value for name, value in values.items() if value is not ABSENT and type(value) is not Refusal}
