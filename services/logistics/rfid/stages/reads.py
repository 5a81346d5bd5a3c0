"""A read, and 250 ms of reads of one tag at one antenna as one bucket: the only stage that drops anything (RFID.md 4.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

BUCKET_US = 250_000
SECOND_US = 1_000_000

Antenna = tuple[str, int]
"""A reader's id and the number of its antenna."""
BucketKey = tuple[str, int, str, int]
"""Reader, antenna, EPC and the number of the quarter second."""


class Read(msgspec.Struct, frozen=True, order=True):
    """One sight of one tag; ``key`` is what makes a repetition known (reader and sequence, or reader's first time)."""

    at_us: int
    reader_id: str
    antenna: int
    epc: str
    key: str
    rssi_dbm: float = -90.0
    count: int = 1


class Bucket(msgspec.Struct, frozen=True, order=True):
    """The reads of a tag at an antenna in a quarter of a second: how many, how strong at best, first and last."""

    first_us: int
    last_us: int
    reader_id: str
    antenna: int
    epc: str
    rssi_dbm: float
    count: int

    @property
    def at(self) -> Antenna:
        """The antenna that saw it."""
        return self.reader_id, self.antenna

    @property
    def middle_us(self) -> int:
        """Half-way between first and last."""
        return (self.first_us + self.last_us) // 2


def unique(reads: Iterable[Read]) -> dict[tuple[str, str], Read]:
    """Each read once, by reader and key; of two that differ the smaller one, so that the order of arrival does not matter."""
    once: dict[tuple[str, str], Read] = {}
    for read in reads:
        known = once.get((read.reader_id, read.key))
        if known is None or read < known:
            once[read.reader_id, read.key] = read
    return once


def bucket_key(read: Read) -> BucketKey:
    """Where a read belongs."""
    return read.reader_id, read.antenna, read.epc, read.at_us // BUCKET_US


def coalesce(reads: Iterable[Read]) -> list[Bucket]:
    """The buckets of reads, repetitions left out, in order of time."""
    by_key: dict[BucketKey, list[Read]] = {}
    for read in unique(reads).values():
        by_key.setdefault(bucket_key(read), []).append(read)
    return sorted(fill(group) for group in by_key.values())


def fill(reads: list[Read]) -> Bucket:
    """The bucket of reads that belong together."""
    times = [read.at_us for read in reads]
    return Bucket(
        first_us=min(times),
        last_us=max(times),
        reader_id=reads[0].reader_id,
        antenna=reads[0].antenna,
        epc=reads[0].epc,
        rssi_dbm=max(read.rssi_dbm for read in reads),
        count=sum(read.count for read in reads),
    )


def by_epc(buckets: Iterable[Bucket]) -> Mapping[str, list[Bucket]]:
    """Buckets by their tag, each tag's in order of time."""
    tags: dict[str, list[Bucket]] = {}
    for bucket in sorted(buckets):
        tags.setdefault(bucket.epc, []).append(bucket)
    return tags
