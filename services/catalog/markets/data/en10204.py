"""Types of inspection documents for metallic products. Source: EN 10204:2004, table A.1; GB/T 18253-2018."""

from __future__ import annotations

import msgspec

from services.catalog.markets.data.table import read_table
from services.catalog.markets.words import Bilingual

SOURCE = "EN 10204:2004, table A.1; GB/T 18253-2018"


class DocumentType(msgspec.Struct, frozen=True, kw_only=True):
    """A type of inspection document: whether it has ``results``, and whether they are ``specific`` to the goods."""

    code: str
    name: Bilingual
    content: Bilingual
    validated_by: Bilingual
    results: bool
    specific: bool


DOCUMENT_TYPES = {
    code: msgspec.convert({"code": code, **row}, DocumentType) for code, row in read_table("en10204")["types"].items()
}


def type_of(text: str) -> DocumentType | None:
    """The type that a text names: 3.1, EN 10204 3.1 or EN10204/3.1; None where there is no such type."""
    return DOCUMENT_TYPES.get(text.strip()[-3:])


def serves_for(given: str, asked: str) -> bool:
    """Whether a document of the type ``given`` serves where one of the type ``asked`` is due: a higher type always does."""
    return given in DOCUMENT_TYPES and asked in DOCUMENT_TYPES and given >= asked
