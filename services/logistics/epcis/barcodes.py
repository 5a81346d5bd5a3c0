"""Element strings of barcodes (GS1 General Specifications 3 and 7.8) as identifiers: what a scanner or a person types in.

Written with brackets, ``(01)09506000134352(10)ABC``, or raw with the group separator (ASCII 29) behind elements of
variable length, with or without the symbology identifier (``]C1``, ``]d2``, ``]Q3``, ``]e0``) in front.
"""

from __future__ import annotations

import re

from services.logistics.epcis.digital_links import KEYS, QUALIFIERS, has_right_digit, write_link

SEPARATOR = "\x1d"
_SYMBOLOGY = re.compile(r"\](?:C1|d2|Q3|e0|J1)")
_BRACKETED = re.compile(r"\((\d{2,4})\)([^()]*)")
_FIXED = {"00": 18, "01": 14, "02": 14, "03": 14, "04": 16, "20": 2} | dict.fromkeys(
    ("11", "12", "13", "14", "15", "16", "17", "18", "19"), 6
)
"""How long what follows these identifiers is (General Specifications, figure 7.8.5-2): no separator is needed behind it."""
_FOUR_DIGITS = ("31", "32", "33", "34", "35", "36", "39", "70", "71", "72", "80", "81", "82")
_THREE_DIGITS = ("23", "24", "25", "40", "41", "42", "43")


def read_element_string(text: str) -> str | None:
    """The canonical link of what an element string names; None where it is none, or its check digit is wrong."""
    elements = _read_bracketed(text) if text.startswith("(") else _read_raw(_SYMBOLOGY.sub("", text, count=1))
    if not elements:
        return None
    for ai, value in elements.items():
        key = "01" if ai == "02" else ai
        if key not in KEYS or not KEYS[key].fullmatch(value):
            continue
        whole = value.zfill(14) if key == "01" else value
        if has_right_digit(key, whole):
            own = {name: elements[name] for name in QUALIFIERS.get(key, ()) if elements.get(name)}
            return write_link(key, whole, own)
    return None


def _read_bracketed(text: str) -> dict[str, str]:
    found = _BRACKETED.findall(text)
    return dict(found) if "".join(f"({ai}){value}" for ai, value in found) == text else {}


def _read_raw(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    while text:
        ai = text[: _digits(text)]
        if not ai.isdecimal() or not ai.isascii():
            return {}
        rest = text[len(ai) :]
        length = _FIXED.get(ai, 6 if ai[:2] in ("31", "32", "33", "34", "35", "36") else 13 if ai[:2] == "41" else None)
        if length is None:
            value, _, text = rest.partition(SEPARATOR)
        else:
            value, text = rest[:length], rest[length:].removeprefix(SEPARATOR)
            if len(value) < length:
                return {}
        found[ai] = value
    return found


def _digits(text: str) -> int:
    return 4 if text[:2] in _FOUR_DIGITS else 3 if text[:2] in _THREE_DIGITS else 2
