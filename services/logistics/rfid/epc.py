"""What a tag says, as passages and their EPCIS events want it: names, or nothing where nobody knows the tag.

The internal key of a thing is its GS1 Digital Link URI; the pure identity URN is kept beside it, because the way back
needs the length of the company prefix, which only the tag knows.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from services.logistics.rfid.tds import decode


class Identity(msgspec.Struct, frozen=True):
    """What a tag names: its pure identity URN and its Digital Link URI, or its URN again where GS1 has no key."""

    urn: str
    link: str


@lru_cache(65_536)
def decode_epc(epc: str) -> Identity | None:
    """The identity in a tag's hex digits; None when the header is unknown or the bits break the rules of its coding."""
    try:
        tag = decode(epc)
    except ValueError:
        return None
    return None if tag.is_raw else Identity(tag.urn, tag.link)
