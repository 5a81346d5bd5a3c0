"""EPC URNs of every scheme of the Tag Data Standard and CBV: taken apart, checked, and written as Digital Links.

``urn:epc:id:…`` names a thing, ``urn:epc:class:lgtin:…`` a lot, ``urn:epc:idpat:….*`` a class. Schemes that GS1 has no
Digital Link for (GID, USDoD, ADI, BIC, IMOVN) stay URNs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import unquote

import msgspec

from services.logistics.epcis.digital_links import check_digit, write_link

_CHAR = r"(?:%[2-7][0-9A-Fa-f]|[!'()*+,\-.0-9:;=A-Z_a-z])"
_PART = r"(?:%[2-7][0-9A-Fa-f]|[0-9A-Z\-])"


class Scheme(msgspec.Struct, frozen=True):
    """A scheme with a company prefix: ``digits`` of prefix and reference together (None: free text of at most ``most``),
    then what follows as a regular expression, and how to write it as a link."""

    ai: str
    digits: int | None
    tail: re.Pattern[str]
    most: int = 0


def _scheme(ai: str, digits: int | None, tail: str, most: int = 0) -> Scheme:
    return Scheme(ai, digits, re.compile(tail), most)


SCHEMES: dict[str, Scheme] = {
    "sgtin": _scheme("01", 13, rf"\.({_CHAR}{{1,20}})"),
    "upui": _scheme("01", 13, rf"\.({_CHAR}{{1,28}})"),
    "lgtin": _scheme("01", 13, rf"\.({_CHAR}{{1,20}})"),
    "itip": _scheme("8006", 13, rf"\.(\d\d)\.(\d\d)\.({_CHAR}{{1,20}})"),
    "sscc": _scheme("00", 17, "()"),
    "sgln": _scheme("414", 12, rf"\.({_CHAR}{{1,20}})"),
    "pgln": _scheme("417", 12, "()"),
    "grai": _scheme("8003", 12, rf"\.({_CHAR}{{1,16}})"),
    "gdti": _scheme("253", 12, rf"\.({_CHAR}{{1,17}})"),
    "sgcn": _scheme("255", 12, r"\.(\d{1,12})"),
    "gsrn": _scheme("8018", 17, "()"),
    "gsrnp": _scheme("8017", 17, "()"),
    "gsin": _scheme("402", 16, "()"),
    "giai": _scheme("8004", None, rf"({_CHAR}+)", 30),
    "ginc": _scheme("401", None, rf"({_CHAR}+)", 30),
    "cpi": _scheme("8010", None, rf"({_PART}+)\.(\d{{1,12}})", 30),
}
_INDICATED = {"01", "8006", "00"}
_QUALIFIER = {"sgtin": "21", "upui": "235", "lgtin": "10", "itip": "21", "sgln": "254", "cpi": "8011"}
_URN = re.compile(r"urn:epc:(id|class|idpat):([a-z]+):(.+)", re.DOTALL)

_BIC_VALUES = {
    letter: n for n, letter in zip([n for n in range(10, 39) if n % 11], "ABCDEFGHIJKLMNOPQRSTUVWXYZ", strict=True)
}


def check_container(number: str) -> bool:
    """Whether an ISO 6346 number (BIC code) has its right check digit."""
    total = sum((_BIC_VALUES[c] if c.isalpha() else int(c)) << place for place, c in enumerate(number[:10]))
    return total % 11 % 10 == int(number[10])


def _check_vessel(number: str) -> bool:
    return sum(int(c) * (7 - place) for place, c in enumerate(number[:6])) % 10 == int(number[6])


_OTHERS: dict[str, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    "gid": (re.compile(r"\d{1,9}\.\d{1,8}\.\d{1,11}"), lambda text: True),
    "usdod": (re.compile(r"[0-9A-HJ-NP-Z]{5,6}\.\d{1,11}"), lambda text: True),
    "adi": (re.compile(r"[0-9A-HJ-NP-Z]{5,6}\.(?:%2[3F]|[0-9A-Z\-])*\.(?:%23)?(?:%2F|[0-9A-Z\-])+"), lambda text: True),
    "bic": (re.compile(r"[A-Z]{3}[UJZ]\d{7}"), check_container),
    "imovn": (re.compile(r"\d{7}"), _check_vessel),
}


def check_urn(urn: str) -> str | None:
    """What is wrong with an EPC URN, as a sentence; None when nothing is, or when it is another kind of URI."""
    if not urn.startswith("urn:epc:") or urn.startswith("urn:epc:tag:") or urn.startswith("urn:epc:raw:"):
        return None
    found = _URN.fullmatch(urn) if urn.isascii() else None
    if found is None or (found[2] not in SCHEMES and found[2] not in _OTHERS):
        return "is no EPC URI of a scheme that the Tag Data Standard knows"
    kind, scheme, rest = found.groups()
    if kind == "idpat" or (scheme in SCHEMES and link_of_urn(urn) is not None):
        return None
    if scheme in _OTHERS and kind == "id":
        pattern, check = _OTHERS[scheme]
        if pattern.fullmatch(rest):
            return None if check(rest) else f"has a wrong check digit for the scheme {scheme}"
    return f"is not built as the scheme {scheme} wants it"


@lru_cache(16_384)
def link_of_urn(urn: str) -> str | None:
    """The canonical Digital Link of an EPC URN or of a class pattern that ends in ``.*``; None when it has none."""
    found = _URN.fullmatch(urn) if urn.isascii() else None
    if found is None or (scheme := SCHEMES.get(found[2])) is None or (found[1] == "class") != (found[2] == "lgtin"):
        return None
    if found[1] == "idpat":
        return _link_of_class(found[2], scheme, found[3])
    company, dot, rest = found[3].partition(".")
    if not dot or not company.isdecimal() or not 6 <= len(company) <= 12:
        return None
    return _link(found[2], scheme, company, rest)


def _link(name: str, scheme: Scheme, company: str, rest: str) -> str | None:
    wanted = 0 if scheme.digits is None else scheme.digits - len(company)
    reference, tail = rest[:wanted], scheme.tail.fullmatch(rest[wanted:])
    if tail is None or len(reference) != wanted or (wanted and not reference.isdecimal()):
        return None
    groups = [unquote(group) for group in tail.groups()]
    if scheme.digits is None:
        value = company + groups[0]
        return write_link(scheme.ai, value, _qualify(name, groups[1:])) if len(value) <= scheme.most else None
    value = _number(scheme, company, reference)
    if name == "itip":
        return write_link(scheme.ai, value + groups[0] + groups[1], _qualify(name, groups[2:]))
    if name in _QUALIFIER:
        return write_link(scheme.ai, value, {} if name == "sgln" and groups[0] == "0" else _qualify(name, groups))
    return write_link(scheme.ai, value + groups[0], {})


def _number(scheme: Scheme, company: str, reference: str) -> str:
    digits = reference[0] + company + reference[1:] if scheme.ai in _INDICATED else company + reference
    number = digits + check_digit(digits)
    return "0" + number if scheme.ai == "8003" else number


def _qualify(name: str, values: list[str]) -> dict[str, str]:
    return {_QUALIFIER[name]: values[0]} if name in _QUALIFIER else {}


def _link_of_class(name: str, scheme: Scheme, rest: str) -> str | None:
    parts = rest.split(".")
    if parts[-1] != "*" or "*" in parts[:-1] or len(parts) < 3 or not 6 <= len(parts[0]) <= 12:
        return None
    if name == "cpi":
        return write_link(scheme.ai, unquote(parts[0] + parts[1]), {})
    if scheme.digits is None or not (parts[0] + parts[1]).isdecimal() or len(parts[0] + parts[1]) != scheme.digits:
        return None
    return write_link(scheme.ai, _number(scheme, parts[0], parts[1]) + "".join(parts[2:-1]), {})
