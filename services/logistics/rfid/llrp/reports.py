"""Tag reports read fast: a reader sends thousands a second, so this one message has a way of its own beside ``codec``.

It reads what a read is made of, and steps over the rest. That both ways agree is a property test.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import msgspec

from services.logistics.rfid.llrp.codec import MOST_PARAMETERS, read_head
from services.logistics.rfid.llrp.wire import Malformed
from services.logistics.rfid.tds.decoding import MOST_BITS

_REPORT, _EPC_DATA = 240, 241


class TagReport(msgspec.Struct, frozen=True):
    """One tag as a reader reported it: times in microseconds, by its UTC clock or since it started; None where not told."""

    epc: str
    antenna: int | None = None
    rssi_dbm: int | None = None
    first_utc: int | None = None
    last_utc: int | None = None
    first_uptime: int | None = None
    last_uptime: int | None = None
    count: int | None = None
    ro_spec_id: int | None = None
    channel: int | None = None
    pc: int | None = None


Unpack = Callable[[bytes, int], tuple[Any, ...]]


def _plain(packing: str) -> tuple[int, Unpack]:
    one = struct.Struct(packing)
    return 1 + one.size, one.unpack_from


_TOLD: dict[int, tuple[str, int, Unpack]] = {
    0x80 | number: (name, *_plain(packing))
    for number, name, packing in (
        (1, "antenna", ">H"),
        (2, "first_utc", ">Q"),
        (3, "first_uptime", ">Q"),
        (4, "last_utc", ">Q"),
        (5, "last_uptime", ">Q"),
        (6, "rssi_dbm", ">b"),
        (7, "channel", ">H"),
        (8, "count", ">H"),
        (9, "ro_spec_id", ">I"),
        (12, "pc", ">H"),
        (13, "epc", ">12s"),
    )
}


def read_reports(body: bytes) -> list[TagReport]:
    """The tags in the body of an RO_ACCESS_REPORT, in its order. Raises Malformed as ``read_message`` does."""
    at, end, found, left = 0, len(body), [], MOST_PARAMETERS
    while at < end:
        number, start, after = read_head(body, at, end)
        if number == _REPORT:
            report, left = _read_report(body, start, after, left)
            found.append(report)
        at, left = after, left - 1
        if left < 0:
            raise Malformed(f"a message has more than {MOST_PARAMETERS} parameters")
    return found


def _read_report(body: bytes, at: int, end: int, left: int) -> tuple[TagReport, int]:
    told: dict[str, Any] = {}
    while at < end:
        left -= 1
        if known := _TOLD.get(body[at]):
            name, size, unpack = known
            if at + size > end:
                raise Malformed("a parameter goes beyond its report")
            if name not in told:
                told[name] = unpack(body, at + 1)[0]
            at += size
            continue
        number, start, after = read_head(body, at, end)
        if number == _EPC_DATA and "data" not in told:
            told["data"] = _read_epc(body, start, after)
        at = after
    return _report(told), left


def _read_epc(body: bytes, start: int, after: int) -> bytes:
    """The bits of an EPCData, to whole bytes: TDS pads what it writes with zeros. No tag has more than ``MOST_BITS``."""
    if start + 2 > after:
        raise Malformed("an EPC ends within its length")
    bits = int.from_bytes(body[start : start + 2])
    size = (bits + 7) // 8
    if bits > MOST_BITS:
        raise Malformed(f"an EPC of {bits} bits is longer than a tag can hold")
    if start + 2 + size > after:
        raise Malformed("an EPC is shorter than it says")
    return body[start + 2 : start + 2 + size]


def _report(told: dict[str, Any]) -> TagReport:
    data = told.pop("data", None)
    epc = told.pop("epc", None)
    raw = epc if epc is not None else data
    if raw is None:
        raise Malformed("a report names no tag")
    return TagReport(raw.hex().upper(), **told)
