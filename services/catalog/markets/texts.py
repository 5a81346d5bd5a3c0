"""What sellers write in a cell, read as texts, identifiers and numbers, and folded where people write the same differently."""

from __future__ import annotations

import re
import unicodedata
from typing import Protocol

from chassis.values import Exact, read_exact

MAX_TEXT = 200
_exponent_form = re.compile(r"[0-9]+(\.[0-9]+)?[eE]\+?-?[0-9]+")
_sheet_identifier = re.compile(r"[0-9]+(\.[0-9]+)?[eE]\+[0-9]+")
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


class Limits(Protocol):
    """What a number may be: an attribute's or a column's own."""

    least: Exact
    most: Exact
    decimals: int


def fold_heading(text: str) -> str:
    """A heading without what people write differently: width, case, spaces, brackets and signs."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return "".join(sign for sign in folded if sign.isalnum())


def fold_name(text: str) -> str:
    """The name of a choice without width, case and spaces."""
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


def read_text(text: str) -> str:
    """A short text. Raises ValueError on hidden signs, too much of it, or what a spreadsheet would run as a formula."""
    if any(unicodedata.category(sign) in _HIDDEN for sign in text):
        raise ValueError("has control characters or other hidden signs")
    if len(text) > MAX_TEXT:
        raise ValueError(f"is longer than {MAX_TEXT} characters")
    if text[0] in "=@+" or (text[0] == "-" and len(text) > 1):
        raise ValueError(f"begins with {text[0]}, which a spreadsheet would run as a formula")
    return text


def read_identifier(text: str) -> str:
    """A number or code that names something. Raises ValueError.

    The exponent form of a spreadsheet is never repaired.
    """
    text = read_text(text)
    if _sheet_identifier.fullmatch(text):
        raise ValueError("is in exponent form: the spreadsheet has lost its digits, format the column as text")
    if len(text) > 64:
        raise ValueError("is longer than 64 characters")
    return text


def read_number(text: str, limits: Limits) -> Exact:
    """A number in plain digits within its limits, without noughts that do not count. Raises ValueError."""
    if _exponent_form.fullmatch(text):
        raise ValueError("is in exponent form: write plain digits")
    try:
        value = read_exact(text)
    except ValueError:
        raise ValueError("is not a number in plain digits, such as 5.5") from None
    places = -int(value.normalize().as_tuple().exponent)
    if places > limits.decimals:
        raise ValueError(f"has more than {limits.decimals} decimals")
    if not limits.least <= value <= limits.most:
        raise ValueError(f"is not between {limits.least} and {limits.most}")
    return Exact(format(value.normalize(), "f"))
