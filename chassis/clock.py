"""The only source of time and of ids."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Lock

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case: sorts as the number does
_FROM_RFC_4648 = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", _ALPHABET.encode())


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

    def new_ids(self, noun: str, count: int) -> list[str]:
        time_part = _base32(time.time_ns() // 1_000_000, 10)
        random_part = base64.b32encode(os.urandom(10 * count)).translate(_FROM_RFC_4648).decode()
        return [f"{noun}_{time_part}{random_part[i : i + 16]}" for i in range(0, 16 * count, 16)]


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

    def new_ids(self, noun: str, count: int) -> list[str]:
        return [self.new_id(noun) for _ in range(count)]

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


def new_ids(noun: str, count: int) -> list[str]:
    """Some new ids at once, which costs a tenth of one by one."""
    return _clock.new_ids(noun, count)


@contextmanager
def frozen(at: datetime) -> Iterator[FrozenClock]:
    """Within the block time stands at ``at`` and ids count up."""
    global _clock
    before, _clock = _clock, FrozenClock(at)
    try:
        yield _clock
    finally:
        _clock = before
