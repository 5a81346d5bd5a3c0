"""What sellers write in a cell, read as texts, identifiers, numbers and dates, and folded where people differ.

Why a text is refused is told in both languages: CheckFailed is a ValueError.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Protocol

from chassis.values import Exact, read_exact
from services.catalog.markets.checks.check import CheckFailed

MAX_TEXT = 200
_exponent_form = re.compile(r"[0-9]+(\.[0-9]+)?[eE]\+?-?[0-9]+")
_sheet_identifier = re.compile(r"[0-9]+(\.[0-9]+)?[eE]\+[0-9]+")
_date = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})-|/([0-9]{1,2})/|年([0-9]{1,2})月)([0-9]{1,2})(日?)(?: 00:00(?::00)?)?")
_size_prefix = re.compile(r"^(?:[a-z]{1,2}|[∠φ⌀\[]+)(?=[0-9])")
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
    """A short text. Raises CheckFailed on hidden signs, too much of it, or what a spreadsheet would run as a formula."""
    if not text:
        raise CheckFailed("is empty", "为空")
    if not text.isprintable() and any(unicodedata.category(sign) in _HIDDEN for sign in text):
        raise CheckFailed("has control characters or other hidden signs", "含有控制字符或其他不可见字符")
    if len(text) > MAX_TEXT:
        raise CheckFailed(f"is longer than {MAX_TEXT} characters", f"超过{MAX_TEXT}个字符")
    if text[0] in "=@+" or (text[0] == "-" and len(text) > 1):
        raise CheckFailed(
            f"begins with {text[0]}, which a spreadsheet would run as a formula",
            f"以{text[0]}开头，表格软件会当作公式执行",
        )
    return text


def read_identifier(text: str) -> str:
    """A number or code that names something. Raises CheckFailed.

    The exponent form of a spreadsheet is never repaired.
    """
    text = read_text(text)
    if _sheet_identifier.fullmatch(text):
        raise CheckFailed(
            "is in exponent form: the spreadsheet has lost its digits, format the column as text",
            "为科学计数法：表格软件已丢失数字，请将该列设为文本格式",
        )
    if len(text) > 64:
        raise CheckFailed("is longer than 64 characters", "超过64个字符")
    return text


def read_number(text: str, limits: Limits) -> Exact:
    """A number in plain digits within its limits, without noughts that do not count. Raises CheckFailed."""
    if _exponent_form.fullmatch(text):
        raise CheckFailed("is in exponent form: write plain digits", "为科学计数法：请写普通数字")
    try:
        value = read_exact(text)
    except ValueError:
        raise CheckFailed("is not a number in plain digits, such as 5.5", "不是普通数字（如 5.5）") from None
    plain = format(value.normalize(), "f")
    if len(plain.partition(".")[2]) > limits.decimals:
        raise CheckFailed(f"has more than {limits.decimals} decimals", f"小数超过{limits.decimals}位")
    if not limits.least <= value <= limits.most:
        raise CheckFailed(f"is not between {limits.least} and {limits.most}", f"不在{limits.least}与{limits.most}之间")
    return Exact(plain)


def read_date(text: str) -> str:
    """A day as ISO 8601 writes it, from 2026-11-21, 2026/11/21 or 2026年11月21日. Raises CheckFailed."""
    found = _date.fullmatch(unicodedata.normalize("NFKC", text))
    if found is None or ("年" in text) != bool(found[6]):
        raise CheckFailed("is not a date such as 2026-11-21", "不是日期（如 2026-11-21）")
    year, month, day = found[1], found[2] or found[3] or found[4], found[5]
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        raise CheckFailed("is no day of the calendar", "不是日历上的日期") from None


def fold_size(text: str) -> str:
    """How a section is called, without what people write differently: HW 300×300×10×15 is 300*300*10*15, 20#A is 20a."""
    folded = unicodedata.normalize("NFKC", text).lower()
    folded = "".join(folded.replace("×", "*").replace("#", "").split())
    return re.sub(r"(?<=[0-9])x(?=[0-9])", "*", _size_prefix.sub("", folded))
