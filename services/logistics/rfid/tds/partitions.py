"""The part of a coding that begins with a company prefix: partition, prefix and reference (TDS 14.3.2 to 14.4.6).

The partition says how many digits the prefix has (12 to 6), so how many bits it takes and how many are left.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from services.logistics.rfid.tds.fields import Bits, Unreadable, Unwritable, fit, number, read_digits
from services.logistics.rfid.tds.texts import SixBitText, read_seven, write_seven

PREFIX_BITS = (40, 37, 34, 30, 27, 24, 20)
CPI_96_BITS = (11, 14, 17, 21, 24, 27, 31)
_PART = r"(?:%23|%2F|[0-9A-Z\-])+"


def read_prefix(bits: Bits) -> tuple[int, str]:
    """The partition and the company prefix with all its digits."""
    partition = bits.take(3)
    if partition > 6:
        raise Unreadable("there is no partition 7")
    value, digits = bits.take(PREFIX_BITS[partition]), 12 - partition
    if value >= 10**digits:
        raise Unreadable(f"the company prefix has more than {digits} digits")
    return partition, f"{value:0{digits}d}"


def write_prefix(company: str) -> tuple[int, int, int]:
    """The partition, and value and width of partition and company prefix together."""
    partition = 12 - len(company)
    if not 0 <= partition <= 6:
        raise Unwritable(f"{company[:40]!r} is no company prefix of 6 to 12 digits")
    width = PREFIX_BITS[partition]
    return partition, partition << width | read_digits(company, len(company)), 3 + width


class Padded(msgspec.Struct, frozen=True):
    """Prefix and a reference that together have ``digits`` digits, in ``bits`` bits; the reference may be of none."""

    bits: int
    digits: int

    def read(self, bits: Bits) -> tuple[str, ...]:
        partition, company = read_prefix(bits)
        value, digits = bits.take(self.bits - PREFIX_BITS[partition]), self.digits - len(company)
        if value >= 10**digits:
            raise Unreadable(f"the reference has more than {digits} digits")
        return company, f"{value:0{digits}d}" if digits else ""

    def write(self, parts: Iterator[str]) -> tuple[int, int]:
        company, reference = next(parts), next(parts)
        partition, value, width = write_prefix(company)
        left = self.bits - PREFIX_BITS[partition]
        return value << left | fit(read_digits(reference, self.digits - len(company)), left), width + left


class Unpadded(msgspec.Struct, frozen=True):
    """Prefix and a number without leading zeros; widths and most digits by partition."""

    widths: tuple[int, ...]
    digits: tuple[int, ...]

    def read(self, bits: Bits) -> tuple[str, ...]:
        partition, company = read_prefix(bits)
        value = bits.take(self.widths[partition])
        if value >= 10 ** self.digits[partition]:
            raise Unreadable(f"the reference has more than {self.digits[partition]} digits")
        return company, str(value)

    def write(self, parts: Iterator[str]) -> tuple[int, int]:
        partition, value, width = write_prefix(next(parts))
        reference, left = next(parts), self.widths[partition]
        if len(reference) > self.digits[partition]:
            raise Unwritable(f"{reference[:40]!r} has more than {self.digits[partition]} digits")
        return value << left | number(reference, left), width + left


class Lettered(msgspec.Struct, frozen=True):
    """Prefix and a text of seven-bit characters, ``digits`` characters together: a GIAI-202."""

    bits: int
    digits: int

    def read(self, bits: Bits) -> tuple[str, ...]:
        partition, company = read_prefix(bits)
        width = self.bits - PREFIX_BITS[partition]
        room, value = 7 * (self.digits - len(company)), bits.take(width)
        if value & (1 << width - room) - 1:
            raise Unreadable("bits behind the text are set")
        return company, read_seven(value >> width - room, room)

    def write(self, parts: Iterator[str]) -> tuple[int, int]:
        company = next(parts)
        partition, value, width = write_prefix(company)
        left, room = self.bits - PREFIX_BITS[partition], 7 * (self.digits - len(company))
        return value << left | write_seven(next(parts), room) << left - room, width + left


class Part(msgspec.Struct, frozen=True):
    """Prefix and a component reference of six-bit characters, ``digits`` characters together: a CPI-var."""

    digits: int

    def read(self, bits: Bits) -> tuple[str, ...]:
        _, company = read_prefix(bits)
        return company, *SixBitText(1, self.digits - len(company), _PART).read(bits)

    def write(self, parts: Iterator[str]) -> tuple[int, int]:
        company = next(parts)
        _, value, width = write_prefix(company)
        text, length = SixBitText(1, self.digits - len(company), _PART).write(parts)
        return value << length | text, width + length
