"""A tag's EPC memory read into what it names: pure identity, tag URI and Digital Link; raw where nobody knows it.

A tag that cannot be read is never an error here: what a reader reports is kept, and says of itself that it is raw (TDS 12).
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from services.logistics.epcis.epc_urns import link_of_urn
from services.logistics.rfid.tds.codings import BY_HEADER, Coding
from services.logistics.rfid.tds.fields import Bits, Unreadable

MOST_BITS = 496
"""The longest EPC memory that the length of a Gen2 PC word can say: 31 words of 16 bits."""
_TOGGLE, _LENGTH_SHIFT = 0x0100, 11


class Tag(msgspec.Struct, frozen=True):
    """What a tag names; ``link`` is its URN again where GS1 has no Digital Link for it, ``filter`` None where it has none.

    A raw tag has the coding ``raw`` and its raw URI as ``urn``, ``tag_uri`` and ``link``; ``why`` says why it is raw.
    """

    coding: str
    urn: str
    tag_uri: str
    link: str
    filter: int | None = None
    why: str = ""

    @property
    def is_raw(self) -> bool:
        """Whether nobody could say what the tag names."""
        return self.coding == "raw"


@lru_cache(65_536)
def decode(epc: str) -> Tag:
    """What EPC memory in hex digits (upper or lower case) names; bits behind the end of its coding do not matter.

    Raises ValueError when the text is not hex digits, or more than ``MOST_BITS``.
    """
    value, length = _read_hex(epc)
    coding = BY_HEADER.get(value >> length - 8)
    if coding is None:
        return _raw(epc, length, "its header is none that is known")
    try:
        return _decode_by(coding, Bits(value, length))
    except Unreadable as error:
        return _raw(epc, length, str(error))


def decode_memory(pc: int, epc: str) -> Tag:
    """What EPC memory names, given its PC word as well: its toggle bit says that an ISO 15961 AFI rules, not GS1 (TDS 9.3)."""
    words = pc >> _LENGTH_SHIFT & 31
    kept = epc[: 4 * words] if words else epc
    if not pc & _TOGGLE:
        return decode(kept)
    _, length = _read_hex(kept)
    afi = pc & 0xFF
    return _raw(kept, length, f"its memory is of ISO 15961, with the AFI {afi:02X}", prefix=f"x{afi:02X}.")


def _read_hex(epc: str) -> tuple[int, int]:
    if not epc.isalnum() or len(epc) % 2 or not 2 <= len(epc) <= MOST_BITS // 4:
        raise ValueError(f"an EPC is 2 to {MOST_BITS // 4} hex digits, an even count")
    return int.from_bytes(bytes.fromhex(epc)), 4 * len(epc)


def _decode_by(coding: Coding, bits: Bits) -> Tag:
    bits.take(8)
    filter = bits.take(coding.filter_bits) if coding.filter_bits else None
    name = ".".join(part for field in coding.fields for part in field.read(bits))
    urn = f"urn:epc:id:{coding.scheme}:{name}"
    filtered = name if filter is None else f"{filter}.{name}"
    return Tag(coding.name, urn, f"urn:epc:tag:{coding.name}:{filtered}", link_of_urn(urn) or urn, filter)


def _raw(epc: str, length: int, why: str, prefix: str = "") -> Tag:
    uri = f"urn:epc:raw:{length}.{prefix}x{epc.upper()}"
    return Tag("raw", uri, uri, uri, None, why)
