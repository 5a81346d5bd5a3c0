"""Takes a small file in: what can be is, the rest is told by row and column."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.uploads.tables import Mistake
from services.catalog.imports.piece_rows import store_pieces
from services.catalog.imports.sheet import MAX_ERRORS, read_sheet
from services.catalog.markets.queries import pack_of


@dataclass(frozen=True, kw_only=True)
class Report:
    """What became of an upload; ``errors`` are at most MAX_ERRORS, the others are ``errors_left_out``."""

    rows: int
    created: int
    updated: int
    unchanged: int
    errors: list[Mistake]
    errors_left_out: int


def import_pieces(session: Session, caller: Caller, market: str, tab: str | None, body: bytes) -> Report:
    """Make or change the caller's pieces by a CSV file or a sheet of a workbook.

    Raises UnknownMarket, NotReadable, NoSuchSheet or TooManyRows: then nothing was done. Nothing of a file is taken in either
    when one of its rows of totals is not the sum of its rows.
    """
    pack = pack_of(session, market)
    sheet = read_sheet(body, pack, tab)
    outcome = store_pieces(session, caller, pack, [values for _, values in sheet.rows])
    for place, name, reason in outcome.refused:
        sheet.refuse(sheet.rows[place][0], name, reason)
    errors = sorted(sheet.errors, key=lambda error: error.row)
    return Report(
        rows=sheet.count,
        created=outcome.created,
        updated=outcome.updated,
        unchanged=outcome.unchanged,
        errors=errors[:MAX_ERRORS],
        errors_left_out=len(errors[MAX_ERRORS:]),
    )
