"""GS1 Digital Link URIs: their canonical, constrained form (GS1 Digital Link 1.1; CBV 2.0, section 8.9).

Constrained means: the host is id.gs1.org, keys are numbers (``01``, not ``gtin``), GTINs have 14 digits, there is no query
or fragment, and only the finest level is kept: with a serial number the lot and the consumer product variant go.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote, unquote

HOST = "https://id.gs1.org"

SHORT = {
    "gtin": "01",
    "itip": "8006",
    "cpid": "8010",
    "gln": "414",
    "party": "417",
    "gsrnp": "8017",
    "gsrn": "8018",
    "gcn": "255",
    "sscc": "00",
    "gdti": "253",
    "ginc": "401",
    "gsin": "402",
    "grai": "8003",
    "giai": "8004",
    "cpv": "22",
    "lot": "10",
    "ser": "21",
    "glnx": "254",
    "cpsn": "8011",
    "upui": "235",
}
KEYS: dict[str, re.Pattern[str]] = {
    ai: re.compile(value, re.ASCII)
    for ai, value in {
        "00": r"\d{18}",
        "01": r"\d{8}|\d{12,14}",
        "253": r"\d{13}.{0,17}",
        "255": r"\d{13}\d{0,12}",
        "401": r"\d{4}.{1,26}",
        "402": r"\d{17}",
        "414": r"\d{13}",
        "417": r"\d{13}",
        "8003": r"\d{14}.{0,16}",
        "8004": r"\d{4}.{1,26}",
        "8006": r"\d{18}",
        "8010": r"\d{4}.{1,26}",
        "8017": r"\d{18}",
        "8018": r"\d{18}",
    }.items()
}
"""What the value of each primary key looks like; two of the keys may bear a serial component within the value."""

QUALIFIERS = {
    "01": ("22", "10", "21", "235"),
    "8006": ("22", "10", "21"),
    "8010": ("8011",),
    "414": ("254",),
    "417": ("7040",),
    "8004": ("7040",),
}
_FINEST = {"01": ("21", "235", "10"), "8006": ("21", "10"), "8010": ("8011",), "414": ("254",)}
_LINK = re.compile(r"https?://[^/?#\s]+(/[^?#\s]*)(?:[?#]\S*)?")
LONGEST = 500
"""Characters of an identifier: what is longer names nothing of GS1's."""

Parts = tuple[str, str, dict[str, str]]
"""A Digital Link taken apart: its key, the value of the key, and the qualifiers with their values, unescaped."""


def take_apart(uri: str) -> Parts | None:
    """The key, its value and its qualifiers (unescaped) of a Digital Link on any host; None when it is none."""
    return _take_apart(uri) if uri.startswith("http") and len(uri) <= LONGEST else None


@lru_cache(16_384)
def _take_apart(uri: str) -> Parts | None:
    if (found := _LINK.fullmatch(uri)) is None:
        return None
    steps = found[1].rstrip("/").split("/")[1:]
    for place in range(len(steps) - 1):
        ai = SHORT.get(steps[place], steps[place])
        if ai in KEYS and (parts := _read_parts(ai, steps[place + 1 :])) is not None:
            return parts
    return None


def _read_parts(ai: str, steps: list[str]) -> Parts | None:
    value, *told = map(unquote, (steps[0], *steps[2::2]))
    names = [SHORT.get(name, name) for name in steps[1::2]]
    if not KEYS[ai].fullmatch(value) or len(names) != len(told) or any(map(_is_no_value, (value, *told))):
        return None
    if any(name not in QUALIFIERS.get(ai, ()) for name in names):
        return None
    return ai, value.zfill(14) if ai == "01" else value, dict(zip(names, told, strict=True))


def _is_no_value(text: str) -> bool:
    return not text or not text.isprintable() or "\ufffd" in text  # what unquote makes of bytes that are no text


def canonical_link(uri: str) -> str | None:
    """The constrained canonical form of a Digital Link; None when ``uri`` is none."""
    parts = take_apart(uri)
    return None if parts is None else write_link(*parts)


def write_link(ai: str, value: str, qualifiers: dict[str, str]) -> str:
    """The canonical link of a key: at most one qualifier, the finest that is given."""
    for name in _FINEST.get(ai, ()):
        if name in qualifiers:
            return f"{HOST}/{ai}/{escape(value)}/{name}/{escape(qualifiers[name])}"
    return f"{HOST}/{ai}/{escape(value)}"


def escape(text: str) -> str:
    """Percent-encodes what Digital Link (table 7-1) wants encoded in a path."""
    return text if text.isalnum() and text.isascii() else quote(text, safe="'-._;=")


def check_digit(digits: str) -> str:
    """The GS1 check digit (General Specifications 7.9.1) that follows ``digits``."""
    ones, threes = sum(map(int, digits[-2::-2])), sum(map(int, digits[::-2]))
    return str(-(ones + 3 * threes) % 10)


_CHECKED = {
    "00": 18,
    "01": 14,
    "253": 13,
    "255": 13,
    "402": 17,
    "414": 13,
    "417": 13,
    "8006": 14,
    "8017": 18,
    "8018": 18,
}


def has_right_digit(ai: str, value: str) -> bool:
    """Whether the check digit within a key's value is right; keys without one are always right.

    That of a GRAI is not looked at: documents that are published as examples have wrong ones.
    """
    end = _CHECKED.get(ai)
    return end is None or check_digit(value[: end - 1]) == value[end - 1]
