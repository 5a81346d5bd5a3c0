"""Tags written: a tag URI or a pure identity into the hex digits of EPC memory, as whole words of 16 bits."""

from __future__ import annotations

from collections.abc import Iterator

from services.logistics.rfid.tds.codings import BY_NAME, CODINGS, Coding
from services.logistics.rfid.tds.fields import Unwritable, fit, number

TAG, IDENTITY = "urn:epc:tag:", "urn:epc:id:"
WORD_BITS = 16


def encode(tag_uri: str) -> str:
    """The hex digits of a tag URI such as ``urn:epc:tag:sgtin-96:3.0614141.812345.6789``. Raises Unwritable."""
    name, colon, rest = tag_uri.removeprefix(TAG).partition(":")
    coding = BY_NAME.get(name)
    if not tag_uri.startswith(TAG) or not colon or coding is None:
        raise Unwritable(f"{tag_uri[:60]!r} is not a tag URI of a coding that is known")
    if not coding.filter_bits:
        return _write(coding, 0, rest)
    filter, _, rest = rest.partition(".")
    return _write(coding, number(filter, coding.filter_bits), rest)


def encode_identity(urn: str, *, filter: int = 0) -> str:
    """The hex digits of a pure identity in the shortest coding that has room for it. Raises Unwritable."""
    scheme, colon, rest = urn.removeprefix(IDENTITY).partition(":")
    reason = Unwritable(f"{urn[:60]!r} is not a pure identity that a tag can hold")
    if urn.startswith(IDENTITY) and colon:
        for coding in CODINGS:
            if coding.scheme != scheme or coding.name == "gdti-113":
                continue
            try:
                return _write(coding, filter, rest)
            except Unwritable as error:
                reason = error
    raise reason


def _write(coding: Coding, filter: int, rest: str) -> str:
    value, width = coding.header << coding.filter_bits | fit(filter, coding.filter_bits), 8 + coding.filter_bits
    parts = _split(rest, coding)
    for field in coding.fields:
        try:
            written, more = field.write(parts)
        except StopIteration:
            raise Unwritable(f"{rest[:60]!r} has too few parts for {coding.name}") from None
        value, width = value << more | written, width + more
    if next(parts, None) is not None:
        raise Unwritable(f"{rest[:60]!r} has too many parts for {coding.name}")
    padding = -width % WORD_BITS
    return f"{value << padding:0{(width + padding) // 4}X}"


def _split(rest: str, coding: Coding) -> Iterator[str]:
    """The dotted parts; dots in the last one belong to it, because serial numbers may have them."""
    return iter(rest.split(".", _parts(coding) - 1))


def _parts(coding: Coding) -> int:
    return {"gid": 3, "sscc": 2, "gsrn": 2, "gsrnp": 2, "giai": 2, "usdod": 2, "itip": 5}.get(coding.scheme, 3)
