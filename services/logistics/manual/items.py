"""Things that somebody names: by tag, barcode, number or piece; each becomes the one name that events know it by."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.problems import Invalid
from services.logistics.manual.scanning import read_code
from services.logistics.pieces import queries as pieces

PIECE = "urn:haihe:piece:"


class NoSuchNumber(Invalid):
    """No piece that you may ask about has this number, or several have: name the piece by its id."""


class OneName(Invalid):
    """A thing is named once: by its tag, a barcode, its number or the id of its piece."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A thing, by one of: a tag in hex digits, what a barcode says, the maker's number of a piece, the id of a piece."""

    epc: str | None = None
    barcode: str | None = None
    number: str | None = None
    piece_id: str | None = None


def name_items(session: Session, caller: Caller, items: Sequence[Item]) -> list[str]:
    """A name for each thing: tags in hex digits as they are, barcodes as URIs, pieces by their ids.

    Raises OneName, NotACode, NoSuchNumber or NotFound.
    """
    return [_name_item(session, caller, item) for item in items]


def _name_item(session: Session, caller: Caller, item: Item) -> str:
    given = [name for name in (item.epc, item.barcode, item.number, item.piece_id) if name is not None]
    if len(given) != 1:
        raise OneName("give exactly one of epc, barcode, number and piece_id", field="$.items")
    if item.epc is not None:
        return item.epc.upper()
    if item.barcode is not None:
        return read_code(item.barcode)
    if item.piece_id is not None:
        return PIECE + pieces.see_piece(session, item.piece_id, caller).id
    found = pieces.find_by_number(session, caller, item.number or "")
    if len(found) != 1:
        raise NoSuchNumber(f"{len(found)} pieces have the number {item.number!r}", field="$.items", pieces=found)
    return PIECE + found[0]
