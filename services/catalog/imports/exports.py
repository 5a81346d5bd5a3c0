"""A company's products and pieces as files with the columns that an upload reads: sent back as they are, they change nothing.

Rows are read a page at a time, each page by a statement of its own, in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.uploads.fields import Field
from chassis.uploads.headings import fold_heading
from chassis.uploads.reasons import Language
from chassis.uploads.writers import MEDIA_TYPES, Encoding, Format, write_table
from chassis.wire import Look, Streamed
from services.catalog.base import among
from services.catalog.imports import piece_rows, product_rows
from services.catalog.markets.pack import Pack
from services.catalog.markets.queries import pack_of
from services.catalog.markets.reading import SEPARATOR, split_values
from services.catalog.parties.queries import find_called, find_names
from services.catalog.pieces.model import Piece
from services.catalog.products.model import Product, State

PAGE = 1_000
Values = dict[str, str]
ReadPage = Callable[[Session, str], tuple[list[Values], str]]
"""Rows behind an id, by the names of fields, and the last id of them."""


def export_products(
    session: Session, caller: Caller, market: str, *, format: Format, encoding: Encoding, language: Language
) -> Streamed:
    """The caller's products of a market, but the retired ones. Raises UnknownMarket."""
    pack = pack_of(session, market)
    fields = product_rows.list_fields(pack)
    columns = [getattr(Product, name) for name in ("id", "number", "attributes", "texts", "gtin", "state", "proposed")]

    def read_page(session: Session, after: str) -> tuple[list[Values], str]:
        mine = (Product.owner_id == caller.party_id, Product.market == market, Product.state != State.RETIRED)
        query = select(*columns).where(*mine, Product.id > after).order_by(Product.id).limit(PAGE)
        found = session.execute(query).all()
        return [_say_product(*row[1:]) for row in found], found[-1].id if found else ""

    return _write(pack, fields, read_page, f"{market}-products", format=format, encoding=encoding, language=language)


def _say_product(
    number: str, attributes: Values, texts: Values, gtin: str | None, state: str, proposed: dict[str, Any] | None
) -> Values:
    """What a product says, or what was proposed last to be said of it."""
    said = proposed or {"attributes": attributes, "texts": texts, "gtin": gtin}
    own = {f"text_{language}": text for language, text in said["texts"].items()}
    wanted = "published" if state in (State.PUBLISHED, State.SUBMITTED) else "draft"
    return {"gtin": said["gtin"] or "", "state": wanted, **own, **said["attributes"], "number": number}


def export_pieces(
    session: Session, caller: Caller, market: str, *, format: Format, encoding: Encoding, language: Language
) -> Streamed:
    """The pieces of a market that the caller's company has made and still owns. Raises UnknownMarket."""
    pack = pack_of(session, market)
    fields = piece_rows.list_fields(pack)

    def read_page(session: Session, after: str) -> tuple[list[Values], str]:
        mine = (Piece.owner_id == caller.party_id, Piece.maker_id == caller.party_id, Piece.market == market)
        query = select(Piece).where(*mine, Piece.id > after).order_by(Piece.id).limit(PAGE)
        found = session.scalars(query).all()
        warehouses = _name_companies(session, {piece.warehouse_id for piece in found})
        numbers = _number_products(session, {piece.product_id for piece in found if piece.product_id})
        rows = [_say_piece(piece, warehouses, numbers) for piece in found]
        last = found[-1].id if found else ""
        session.expunge_all()
        return rows, last

    return _write(pack, fields, read_page, f"{market}-pieces", format=format, encoding=encoding, language=language)


def _say_piece(piece: Piece, warehouses: dict[str, str], products: dict[str, str]) -> Values:
    return {
        **piece.attributes,
        "number": piece.number,
        "net": format(piece.net.value, "f"),
        "gross": format(piece.gross.value, "f"),
        "warehouse": warehouses[piece.warehouse_id],
        "epc": piece.epc or "",
        piece_rows.PRODUCT.name: products.get(piece.product_id or "", ""),
    }


def _name_companies(session: Session, ids: set[str]) -> dict[str, str]:
    """What companies are called, and their ids where a name is that of others too or of none that may be named."""
    names = {id: found.name for id, found in find_names(session, ids).items()}
    called = find_called(session, names.values())
    return {id: names[id] if id in names and called[names[id]] == [id] else id for id in ids}


def _number_products(session: Session, ids: set[str]) -> dict[str, str]:
    rows = session.execute(select(Product.id, Product.number).where(among(Product.id, ids))) if ids else ()
    return {id: number for id, number in rows}


def _write(
    pack: Pack,
    fields: Sequence[Field],
    read_page: ReadPage,
    name: str,
    *,
    format: Format,
    encoding: Encoding,
    language: Language,
) -> Streamed:
    shown = [_show_by(pack, field.name, language) for field in fields]
    headings = _choose_headings(fields, language)

    def write_rows(look: Look) -> Iterator[Sequence[str]]:
        after = ""
        while True:
            rows, last = look(lambda session, since=after: read_page(session, since))
            for row in rows:
                yield [show(row.get(field.name, "")) for field, show in zip(fields, shown, strict=True)]
            if len(rows) < PAGE:
                return
            after = last

    numbers = [field.kind == "number" for field in fields]

    def write(look: Look) -> Iterator[bytes]:
        return write_table(format, headings, write_rows(look), encoding=encoding, numbers=numbers)

    return Streamed(MEDIA_TYPES[format], f"{name}.{format}", write)


def _choose_headings(fields: Sequence[Field], language: Language) -> list[str]:
    """What people call each column, or its name where an upload would take that for another column."""
    by_heading = {
        fold_heading(heading): each.name for each in reversed(fields) for heading in (*each.headings, each.name)
    }
    return [
        each.label[language] if by_heading.get(fold_heading(each.label[language])) == each.name else each.name
        for each in fields
    ]


def _show_by(pack: Pack, name: str, language: Language) -> Callable[[str], str]:
    """How a value of a field is written: a choice by its name, if an upload reads that as the same choice."""
    attribute = pack.by_name.get(name)
    if attribute is None or attribute.type != "choice":
        return lambda kept: kept
    known: dict[str, str] = {"": ""}

    def show(kept: str) -> str:
        if kept not in known:
            choices = [(each, pack.choice_of(attribute, each)) for each in split_values(attribute, kept)]
            said = SEPARATOR.join(getattr(choice.name, language) if choice else each for each, choice in choices)
            known[kept] = said if _reads_as(pack, name, said, kept) else kept
        return known[kept]

    return show


def _reads_as(pack: Pack, name: str, said: str, kept: str) -> bool:
    try:
        return pack.readers[name](said) == kept
    except ValueError:
        return False
