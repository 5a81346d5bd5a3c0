"""One tag heard in two zones: which one it is in (RFID.md 4.2; the rule of EdgeX's RFID inventory, Apache-2.0).

A tag moves when the mean of its last signals at the other zone beats that at its own by an offset; the longer the own zone
has been silent, the smaller the offset, below zero in the end. Silence begins after some of the times between two reads that
this tag has at its own zone, for a tag that is read every few seconds is not gone after two. A weaker zone needs two reads with
none at the own one between them. Antennas of one zone never make a move.
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
SILENT_TIMES = 4
LONGEST_MS = 10_000
"""A tag is silent after so many of its mean times between two reads, and after ten seconds at the latest."""


class Moved(msgspec.Struct, frozen=True, order=True):
    """From ``at_us`` on a tag is in a zone."""

    at_us: int
    epc: str
    zone: str


class _Signals:
    """The last signals of a tag at one zone."""

    def __init__(self) -> None:
        self.rssi: deque[float] = deque(maxlen=KEPT_SIGNALS)
        self.times: deque[int] = deque(maxlen=KEPT_SIGNALS)
        self.reads = self.running = self.since_us = 0

    def add(self, bucket: Bucket) -> None:
        self.rssi.append(bucket.rssi_dbm)
        self.times.append(bucket.last_us)
        self.since_us = self.since_us if self.running else bucket.first_us
        self.reads += bucket.count
        self.running += bucket.count

    @property
    def mean(self) -> float:
        return sum(self.rssi) / len(self.rssi)

    @property
    def last_us(self) -> int:
        return self.times[-1]

    @property
    def silent_from_ms(self) -> float:
        """After how long without a read this zone is silent."""
        between_us = (self.times[-1] - self.times[0]) / max(1, len(self.times) - 1)
        return min(max(DECAY_FROM_MS, SILENT_TIMES * between_us / 1_000), LONGEST_MS)


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
        own = moves[-1].zone if moves else zone
        if not moves or (zone != own and _beats(signals[zone], signals[own])):
            moves.append(Moved(signals[zone].since_us, epc, zone))
            signals = {zone: _Signals()}
            signals[zone].add(bucket)
        elif zone == own:
            for other in signals:
                signals[other].running = 0
    return moves


def _beats(other: _Signals, own: _Signals) -> bool:
    silent_ms = (other.last_us - own.last_us) / 1_000
    offset = min(OFFSET_DB, OFFSET_DB - DECAY_DB_PER_MS * (silent_ms - own.silent_from_ms))
    heard = other.reads if offset == OFFSET_DB else other.running
    return heard >= LEAST_READS and other.mean > own.mean + offset
