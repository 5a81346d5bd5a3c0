"""Uploads over HTTP: a blueprint that takes CSV and XLSX where the others take JSON."""

from __future__ import annotations

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.http import Params, View, command
from chassis.values import Identifier, ShortText
from services.catalog.imports import commands
from services.catalog.imports.sheet import MAX_BYTES

routes = Blueprint("imports", __name__)
MEDIA_TYPES = ("text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")


class ImportPieces(Params):
    """What the file's rows are pieces of; ``sheet`` names one of a workbook, otherwise the first that is not empty is read."""

    market: Identifier
    sheet: ShortText | None = None


class CellError(View):
    """What is wrong in one cell; row 1 is the heading."""

    row: int
    column: str
    detail: str


class ImportReport(View):
    """What became of the rows of a file."""

    rows: int
    created: int
    updated: int
    unchanged: int
    errors: list[CellError]
    errors_left_out: int

    @classmethod
    def of(cls, report: commands.Report) -> ImportReport:
        """The view of a report."""
        return cls(
            rows=report.rows,
            created=report.created,
            updated=report.updated,
            unchanged=report.unchanged,
            errors=[CellError(row=error.row, column=error.column, detail=str(error.reason)) for error in report.errors],
            errors_left_out=report.errors_left_out,
        )


@routes.post("/v1/pieces/imports")
@command(role="seller", accept=MEDIA_TYPES, max_bytes=MAX_BYTES)
def import_pieces(session: Session, caller: Caller, params: ImportPieces, body: bytes) -> ImportReport:
    """Upload pieces as CSV (UTF-8 or GB18030) or XLSX: headings in Chinese or English with their units, at most 10,000 rows.

    The same file again changes nothing. A row of totals must be the sum of its rows, or nothing of the file is taken in.
    """
    return ImportReport.of(commands.import_pieces(session, caller, params.market, params.sheet, body))
