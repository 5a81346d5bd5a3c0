"""What ``MATCH_…`` parameters look for: identifiers, EPC patterns, and Digital Links that name a class (EPCIS 8.2.7.1.1).

A pattern becomes ranges of canonical identifiers: each text that begins with one prefix and goes on behind it or not.
``urn:epc:idpat:sgtin:0614141.*.*`` is ten of them, one an indicator digit, because in a GTIN the indicator stands first. A
canonical link no longer shows where the company prefix ends, so a pattern of a prefix covers a longer one that begins alike.
"""

from __future__ import annotations

import re

import msgspec

from services.logistics.epcis.digital_links import HOST, canonical_link, check_digit, take_apart
from services.logistics.epcis.epc_urns import SCHEMES
from services.logistics.epcis.identifiers import LONGEST, canonical, is_uri
from services.logistics.epcis.preparing import write_key

_PATTERN = re.compile(r"urn:epc:(?:id|idpat|class):([a-z]+):([^*]*?)(\*(?:\.\*)*)")
_INDICATED = ("sgtin", "lgtin", "upui", "itip", "sscc")
_QUALIFIED = {"sgtin": "21", "lgtin": "10", "upui": "235", "itip": "21", "sgln": "254", "cpi": "8011"}
_PARTS = {"itip": 5, "sscc": 2, "pgln": 2, "gsrn": 2, "gsrnp": 2, "gsin": 2, "giai": 2, "ginc": 2}
_AS_URN = {"gid": 3, "usdod": 2, "adi": 3, "bic": 1, "imovn": 1}
_UNSERIALISED = {"8003": 14, "253": 13, "255": 13}
"""Keys whose serial number stands within their value, and how long they are without one."""
_ESCAPED = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


class Wanted(msgspec.Struct, frozen=True):
    """Identifiers that are looked for: exactly these keys, or those that fit one of the LIKE patterns."""

    keys: tuple[str, ...] = ()
    likes: tuple[str, ...] = ()


class NotAPattern(Exception):
    """The text is neither a URI nor an EPC pattern; its message says why."""


def read_wanted(text: str) -> Wanted:
    """What a value of a ``MATCH_…`` parameter looks for. Raises NotAPattern."""
    if len(text) <= LONGEST and (found := _PATTERN.fullmatch(text)):
        return _read_pattern(found[1], found[2].rstrip("."), found[3].count("*"), text)
    if not is_uri(text) or (text.startswith("urn:epc:") and "*" in text):
        raise NotAPattern("is no URI and no EPC pattern")
    return _read_link(text) or Wanted((write_key(canonical(text)),))


def _read_link(text: str) -> Wanted | None:
    """A link to a class or a party: itself and everything that is finer."""
    parts = take_apart(text)
    if parts is None or parts[2]:
        return None
    link = canonical_link(text) or text
    finer = _begins(link, "_%") if len(parts[1]) == _UNSERIALISED.get(parts[0]) else _begins(link + "/")
    return Wanted((write_key(link),), (finer,))


def _read_pattern(scheme: str, given: str, stars: int, text: str) -> Wanted:
    fixed = given.split(".") if given else []
    count = _AS_URN.get(scheme) or _PARTS.get(scheme, 3 if scheme in SCHEMES else 0)
    if len(fixed) + stars != count or not all(fixed):
        raise NotAPattern(f"is not built as a pattern of the scheme {scheme}")
    if scheme in _AS_URN:
        return Wanted(likes=(_begins(f"urn:epc:id:{scheme}:" + "".join(f"{part}." for part in fixed)),))
    if fixed and not (fixed[0].isascii() and fixed[0].isdecimal() and 6 <= len(fixed[0]) <= 12):
        raise NotAPattern("has no company prefix of 6 to 12 digits")
    return _read_scheme(scheme, fixed, text)


def _read_scheme(scheme: str, fixed: list[str], text: str) -> Wanted:
    base, tail = f"{HOST}/{SCHEMES[scheme].ai}/", _tail(scheme)
    if not fixed:
        return Wanted(likes=(_begins(base, tail), *_classes(scheme, base)))
    company, digits = fixed[0], SCHEMES[scheme].digits
    if len(fixed) == 1:
        numbers = [start + company for start in _starts(scheme)]
        classes = [like for number in numbers for like in _classes(scheme, base + number, number)]
        return Wanted(likes=(*(_begins(base + number, tail) for number in numbers), *classes))
    reference = fixed[1]
    if digits is None:
        return Wanted(likes=(_begins(f"{base}{company}{reference}/8011/"),))
    if not reference.isdecimal() or len(company) + len(reference) != digits:
        raise NotAPattern(f"does not have the {digits} digits of the scheme {scheme}")
    known = canonical(text)
    keys = (known,) if text.startswith("urn:epc:idpat:") and known != text else ()
    value = reference[0] + company + reference[1:] if scheme in _INDICATED else company + reference
    number = ("0" if scheme == "grai" else "") + value + check_digit(value)
    if scheme == "itip":
        return Wanted(keys, (_begins(base + number + "".join(fixed[2:]), tail),))
    qualifier = _QUALIFIED.get(scheme)
    likes = (_begins(f"{base}{number}/{qualifier}/" if qualifier else base + number, "_%"),)
    return Wanted((base + number,) if scheme == "sgln" else keys, likes)


def _starts(scheme: str) -> tuple[str, ...]:
    """What may stand in front of the company prefix in the number of a scheme."""
    if scheme in _INDICATED:
        return tuple("0123456789")
    return ("0",) if scheme == "grai" else ("",)


def _classes(scheme: str, begun: str, number: str = "") -> tuple[str, ...]:
    """The classes of things under what a pattern begins with: links that end with the number."""
    digits = {"sgtin": 14, "itip": 18}.get(scheme)
    return (_begins(begun, "_" * (digits - len(number))),) if digits else ()


def _tail(scheme: str) -> str:
    qualifier = _QUALIFIED.get(scheme)
    return "%" if qualifier is None or scheme == "sgln" else f"%/{qualifier}/%"


def _begins(prefix: str, tail: str = "%") -> str:
    return prefix.translate(_ESCAPED) + tail
