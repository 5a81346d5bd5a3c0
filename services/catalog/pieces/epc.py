"""The code on a tag: 96 bits as GS1's EPC Tag Data Standard lays them out."""

from __future__ import annotations

import re
from collections.abc import Callable

from epcpy import ConvertException, hex_to_tag_encodable

_hex_96 = re.compile(r"[0-9A-F]{24}", re.ASCII)
_TAG_MEMORY = "E2"  # allocation class of the tag's own serial number (TID), which readers show beside the EPC
_decode: Callable[[str], object] = hex_to_tag_encodable


def read_epc(text: str) -> str:
    """The 24 hex digits of a tag, upper case. Raises ValueError with the reason when they are not a 96-bit EPC."""
    code = text.upper()
    if not _hex_96.fullmatch(code):
        raise ValueError("is not 24 hexadecimal digits (96 bits)")
    if code.startswith(_TAG_MEMORY):
        raise ValueError("is the serial number of the chip (TID), not the EPC written on the tag")
    try:
        _decode(code)
    except (ConvertException, ValueError, KeyError, IndexError):
        raise ValueError("is not laid out as an EPC (GS1 Tag Data Standard)") from None
    return code
