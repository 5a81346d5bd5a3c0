"""What somebody scans or types in place of a tag: barcodes (GS1 element strings, Digital Links) and EPC URIs. Pure."""

from __future__ import annotations

import re

from biip import ParseError
from biip.gs1_messages import GS1Message

from chassis.problems import Invalid
from services.logistics.epcis.digital_links import KEYS, QUALIFIERS, take_apart, write_link
from services.logistics.epcis.identifiers import canonical, check_identifier

FNC1 = "\x1d"
_FNC1_AS_TEXT = str.maketrans("|^", FNC1 * 2)
"""What scanners send for FNC1 where they are not set to send the control character; no element has them in its value."""


class NotACode(Invalid):
    """The code names no single thing: it is neither a GS1 element string with a key and a serial, nor a link, nor an EPC URI."""


_SINGLE = frozenset({"00", "253", "8003", "8004", "8010", "414", "8017", "8018"})
"""Keys that name one thing, or may; a GTIN does with a serial number only."""


def read_code(code: str) -> str:
    """The canonical URI of the thing that a code names. Raises NotACode.

    Element strings may have their symbology identifier (``]C1``, ``]d2`` …), or be written for people with brackets.
    """
    uri = _link_of_elements(code) if not _is_uri(code) else code
    if uri is None or (wrong := check_identifier(uri)) is not None:
        raise NotACode(f"{code[:80]!r} {wrong if uri else 'cannot be read'}", field="$.items")
    parts = take_apart(uri)
    if parts is not None and parts[0] in ("01", "8006") and "21" not in parts[2]:
        raise NotACode("a GTIN names a kind of thing: the serial number is needed", field="$.items")
    return canonical(uri)


_URI = re.compile(r"https?://[^/\s]+/\S+|urn:[a-z0-9][a-z0-9\-]*:\S+", re.IGNORECASE)


def _is_uri(code: str) -> bool:
    return _URI.fullmatch(code) is not None


def _link_of_elements(code: str) -> str | None:
    found = _read_elements(code.strip())
    key = next((ai for ai in found if ai in KEYS and (ai in _SINGLE or ai in ("01", "8006"))), None)
    if key is None:
        return None
    value = found[key].zfill(14) if key == "01" else found[key]
    return write_link(key, value, {ai: found[ai] for ai in QUALIFIERS.get(key, ()) if ai in found})


def _read_elements(code: str) -> dict[str, str]:
    try:
        message = GS1Message.parse_hri(code) if code.startswith("(") else GS1Message.parse(_strip(code))
    except (ParseError, ValueError):
        return {}
    return {element.ai.ai: element.value for element in reversed(message.element_strings)}


def _strip(code: str) -> str:
    """Without the symbology identifier (ISO/IEC 15424) and a leading FNC1."""
    return (code[3:] if code.startswith("]") else code).translate(_FNC1_AS_TEXT).lstrip(FNC1)
