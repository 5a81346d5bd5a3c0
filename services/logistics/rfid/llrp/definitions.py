"""The tables of messages and parameters, read once into what the codec walks."""

from __future__ import annotations

import struct

import msgspec

from services.logistics.rfid.llrp.kinds import Counted, Fixed, Flags, Kind, Scalar
from services.logistics.rfid.llrp.messages import MESSAGES
from services.logistics.rfid.llrp.parameters import PARAMETERS

TV_MOST = 127
_SCALARS = {"u8": ">B", "u16": ">H", "u32": ">I", "u64": ">Q", "i8": ">b", "i16": ">h"}
_COUNTED = {"text": "text", "bytes": "bytes", "bits": "bits", "u8s": "B", "u16s": "H", "u32s": "I"}


class Slot(msgspec.Struct, frozen=True):
    """A place for a parameter inside another: what it is called there, its type, and how many there may be."""

    name: str
    type: str
    is_optional: bool
    is_repeated: bool


class Definition(msgspec.Struct, frozen=True):
    """A message or a parameter; ``size`` is that of the fields when nothing in it varies, else None."""

    number: int
    name: str
    kinds: tuple[Kind, ...]
    slots: tuple[Slot, ...]
    by_type: dict[str, Slot]
    size: int | None


def _read_table(table: str) -> list[Definition]:
    return [_read_line(line) for line in table.strip().splitlines()]


def _read_line(line: str) -> Definition:
    head, fields, inside = (*line.split("|"), "", "")[:3]
    number, name = head.split()
    kinds = _read_fields(fields.split())
    sizes = [_size(kind) for kind in kinds]
    size = None if None in sizes else sum(one for one in sizes if one is not None)
    slots = tuple(map(_read_slot, inside.split()))
    return Definition(int(number), name, kinds, slots, {slot.type: slot for slot in slots}, size)


def _read_slot(text: str) -> Slot:
    name, equals, type = text.rstrip("?*").rpartition("=")
    return Slot(name if equals else type, type, is_optional=text[-1] == "?", is_repeated=text[-1] == "*")


def _read_fields(fields: list[str]) -> tuple[Kind, ...]:
    kinds: list[Kind] = []
    bits: list[tuple[str, int, bool]] = []
    for name, _, kind in (field.partition(":") for field in fields):
        if name == "-":
            bits.append(("", int(kind), False))
        elif kind == "b" or kind[0] == "n":
            bits.append((name, int(kind[1:] or 1), kind == "b"))
        else:
            kinds.append(_read_kind(name, kind))
        width = sum(width for _, width, _ in bits)
        if width and width % 8 == 0:
            kinds.append(Flags(tuple(bits), width // 8))
            bits.clear()
    return tuple(kinds)


def _read_kind(name: str, kind: str) -> Kind:
    if kind in _SCALARS:
        return Scalar(name, struct.Struct(_SCALARS[kind]))
    if kind in _COUNTED:
        return Counted(name, _COUNTED[kind])
    return Fixed(name, -1 if kind == "rest" else int(kind[1:]))


def _size(kind: Kind) -> int | None:
    match kind:
        case Scalar(packing=packing):
            return packing.size
        case Flags(size=size) | Fixed(size=size) if size >= 0:
            return size
        case _:
            return None


MESSAGE_BY_NUMBER = {definition.number: definition for definition in _read_table(MESSAGES)}
MESSAGE_BY_NAME = {definition.name: definition for definition in MESSAGE_BY_NUMBER.values()}
PARAMETER_BY_NUMBER = {definition.number: definition for definition in _read_table(PARAMETERS)}
PARAMETER_BY_NAME = {definition.name: definition for definition in PARAMETER_BY_NUMBER.values()}
