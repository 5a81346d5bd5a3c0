"""Recorded read files, read and written: lines of JSON, each a read, an edge of the photo-eye, or the rules to be tried."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from chassis.problems import Invalid
from services.logistics.rfid.stages.reads import Read
from services.logistics.rfid.stretches import to_us
from services.logistics.warehouses.rules import GateRules

MOST_LINES = 100_000
MOST_BYTES = 16 << 20
MOST_WRITTEN = 50_000
"""Lines of a file that is given out: it may be tried again, however long its EPCs are."""
Time = Annotated[datetime, Meta(tz=True)]


class RecordingInvalid(Invalid):
    """A recorded read file has a line a read or an edge of the photo-eye, and may have one with rules."""


class RecordedRead(msgspec.Struct, frozen=True, omit_defaults=True):
    """One sight of one tag; without ``sequence`` its line names it. What else a line has is passed over."""

    epc: Annotated[str, Meta(pattern=r"^([0-9A-Fa-f]{4}){1,31}(?![\s\S])")]
    at: Time
    antenna: Annotated[int, Meta(ge=0, le=65_535)] = 0
    rssi_dbm: Annotated[float, Meta(ge=-200, le=100)] = -90.0
    count: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    reader_id: str = ""
    boot: str = ""
    sequence: int | None = None


class RecordedEdge(msgspec.Struct, frozen=True):
    """The photo-eye went high or low."""

    is_high: bool
    at: Time


class _Line(msgspec.Struct, frozen=True):
    rules: GateRules | None = None
    is_high: bool | None = None


class Recording(msgspec.Struct, frozen=True):
    """What a file has: reads, edges (microseconds, high or low), and rules, where it brings some."""

    reads: list[Read]
    edges: list[tuple[int, bool]]
    rules: GateRules | None


_read_line = msgspec.json.Decoder(_Line).decode
_read_read = msgspec.json.Decoder(RecordedRead).decode
_read_edge = msgspec.json.Decoder(RecordedEdge).decode
_write_lines = msgspec.json.Encoder().encode_lines


def read_recording(body: bytes) -> Recording:
    """A recorded file. Raises RecordingInvalid (``field`` says which line)."""
    lines = body.split(b"\n", MOST_LINES)
    if len(lines) > MOST_LINES and lines[-1]:
        raise RecordingInvalid(f"at most {MOST_LINES} lines are taken", field="$")
    reads: list[Read] = []
    edges: list[tuple[int, bool]] = []
    rules: GateRules | None = None
    for place, line in enumerate(lines):
        if not line.strip():
            continue
        try:
            kind = _read_line(line)
            if kind.rules is not None:
                rules = kind.rules
            elif kind.is_high is not None:
                edge = _read_edge(line)
                edges.append((to_us(edge.at), edge.is_high))
            else:
                reads.append(_make_read(_read_read(line), place))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise RecordingInvalid(f"line {place + 1}: {error}", field=f"$[{place}]") from None
    return Recording(reads, edges, rules)


def write_recording(lines: Iterable[RecordedRead | RecordedEdge]) -> bytes:
    """A recorded file, in the order of time. Raises RecordingInvalid when that is more than ``MOST_WRITTEN`` lines."""
    ordered = sorted(lines, key=lambda one: one.at)
    if len(ordered) > MOST_WRITTEN:
        raise RecordingInvalid(f"there are more than {MOST_WRITTEN:,} reads: ask for a shorter time", field="since")
    return _write_lines(ordered)


def _make_read(told: RecordedRead, place: int) -> Read:
    key = f"line {place}" if told.sequence is None else f"{told.boot}/{told.sequence}"
    at_us = to_us(told.at)
    return Read(at_us, told.reader_id, told.antenna, told.epc.upper(), key, told.rssi_dbm, told.count)
