"""Exports over HTTP: what a company has in the catalog as files that it can send back."""

from __future__ import annotations

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.http import Params, Streamed, query
from chassis.uploads.reasons import Language
from chassis.uploads.writers import MEDIA_TYPES, Encoding, Format
from chassis.values import Identifier
from services.catalog.imports import exports

routes = Blueprint("exports", __name__)
GIVES = tuple(MEDIA_TYPES.values())


class Export(Params):
    """Of which market, as which file, with headings and choices in which language; ``encoding`` is that of CSV."""

    market: Identifier
    format: Format = "csv"
    encoding: Encoding = "utf-8"
    language: Language = "zh"


@routes.get("/v1/products/export")
@query(shared=True, gives=GIVES)
def export_products(session: Session, caller: Caller, params: Export) -> Streamed:
    """The products of the caller's company in a market, with the columns that an upload reads; retired ones are left out."""
    return exports.export_products(
        session, caller, params.market, format=params.format, encoding=params.encoding, language=params.language
    )


@routes.get("/v1/pieces/export")
@query(shared=True, gives=GIVES)
def export_pieces(session: Session, caller: Caller, params: Export) -> Streamed:
    """The pieces of a market that the caller's company made and owns, with the columns that an upload reads."""
    return exports.export_pieces(
        session, caller, params.market, format=params.format, encoding=params.encoding, language=params.language
    )
