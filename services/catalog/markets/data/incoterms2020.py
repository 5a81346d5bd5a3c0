"""The eleven rules of Incoterms 2020: where risk passes, and who carries, insures and clears.

Source: Incoterms 2020, International Chamber of Commerce, publication 723.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from services.catalog.markets.data.table import read_table
from services.catalog.markets.words import Bilingual

SOURCE = "Incoterms 2020, International Chamber of Commerce, publication 723"
Who = Literal["seller", "buyer"]


class Incoterm(msgspec.Struct, frozen=True, kw_only=True):
    """A rule: ``mode`` is any transport or by sea and inland waterway only; ``insurance`` is none where nobody owes it."""

    code: str
    name: Bilingual
    mode: Literal["any", "sea"]
    risk: Bilingual
    carriage: Who
    insurance: Literal["seller", "none"]
    export: Who
    unloading: Who
    import_: Who = msgspec.field(name="import")


INCOTERMS = {
    code: msgspec.convert({"code": code, **row}, Incoterm) for code, row in read_table("incoterms2020").items()
}


def incoterm_of(text: str) -> Incoterm | None:
    """The rule that a text begins with: CIF, or CIF Hamburg; None where it names none of 2020 (DAT and DES are older)."""
    return INCOTERMS.get(text.strip()[:3].upper())
