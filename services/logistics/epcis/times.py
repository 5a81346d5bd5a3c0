"""Times of EPCIS events: xsd:dateTimeStamp, which always says its offset."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_STAMP = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))", re.ASCII
)
_LONGEST = 60
OFFSET = re.compile(r"[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00)", re.ASCII)


def read_time(text: object) -> datetime | None:
    """The time that a text says, to the microsecond; None when it is no xsd:dateTimeStamp."""
    return _read_time(text) if isinstance(text, str) and len(text) <= _LONGEST else None


@lru_cache(16_384)
def _read_time(text: str) -> datetime | None:
    if not _STAMP.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        return None


def write_hashed(text: str) -> str:
    """A time as the hash wants it: UTC, to the nearest millisecond (halves to even); another text as it is.

    A time without an offset, which no valid event has, counts as UTC.
    """
    return _write_hashed(text) if len(text) <= _LONGEST else text


@lru_cache(16_384)
def _write_hashed(text: str) -> str:
    try:
        at = datetime.fromisoformat(text.upper())
    except ValueError:
        return text
    at = at.replace(tzinfo=at.tzinfo or UTC)
    rounded = round(at.microsecond, -3)
    try:
        at = (at.replace(microsecond=0) + timedelta(microseconds=rounded)).astimezone(UTC)
    except OverflowError:
        return text
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
