"""One identifier, however it was written: canonical as a constrained GS1 Digital Link, the original kept beside it.

URN → Digital Link needs nothing; the way back needs to know how long the company prefix is, from a table that a
deployment may have or not. What has no Digital Link (a GID, somebody's own URI) is its own canonical form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from urllib.parse import quote

from services.logistics.epcis.digital_links import LONGEST, canonical_link, has_right_digit, take_apart
from services.logistics.epcis.epc_urns import SCHEMES, check_urn, link_of_urn

PrefixLength = Callable[[str], int | None]
"""The length of the company prefix that a number begins with (6 to 12), or None where the table does not know it."""


def canonical(uri: str) -> str:
    """The identifier that equals whatever else names the same thing; the URI itself where there is no better one."""
    return _canonical(uri) if len(uri) <= LONGEST else uri


@lru_cache(65_536)
def _canonical(uri: str) -> str:
    if uri.startswith("urn:epc:"):
        return link_of_urn(uri) or uri
    return canonical_link(uri) or uri


def check_identifier(uri: str) -> str | None:
    """What is wrong with an EPC or EPC class, as a sentence; None when nothing is.

    Syntax and check digits of EPC URNs and Digital Links are checked; another absolute URI is taken as it is (CBV 8.2).
    """
    if len(uri) > LONGEST:
        return None if is_uri(uri) and not uri.startswith("urn:epc:") else "is too long"
    if uri.startswith("urn:epc:"):
        return check_urn(uri)
    if not is_uri(uri):
        return "is not an absolute URI"
    parts = take_apart(uri)
    if parts is not None and not has_right_digit(parts[0], parts[1]):
        return f"has a wrong check digit in {parts[1]}"
    return None


def is_uri(text: str) -> bool:
    """Whether a text looks like an absolute URI: a scheme, something behind it, no blanks."""
    scheme, colon, rest = text.partition(":")
    return bool(colon and rest) and scheme[:1].isalpha() and not any(c.isspace() or c in '<>"' or c < " " for c in text)


def read_prefix_table(lengths: Mapping[str, int]) -> PrefixLength:
    """Looks prefix lengths up by the longest leading digits that the table has (as GS1's own table is made)."""

    def find(digits: str) -> int | None:
        for end in range(min(12, len(digits)), 1, -1):
            if (length := lengths.get(digits[:end])) is not None:
                return length or None
        return None

    return find


_BY_AI = {
    "00": "sscc",
    "253": "gdti",
    "255": "sgcn",
    "401": "ginc",
    "402": "gsin",
    "414": "sgln",
    "417": "pgln",
    "8003": "grai",
    "8004": "giai",
    "8006": "itip",
    "8010": "cpi",
    "8017": "gsrnp",
    "8018": "gsrn",
}
_AFTER_GTIN = {"21": "id:sgtin", "235": "id:upui", "10": "class:lgtin"}


def urn_of_link(uri: str, prefix_length: PrefixLength) -> str | None:
    """The EPC URN of a Digital Link; None when it is none, or its prefix is not in the table."""
    link = canonical_link(uri)
    parts = take_apart(link) if link else None
    if parts is None:
        return None
    ai, value, qualifiers = parts
    if ai in ("01", "8006"):
        return _urn_of_item(ai, value, qualifiers, prefix_length)
    return _urn_of_key(_BY_AI[ai], value, qualifiers, prefix_length)


def _urn_of_item(ai: str, value: str, qualifiers: dict[str, str], prefix_length: PrefixLength) -> str | None:
    if (length := prefix_length(value[1:13])) is None:
        return None
    name = f"{value[1 : 1 + length]}.{value[0]}{value[1 + length : 13]}"
    pieces = f".{value[14:16]}.{value[16:18]}" if ai == "8006" else ""
    if not qualifiers:
        return f"urn:epc:idpat:{'itip' if pieces else 'sgtin'}:{name}{pieces}.*"
    ((kind, serial),) = qualifiers.items()
    if pieces and kind != "21":
        return None
    return f"urn:epc:{'id:itip' if pieces else _AFTER_GTIN[kind]}:{name}{pieces}.{_quote(serial)}"


def _urn_of_key(scheme: str, value: str, qualifiers: dict[str, str], prefix_length: PrefixLength) -> str | None:
    digits = SCHEMES[scheme].digits
    number = value[1:] if scheme in ("sscc", "grai") else value
    if (length := prefix_length(number[:12])) is None:
        return None
    company = number[:length]
    if digits is None:
        tail = "".join(f".{serial}" for serial in qualifiers.values())
        return f"urn:epc:id:{scheme}:{company}.{_quote(number[length:])}{tail}" if scheme != "cpi" or tail else None
    if scheme == "sscc":
        return f"urn:epc:id:sscc:{company}.{value[0]}{number[length:16]}"
    reference, serial = number[length:digits], number[digits + 1 :]
    if scheme == "sgln":
        return f"urn:epc:id:sgln:{company}.{reference}.{_quote(qualifiers.get('254', '0'))}"
    if scheme in ("grai", "gdti", "sgcn"):
        kind, tail = ("id", _quote(serial)) if serial else ("idpat", "*")
        return f"urn:epc:{kind}:{scheme}:{company}.{reference}.{tail}"
    return f"urn:epc:id:{scheme}:{company}.{reference}"


def _quote(text: str) -> str:
    return quote(text, safe="!'()*+,-.:;=_")
