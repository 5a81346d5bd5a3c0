"""Reads what people name a thing by: an EPC URN, a Digital Link, a barcode's text, a paper or the id of a piece."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.problems import Invalid
from services.logistics.epcis.barcodes import read_element_string
from services.logistics.epcis.digital_links import take_apart
from services.logistics.epcis.identifiers import canonical, check_identifier, is_uri
from services.logistics.epcis.named_events import epcs_of_piece
from services.logistics.pieces.queries import see_piece
from services.logistics.rfid.epc import decode_epc

ThingName = Annotated[
    str, Meta(min_length=1, max_length=2_000, pattern=r"^[^\u0000-\u001c\u001e\u001f\u007f]+(?![\s\S])")
]
"""An EPC URN, a Digital Link, a paper's URI, a barcode's text (brackets, or ASCII 29 as separator) or the id of a piece."""
_PIECE = re.compile(r"(?:urn:haihe:piece:)?(piece_[0-9a-z_]{1,60})")
_TAG = re.compile(r"[0-9A-Fa-f]{24,62}")


class NotAName(Invalid):
    """This names no thing, lot or paper."""


def find_roots(session: Session, caller: Caller, text: str) -> list[str]:
    """The canonical names of what ``text`` means: of a piece all the tags that it wore. Raises NotAName, or NotFound for a
    piece that is not the caller's to ask about.
    """
    if found := _PIECE.fullmatch(text):
        piece = see_piece(session, found[1], caller)
        tag = decode_epc(piece.epc) if piece.epc else None
        named = {f"urn:haihe:piece:{piece.id}", *epcs_of_piece(session, piece.id), *([tag.link] if tag else [])}
        return sorted(named)
    return [read_name(text)]


def read_name(text: str) -> str:
    """One canonical name. Raises NotAName with the reason."""
    if is_uri(text):
        if text.startswith("urn:epc:") and (wrong := check_identifier(text)):
            raise NotAName(f"{text[:100]} {wrong}", field="$.id")
        return canonical(text)
    if _TAG.fullmatch(text) and (identity := decode_epc(text.upper())):
        return identity.link
    if (link := read_element_string(text)) is not None:
        return link
    raise NotAName(
        "say it as an EPC URN, a Digital Link, a barcode's text such as (01)09506000134352(10)LOT7 or the id of a piece",
        field="$.id",
    )


def name_kind(id: str) -> str:
    """What a canonical name is of: item, lot, class, logistic_unit, asset, place, document, party, piece or other."""
    parts = take_apart(id)
    if parts is None:
        return "piece" if id.startswith("urn:haihe:piece:") else "other"
    if parts[0] in ("01", "8006", "8010"):
        serial = {"21", "235", "8011"}.intersection(parts[2])
        return "item" if serial else "lot" if "10" in parts[2] else "class"
    return _KINDS.get(parts[0], "other")


_KINDS = {
    "00": "logistic_unit",
    "8003": "asset",
    "8004": "asset",
    "414": "place",
    "417": "party",
    "253": "document",
    "401": "consignment",
    "402": "shipment",
}
_LABELS = {"00": "SSCC", "01": "GTIN", "10": "lot", "21": "serial", "8003": "GRAI", "8004": "GIAI", "414": "GLN"}


def write_label(id: str) -> str:
    """A name that people read: the GTIN with lot or serial number, the SSCC; for what is not GS1's the end of its URI."""
    parts = take_apart(id)
    if parts is None:
        return id.rpartition(":" if id.startswith("urn:") else "/")[2] or id
    ai, value, qualifiers = parts
    tail = "".join(f" {_LABELS.get(name, name)} {text}" for name, text in qualifiers.items())
    return f"{_LABELS.get(ai, ai)} {value}{tail}"
