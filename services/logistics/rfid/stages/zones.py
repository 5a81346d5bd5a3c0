"""One tag heard in two zones: which one it is in (RFID.md 4.2; the rule of EdgeX's RFID inventory, Apache-2.0).

A tag moves when the mean of its last signals at the other zone beats that at its own by an offset; the longer the own zone
has been silent, the smaller the offset, below zero in the end. Antennas of one zone never make a move.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

import msgspec

from services.logistics.rfid.stages.reads import Antenna, Bucket, by_epc

KEPT_SIGNALS = 20
LEAST_READS = 2
OFFSET_DB = 6.0
DECAY_DB_PER_MS = 0.008
DECAY_FROM_MS = 500


class Moved(msgspec.Struct, frozen=True, order=True):
    """From ``at_us`` on a tag is in a zone."""

    at_us: int
    epc: str
    zone: str


class _Signals:
    """The last signals of a tag at one zone."""

    def __init__(self) -> None:
        self.rssi: deque[float] = deque(maxlen=KEPT_SIGNALS)
        self.last_us = 0
        self.reads = 0

    def add(self, bucket: Bucket) -> None:
        self.rssi.append(bucket.rssi_dbm)
        self.last_us = max(self.last_us, bucket.last_us)
        self.reads += bucket.count

    @property
    def mean(self) -> float:
        return sum(self.rssi) / len(self.rssi)


def locate(buckets: Iterable[Bucket], zones: Mapping[Antenna, str]) -> list[Moved]:
    """Where each tag is, from when on; antennas without a zone do not count."""
    moves: list[Moved] = []
    for epc, seen in by_epc(buckets).items():
        moves += _locate_one(epc, seen, zones)
    return sorted(moves)


def _locate_one(epc: str, seen: list[Bucket], zones: Mapping[Antenna, str]) -> list[Moved]:
    signals: dict[str, _Signals] = {}
    moves: list[Moved] = []
    for bucket in seen:
        if (zone := zones.get(bucket.at)) is None:
            continue
        signals.setdefault(zone, _Signals()).add(bucket)
        own = moves[-1].zone if moves else None
        if own is None or (zone != own and _beats(signals[zone], signals[own])):
            moves.append(Moved(bucket.last_us, epc, zone))
    return moves


def _beats(other: _Signals, own: _Signals) -> bool:
    silent_ms = (other.last_us - own.last_us) / 1_000
    offset = min(OFFSET_DB, OFFSET_DB - DECAY_DB_PER_MS * (silent_ms - DECAY_FROM_MS))
    return other.reads >= LEAST_READS and other.mean > own.mean + offset
