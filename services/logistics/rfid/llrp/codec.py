"""Reads and writes any LLRP message by its definition.

What a reader sends is never trusted: depth and count of parameters are bounded, and whatever does not fit is ``Malformed``.
A parameter that is not known, not where it may be, or there twice, is kept raw in ``extra``.
"""

from __future__ import annotations

from typing import Any

import msgspec

from services.logistics.rfid.llrp.definitions import (
    MESSAGE_BY_NAME,
    MESSAGE_BY_NUMBER,
    PARAMETER_BY_NAME,
    PARAMETER_BY_NUMBER,
    TV_MOST,
    Definition,
)
from services.logistics.rfid.llrp.wire import Frame, Malformed

MOST_DEPTH = 12
MOST_PARAMETERS = 50_000


class Raw(msgspec.Struct, frozen=True):
    """A parameter that nobody knows: its number and its bytes without its head."""

    number: int
    body: bytes


class Item(msgspec.Struct):
    """A message or parameter: fields and parameters inside by name, a list where there may be many."""

    name: str
    values: dict[str, Any]
    extra: list[Raw] = []

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def get(self, name: str) -> Any:
        """The field or parameter of a name, None when it is not there."""
        return self.values.get(name)


def make(name: str, **values: Any) -> Item:
    """A message or parameter to be written; fields that are left out are zero."""
    return Item(name, values)


class _Budget:
    """How many parameters a message may still have."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MOST_PARAMETERS

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Malformed(f"a message has more than {MOST_PARAMETERS} parameters")


def read_message(frame: Frame) -> Item:
    """The message in a frame. Raises Malformed when its number is not known or its body is not as its definition says."""
    definition = MESSAGE_BY_NUMBER.get(frame.type)
    if definition is None:
        raise Malformed(f"{frame.type} is no message of LLRP")
    return _read(definition, frame.body, 0, len(frame.body), _Budget(), 0)


def _read(definition: Definition, body: bytes, at: int, end: int, budget: _Budget, depth: int) -> Item:
    if depth > MOST_DEPTH:
        raise Malformed("parameters lie too deep in each other")
    values: dict[str, Any] = {}
    for kind in definition.kinds:
        at = kind.read(body, at, end, values)
    for slot in definition.slots:
        values[slot.name] = [] if slot.is_repeated else None
    item = Item(definition.name, values, [])
    while at < end:
        at = _read_inside(item, definition, body, at, end, budget, depth)
    _check(item, definition)
    return item


def _check(item: Item, definition: Definition) -> None:
    for slot in definition.slots:
        if not (slot.is_optional or slot.is_repeated) and item.values[slot.name] is None:
            raise Malformed(f"{definition.name} has no {slot.name}")


def _read_inside(item: Item, outer: Definition, body: bytes, at: int, end: int, budget: _Budget, depth: int) -> int:
    budget.spend()
    number, start, after = read_head(body, at, end)
    inner = PARAMETER_BY_NUMBER.get(number)
    slot = outer.by_type.get(inner.name) if inner else None
    if inner is None or slot is None or not (slot.is_repeated or item.values[slot.name] is None):
        item.extra.append(Raw(number, body[start:after]))
        return after
    found = _read(inner, body, start, after, budget, depth + 1)
    if slot.is_repeated:
        item.values[slot.name].append(found)
    else:
        item.values[slot.name] = found
    return after


def read_head(body: bytes, at: int, end: int) -> tuple[int, int, int]:
    """The number of the parameter at a place, where its fields begin and where it ends."""
    if body[at] & 0x80:
        number = body[at] & TV_MOST
        definition = PARAMETER_BY_NUMBER.get(number)
        if definition is None or definition.size is None:
            raise Malformed(f"{number} is no parameter without a length")
        start, after = at + 1, at + 1 + definition.size
    else:
        if at + 4 > end:
            raise Malformed("a parameter ends within its head")
        number, length = int.from_bytes(body[at : at + 2]) & 0x3FF, int.from_bytes(body[at + 2 : at + 4])
        start, after = at + 4, at + length
        if length < 4:
            raise Malformed("a parameter is shorter than its head")
    if after > end:
        raise Malformed(f"parameter {number} goes beyond what it is in")
    return number, start, after


def write_message(item: Item) -> tuple[int, bytes]:
    """The number and the body of a message."""
    definition = MESSAGE_BY_NAME[item.name]
    return definition.number, _write_body(definition, item)


def _write_body(definition: Definition, item: Item) -> bytes:
    parts = [kind.write(item.values) for kind in definition.kinds]
    for slot in definition.slots:
        found = item.values.get(slot.name)
        inside = found if isinstance(found, list) else [] if found is None else [found]
        parts.extend(write_parameter(one) for one in inside)
    parts.extend(_with_head(raw.number, raw.body) for raw in item.extra)
    return b"".join(parts)


def write_parameter(item: Item) -> bytes:
    """A parameter with its head."""
    definition = PARAMETER_BY_NAME[item.name]
    return _with_head(definition.number, _write_body(definition, item))


def _with_head(number: int, body: bytes) -> bytes:
    if number <= TV_MOST:
        return bytes((0x80 | number,)) + body
    if len(body) > 0xFFFF - 4:
        raise ValueError(f"parameter {number} is longer than its length can say")
    return number.to_bytes(2) + (len(body) + 4).to_bytes(2) + body
