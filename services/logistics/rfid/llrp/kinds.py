"""The kinds of field in LLRP's messages and parameters, read from bytes and written back (LLRP 1.1, section 17.1).

Numbers are big-endian; texts, byte, number and bit lists begin with their count in two bytes; bits are gathered to whole bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from services.logistics.rfid.llrp.wire import Malformed

Values = dict[str, Any]
MOST_COUNT = 0xFFFF


class BitList(msgspec.Struct, frozen=True):
    """So many bits, in whole bytes."""

    count: int = 0
    data: bytes = b""


class Kind(Protocol):
    """Reads into ``values`` from ``at``, gives where it ended; writes from ``values``, where what is missing is zero."""

    def read(self, body: bytes, at: int, end: int, values: Values) -> int: ...
    def write(self, values: Values) -> bytes: ...


def _room(at: int, size: int, end: int) -> int:
    if at + size > end:
        raise Malformed(f"ends {at + size - end} bytes too early")
    return at + size


class Scalar(msgspec.Struct, frozen=True):
    """A number of one, two, four or eight bytes."""

    name: str
    packing: struct.Struct

    def read(self, body: bytes, at: int, end: int, values: Values) -> int:
        after = _room(at, self.packing.size, end)
        (values[self.name],) = self.packing.unpack_from(body, at)
        return after

    def write(self, values: Values) -> bytes:
        return self.packing.pack(values.get(self.name, 0))


class Flags(msgspec.Struct, frozen=True):
    """Bits that fill whole bytes: each a name, a width, and whether it is true or false; no name is reserved."""

    bits: tuple[tuple[str, int, bool], ...]
    size: int

    def read(self, body: bytes, at: int, end: int, values: Values) -> int:
        after = _room(at, self.size, end)
        value, left = int.from_bytes(body[at:after]), 8 * self.size
        for name, width, is_flag in self.bits:
            left -= width
            if name:
                number = value >> left & (1 << width) - 1
                values[name] = bool(number) if is_flag else number
        return after

    def write(self, values: Values) -> bytes:
        value = 0
        for name, width, _ in self.bits:
            value = value << width | int(values.get(name, 0)) & (1 << width) - 1
        return value.to_bytes(self.size)


class Fixed(msgspec.Struct, frozen=True):
    """So many bytes; ``size`` -1 for all that are left."""

    name: str
    size: int

    def read(self, body: bytes, at: int, end: int, values: Values) -> int:
        after = end if self.size < 0 else _room(at, self.size, end)
        values[self.name] = body[at:after]
        return after

    def write(self, values: Values) -> bytes:
        data = values.get(self.name, b"")
        return data if self.size < 0 else data[: self.size].ljust(self.size, b"\0")


class Counted(msgspec.Struct, frozen=True):
    """A list with its count before it: ``text`` (UTF-8), ``bytes``, ``bits``, or numbers of a packing letter."""

    name: str
    of: str

    def read(self, body: bytes, at: int, end: int, values: Values) -> int:
        start = _room(at, 2, end)
        count = int.from_bytes(body[at:start])
        after = _room(start, self._bytes(count), end)
        values[self.name] = self._value(count, body[start:after])
        return after

    def _bytes(self, count: int) -> int:
        match self.of:
            case "text" | "bytes":
                return count
            case "bits":
                return (count + 7) // 8
            case letter:
                return count * struct.calcsize(letter)

    def _value(self, count: int, data: bytes) -> str | bytes | BitList | list[int]:
        match self.of:
            case "text":
                return data.decode("utf-8", "replace")
            case "bytes":
                return data
            case "bits":
                return BitList(count, data)
            case letter:
                return list(struct.unpack(f">{count}{letter}", data))

    def write(self, values: Values) -> bytes:
        value = values.get(self.name)
        if value is None:
            return b"\0\0"
        count, data = self._packed(value)
        if count > MOST_COUNT:
            raise ValueError(f"{self.name} has more than {MOST_COUNT} elements")
        return count.to_bytes(2) + data

    def _packed(self, value: str | bytes | BitList | Sequence[int]) -> tuple[int, bytes]:
        if isinstance(value, str):
            value = value.encode()
        if isinstance(value, BitList):
            return value.count, value.data
        if isinstance(value, bytes):
            return len(value), value
        return len(value), struct.pack(f">{len(value)}{self.of}", *value)
