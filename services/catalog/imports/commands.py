"""Takes an upload in: what can be is, the rest is told by row and column."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from chassis.auth import Caller
from services.catalog.imports.sheet import MAX_ERRORS, Row, RowError, Sheet, read_sheet
from services.catalog.markets.queries import pack_of
from services.catalog.parties.queries import find_called
from services.catalog.products.commands import describe_pieces
from services.catalog.products.model import Draft


@dataclass(frozen=True, kw_only=True)
class Report:
    """What became of an upload; ``errors`` are at most MAX_ERRORS, the others are ``errors_left_out``."""

    rows: int
    created: int
    updated: int
    unchanged: int
    errors: list[RowError]
    errors_left_out: int


def import_pieces(session: Session, caller: Caller, market: str, tab: str | None, body: bytes) -> Report:
    """Make or change the caller's pieces by a CSV file or a sheet of a workbook.

    Raises UnknownMarket, NotReadable, NoSuchSheet or TooManyRows: then nothing was done. Nothing of a file is taken in either
    when one of its rows of totals is not the sum of its rows.
    """
    pack = pack_of(market)
    sheet = read_sheet(body, pack, tab)
    drafts = _find_warehouses(session, sheet)
    outcome = describe_pieces(session, caller, pack, [draft for _, draft in drafts])
    for place, name, detail in outcome.refused:
        sheet.refuse(drafts[place][0].row, name, detail)
    errors = sorted(sheet.errors, key=lambda error: error.row)
    return Report(
        rows=sheet.count,
        created=outcome.created,
        updated=outcome.updated,
        unchanged=outcome.unchanged,
        errors=errors[:MAX_ERRORS],
        errors_left_out=len(errors[MAX_ERRORS:]),
    )


def _find_warehouses(session: Session, sheet: Sheet) -> list[tuple[Row, Draft]]:
    found = find_called(session, {row.warehouse for row in sheet.rows})
    drafts = []
    for row in sheet.rows:
        ids = found[row.warehouse]
        if len(ids) == 1:
            drafts.append((row, _draft(row, ids[0])))
        elif ids:
            sheet.refuse(row.row, "warehouse", f"is the name of several companies: write one of {', '.join(ids)}")
        else:
            sheet.refuse(
                row.row, "warehouse", "no company is known by this name, identifier or id (a new one takes a moment)"
            )
    return drafts


def _draft(row: Row, warehouse_id: str) -> Draft:
    return Draft(
        number=row.number,
        attributes=row.attributes,
        net=row.net,
        gross=row.gross,
        warehouse_id=warehouse_id,
        epc=row.epc,
    )
