"""The values of parameters, as a query string or the JSON of a named query gives them.

In a query string every value is a text, and a list is its texts with ``|`` between them (``style: pipeDelimited`` of the REST
binding). In JSON a list is a list, and a number is a number. An empty list asks for nothing in particular: the parameter is as
if it were not there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from services.logistics.epcis.exceptions import QueryTooComplexException
from services.logistics.epcis.query.refusing import refuse
from services.logistics.epcis.times import read_time

MOST_PARAMETERS = 50
MOST_VALUES = 1_000
LONGEST_VALUE = 4_000
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)


class Asked(msgspec.Struct, frozen=True):
    """The value of a parameter of a query string."""

    text: str


Given = Any
"""An ``Asked``, or a value of JSON."""


def read_pairs(pairs: Iterable[tuple[str, str]]) -> dict[str, Given]:
    """The parameters of a query string. Raises QueryParameterException for one that is given twice."""
    given: dict[str, Given] = {}
    for name, text in pairs:
        if name in given:
            refuse(name, "is given twice; the values of a list stand in one parameter with | between them")
        given[name] = Asked(text)
    return given


def read_list(name: str, given: Given) -> list[Any]:
    """The values of a list: texts of a query string, or the items of JSON; one value alone is a list of one."""
    if isinstance(given, Asked):
        values: list[Any] = given.text.split("|") if given.text else []
    else:
        values = given if isinstance(given, list) else [given]
    if len(values) > MOST_VALUES:
        raise QueryTooComplexException(f"{name[:200]} has more than {MOST_VALUES} values", parameter=name[:200])
    return values


def read_texts(name: str, given: Given) -> tuple[str, ...]:
    """The texts of a list. Raises QueryParameterException."""
    return tuple(_read_text(name, value) for value in read_list(name, given))


def read_text(name: str, given: Given) -> str:
    """One text. Raises QueryParameterException."""
    return _read_text(name, given.text if isinstance(given, Asked) else given)


def read_numbers(name: str, given: Given) -> tuple[Decimal, ...]:
    """The numbers of a list. Raises QueryParameterException."""
    return tuple(read_number(name, value) for value in read_list(name, given))


def read_number(name: str, given: Given) -> Decimal:
    """One number. Raises QueryParameterException."""
    value = given.text if isinstance(given, Asked) else given
    number = find_number(value)
    if number is None:
        refuse(name, "takes a number")
    return number


def find_number(value: Any) -> Decimal | None:
    """The number that a value is or is the text of; None where it is none."""
    if isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    text = str(value) if isinstance(value, (int, float)) else value
    if not isinstance(text, str) or len(text) > 100 or not _NUMBER.fullmatch(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def read_whole(name: str, given: Given) -> int:
    """One whole number. Raises QueryParameterException."""
    value = given.text if isinstance(given, Asked) else given
    if isinstance(value, bool) or not isinstance(value, (int, str)) or not _WHOLE.fullmatch(str(value)):
        refuse(name, "takes a whole number")
    return int(value)


def read_instant(name: str, given: Given) -> datetime:
    """One time with its offset. Raises QueryParameterException."""
    at = read_time(mend_offset(given.text) if isinstance(given, Asked) else given)
    if at is None or not 1 < at.year < 9999:
        refuse(name, "takes a time with its offset, such as 2026-03-01T08:00:00+01:00")
    return at


def mend_offset(text: str) -> str:
    """A time of a query string: an unescaped + of its offset has become a blank there, and no time has one."""
    return text.replace(" ", "+")


def read_flag(name: str, given: Given) -> bool:
    """Whether a parameter that needs no value is set. Raises QueryParameterException."""
    value = given.text.lower() if isinstance(given, Asked) else given
    if value in (None, "", "true", "1") or value is True or (value == 1 and isinstance(value, int)):
        return True
    if value in ("false", "0") or value is False or (value == 0 and isinstance(value, int)):
        return False
    return refuse(name, "takes true or false, or no value")


def _read_text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        refuse(name, "takes texts")
    if len(value) > LONGEST_VALUE or not value.isprintable():
        refuse(name, f"takes texts of at most {LONGEST_VALUE} characters, none of them a control character")
    return value
