"""The only source of time and of ids."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Lock

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case: sorts as the number does


def _base32(number: int, digits: int) -> str:
    text = []
    for _ in range(digits):
        text.append(_ALPHABET[number & 31])
        number >>= 5
    return "".join(reversed(text))


class SystemClock:
    """The machine's time, and ids of 48 bits of milliseconds followed by 80 random bits."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def new_id(self, noun: str) -> str:
        number = (time.time_ns() // 1_000_000 << 80) | int.from_bytes(os.urandom(10))
        return f"{noun}_{_base32(number, 26)}"


class FrozenClock:
    """A clock for tests: time stands until it is advanced, ids count up."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.count = 0
        self._lock = Lock()

    def now(self) -> datetime:
        return self.at

    def new_id(self, noun: str) -> str:
        with self._lock:
            self.count += 1
            return f"{noun}_{_base32(self.count, 26)}"

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.at += by


_clock: SystemClock | FrozenClock = SystemClock()


def now() -> datetime:
    """The time, in UTC with its zone."""
    return _clock.now()


def new_id(noun: str) -> str:
    """A new id: the noun, an underscore and 26 characters that sort by time of creation."""
    return _clock.new_id(noun)


@contextmanager
def frozen(at: datetime) -> Iterator[FrozenClock]:
    """Within the block time stands at ``at`` and ids count up."""
    global _clock
    before, _clock = _clock, FrozenClock(at)
    try:
        yield _clock
    finally:
        _clock = before
