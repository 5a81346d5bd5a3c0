"""Texts in tags: seven bits a character (TDS 14.3.3, Appendix A), six bits (14.3.6, Appendix G), and CAGE codes (14.3.7)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote

import msgspec

from services.logistics.rfid.tds.fields import Bits, Unreadable, Unwritable

_ISO_646 = frozenset("!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
_ESCAPED = {character: f"%{ord(character):02X}" for character in '"%&/<>?#'}
_SEVEN = {ord(character): _ESCAPED.get(character, character) for character in _ISO_646}
_SIX = {
    ord(character) & 63: _ESCAPED.get(character, character) for character in "#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
}
_FROM_SIX = {character: code for code, character in _SIX.items()}
_SPACE = 32
_CAGE = re.compile(r"[0-9A-HJ-NP-Z]{5,6}", re.ASCII)
_ONE = re.compile(r"%[0-9A-F]{2}|[^%]")


class Text(msgspec.Struct, frozen=True):
    """A text of seven-bit characters, at most as many as fit, with zeros behind it; never empty."""

    bits: int

    def read(self, bits: Bits) -> tuple[str, ...]:
        return (read_seven(bits.take(self.bits), self.bits),)

    def write(self, parts: Iterator[str]) -> tuple[int, int]:
        return write_seven(next(parts), self.bits), self.bits


def read_seven(value: int, width: int) -> str:
    """The escaped text in so many bits."""
    characters: list[str] = []
    for shift in range(width - 7, -1, -7):
        code = value >> shift & 127
        if code == 0:
            break
        if (character := _SEVEN.get(code)) is None:
            raise Unreadable(f"code {code} is no character of a GS1 text")
        characters.append(character)
    if not characters or value & (1 << width - 7 * len(characters)) - 1:
        raise Unreadable("a text is empty or goes on behind its end")
    return "".join(characters)


def write_seven(text: str, width: int) -> int:
    """The bits of an escaped text."""
    plain = unquote(text)
    if not plain or len(plain) > width // 7 or not _ISO_646.issuperset(plain):
        raise Unwritable(f"{text[:40]!r} is not 1 to {width // 7} characters of a GS1 text")
    value = 0
    for character in plain:
        value = value << 7 | ord(character)
    return value << width - 7 * len(plain)


class SixBitText(msgspec.Struct, frozen=True):
    """A text of six-bit characters that ends in six zeros."""

    least: int
    most: int
    allowed: str

    def read(self, bits: Bits) -> tuple[str, ...]:
        characters: list[str] = []
        while code := bits.take(6):
            if code not in _SIX or len(characters) == self.most:
                raise Unreadable("a text of six-bit characters is too long or has no such character")
            characters.append(_SIX[code])
        text = "".join(characters)
        if len(characters) < self.least or not _pattern(self.allowed).fullmatch(text):
            raise Unreadable(f"{text!r} is not what its field may hold")
        return (text,)

    def write(self, parts: Iterator[str]) -> tuple[int, int]:
        text = next(parts)
        characters = _ONE.findall(text)
        if not self.least <= len(characters) <= self.most or not _pattern(self.allowed).fullmatch(text):
            raise Unwritable(f"{text[:40]!r} is not what its field may hold")
        value = 0
        for character in characters:
            value = value << 6 | _FROM_SIX[character]
        return value << 6, 6 * len(characters) + 6


@lru_cache(16)
def _pattern(allowed: str) -> re.Pattern[str]:
    return re.compile(allowed, re.ASCII)


class Cage(msgspec.Struct, frozen=True):
    """A CAGE code or DoDAAC of six characters, five with a space before it; ``width`` bits a character (6 or 8)."""

    width: int

    def read(self, bits: Bits) -> tuple[str, ...]:
        codes = [bits.take(self.width) for _ in range(6)]
        if codes[0] == _SPACE:
            codes = codes[1:]
        alphabet = {ord(letter) & (1 << self.width) - 1: letter for letter in "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"}
        if not all(code in alphabet for code in codes):
            raise Unreadable("a CAGE code has a character that it may not have")
        return ("".join(alphabet[code] for code in codes),)

    def write(self, parts: Iterator[str]) -> tuple[int, int]:
        text = next(parts)
        if not _CAGE.fullmatch(text):
            raise Unwritable(f"{text[:40]!r} is no CAGE code or DoDAAC")
        value = 0
        for character in text.rjust(6):
            value = value << self.width | ord(character) & (1 << self.width) - 1
        return value, 6 * self.width
