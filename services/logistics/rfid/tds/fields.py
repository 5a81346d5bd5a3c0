"""The kinds of field in a tag's binary coding (TDS 14.3 and 14.4): each reads bits into dotted parts of a URI, and back.

Readers raise ``Unreadable`` where the bits break the rules of their kind, writers ``Unwritable`` where a value does not fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import msgspec


class Unreadable(ValueError):
    """Bits that break the rules of their coding."""


class Unwritable(ValueError):
    """A value that a coding has no room for."""


class Bits:
    """The bits of a tag, most significant first, and how far they have been read."""

    __slots__ = ("at", "length", "value")

    def __init__(self, value: int, length: int) -> None:
        self.value, self.length, self.at = value, length, 0

    def take(self, count: int) -> int:
        """The next bits as an unsigned number."""
        self.at += count
        if self.at > self.length:
            raise Unreadable("the tag holds fewer bits than its coding needs")
        return self.value >> (self.length - self.at) & (1 << count) - 1


class Field(Protocol):
    """One field: ``read`` gives the parts that it adds to a URI, ``write`` takes them back and gives value and width."""

    def read(self, bits: Bits) -> tuple[str, ...]: ...
    def write(self, parts: Iterator[str]) -> tuple[int, int]: ...


def number(text: str, bits: int) -> int:
    """A number without leading zeros that fits the bits."""
    if not (text.isascii() and text.isdecimal()) or len(text) > 40 or (text[0] == "0" and text != "0"):
        raise Unwritable(f"{text[:40]!r} is not a number without leading zeros")
    return fit(int(text), bits)


def fit(value: int, bits: int) -> int:
    """The value, when the bits hold it."""
    if value >> bits:
        raise Unwritable(f"{value} does not fit {bits} bits")
    return value


class Number(msgspec.Struct, frozen=True):
    """An unsigned number, written without leading zeros (14.3.1)."""

    bits: int

    def read(self, bits: Bits) -> tuple[str, ...]:
        return (str(bits.take(self.bits)),)

    def write(self, parts: Iterator[str]) -> tuple[int, int]:
        return number(next(parts), self.bits), self.bits


class Digits(msgspec.Struct, frozen=True):
    """A number written with a fixed count of digits (14.3.9): piece and total of an ITIP."""

    bits: int
    digits: int

    def read(self, bits: Bits) -> tuple[str, ...]:
        value = bits.take(self.bits)
        if value >= 10**self.digits:
            raise Unreadable(f"{value} has more than {self.digits} digits")
        return (f"{value:0{self.digits}d}",)

    def write(self, parts: Iterator[str]) -> tuple[int, int]:
        return fit(read_digits(next(parts), self.digits), self.bits), self.bits


def read_digits(text: str, digits: int) -> int:
    """A number of exactly so many digits; none stands for nothing."""
    if len(text) != digits or (digits and not (text.isascii() and text.isdecimal())):
        raise Unwritable(f"{text[:40]!r} is not {digits} digits")
    return int(text or "0")


class NumericText(msgspec.Struct, frozen=True):
    """A number that keeps its leading zeros, because a one is written before it (14.3.5)."""

    bits: int

    def read(self, bits: Bits) -> tuple[str, ...]:
        text = str(bits.take(self.bits))
        if len(text) < 2 or text[0] != "1":
            raise Unreadable("a numeric text does not begin with its one")
        return (text[1:],)

    def write(self, parts: Iterator[str]) -> tuple[int, int]:
        text = next(parts)
        if not (text.isascii() and text.isdecimal()) or len(text) > 40:
            raise Unwritable(f"{text[:40]!r} is not digits")
        return fit(int("1" + text), self.bits), self.bits


class Zeros(msgspec.Struct, frozen=True):
    """Reserved bits that are zero; no part of a URI."""

    bits: int

    def read(self, bits: Bits) -> tuple[str, ...]:
        if bits.take(self.bits):
            raise Unreadable("reserved bits are set")
        return ()

    def write(self, parts: Iterator[str]) -> tuple[int, int]:
        return 0, self.bits
