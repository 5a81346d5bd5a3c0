"""Reads a small file in one go into rows that the market's pack has checked, and errors by row and column.

A bad row does not stop the others; a heading without which no row can be read stops all, and so does a row of totals that is not
the sum of its rows: then it is not known which of them the file got wrong.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from itertools import islice

from chassis.uploads.cells import Records
from chassis.uploads.fields import Values
from chassis.uploads.headings import Column, guess_columns
from chassis.uploads.model import TooManyRows
from chassis.uploads.tables import Mistake, Table, list_missing, open_records, read_heading
from chassis.uploads.xml_parts import IN_A_REQUEST
from services.catalog.imports.piece_rows import PieceRows, list_fields, words_of_totals
from services.catalog.markets.pack import Pack

MAX_ROWS = 10_000
MAX_BYTES = 10 << 20
MAX_ERRORS = 1_000
LONGEST_HEADING = 64
BATCH = 2_000


@dataclass
class Sheet:
    """What a file holds: ``count`` rows, of which ``rows`` are right, by their numbers."""

    count: int = 0
    rows: list[tuple[int, Values]] = field(default_factory=list)
    errors: list[Mistake] = field(default_factory=list)
    headings: dict[str, str] = field(default_factory=dict)

    def refuse(self, row: int, name: str, reason: str) -> None:
        """Note what is wrong in a row; ``name`` is that of a field."""
        self.errors.append(Mistake(row, self.headings.get(name, name), "", reason))


def read_sheet(body: bytes, pack: Pack, tab: str | None = None) -> Sheet:
    """The rows of a CSV file, of JSON Lines or of a sheet of an XLSX workbook, which its first bytes tell apart.

    Raises NotReadable, NoSuchSheet or TooManyRows.
    """
    records = open_records(io.BytesIO(body), tab, IN_A_REQUEST)
    row, headings = read_heading(records)
    fields = list_fields(pack)
    columns = guess_columns(fields, headings)
    sheet = Sheet(errors=[_refuse_column(row, column) for column in columns if column.field is None and column.heading])
    missing = list_missing(fields, columns)
    sheet.errors += [Mistake(row, each.label["en"], "", "this column is missing") for each in missing]
    if missing or any(column.reason and column.reason.startswith("the same column") for column in columns):
        return sheet
    table = Table(fields, columns, check=PieceRows(pack).check, totals=words_of_totals(pack))
    sheet.headings = table.headings
    if not _read_rows(sheet, table, records):
        sheet.rows.clear()
    table.close()
    return sheet


def _read_rows(sheet: Sheet, table: Table, records: Records) -> bool:
    """Read all rows below the heading; whether each row of totals is the sum that it says it is."""
    is_sound = True
    filled = ((row, cells) for row, cells in records if any(cells))
    while batch := list(islice(filled, BATCH)):
        checked = table.read(batch)
        sheet.count += checked.count
        sheet.rows += checked.rows
        sheet.errors += checked.mistakes
        is_sound = is_sound and not checked.unsound
        if sheet.count > MAX_ROWS:
            raise TooManyRows(f"more than {MAX_ROWS} rows: send the file in parts", field="$")
    return is_sound


def _refuse_column(row: int, column: Column) -> Mistake:
    reason = column.reason or "no column of this market is called so: it was not read"
    return Mistake(row, column.heading[:LONGEST_HEADING], "", reason)
