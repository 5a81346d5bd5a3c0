"""Which stays begin, go on and end with some reads of a gate whose antennas hear zones: pure (RFID.md 4.2).

The stage that says when a tag is present and the one that says in which zone are put together here, and begin where the stays
that are known stand: a stay counts as one more bucket of reads at its zone, so that a single stray read moves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from services.logistics.rfid.stages import presence, zones
from services.logistics.rfid.stages.reads import Antenna, Bucket, Read, by_epc, coalesce

_EDGE_US = 1


class Known(msgspec.Struct, frozen=True):
    """A tag that is in a zone as far as is known: since when, last read when and how strongly."""

    zone_id: str
    entered_us: int
    last_us: int
    rssi_dbm: float


class Change(StrEnum):
    """What a tag does."""

    ENTER = "enter"
    KEEP = "keep"
    LEAVE = "leave"


class Step(msgspec.Struct, frozen=True, order=True):
    """At a time a tag enters, is still in, or leaves a zone; ``rssi_dbm`` is the mean of the last reads there."""

    at_us: int
    change: Change
    zone_id: str
    last_us: int
    rssi_dbm: float


class Area(msgspec.Struct, frozen=True):
    """The zones that a gate's antennas hear, and after how long without a read a tag has left each."""

    zones: Mapping[Antenna, str]
    lost_after_us: Mapping[str, int]


def follow(reads: Iterable[Read], area: Area, known: Mapping[str, Known]) -> dict[str, list[Step]]:
    """What each tag does, in order of time. Reads from before what is known of a tag say nothing new of it."""
    heard = [bucket for bucket in coalesce(reads) if bucket.at in area.zones]
    steps = {}
    for epc, buckets in by_epc(heard).items():
        before = known.get(epc)
        fresh = [bucket for bucket in buckets if before is None or bucket.last_us > before.last_us]
        if fresh and (made := _follow_one(epc, fresh, area, before)):
            steps[epc] = made
    return steps


def _follow_one(epc: str, fresh: list[Bucket], area: Area, before: Known | None) -> list[Step]:
    steps: list[Step] = []
    for part in _parts(fresh, area, before):
        goes_on = before is not None and part[0].first_us - before.last_us <= area.lost_after_us[before.zone_id]
        if before is not None and not goes_on:
            gone_us = before.last_us + area.lost_after_us[before.zone_id]
            steps.append(Step(gone_us, Change.LEAVE, before.zone_id, before.last_us, before.rssi_dbm))
            before = None
        stayed = _stay(epc, part, area, before)
        steps += stayed
        if stayed:
            last = stayed[-1]
            before = Known(last.zone_id, last.at_us, last.last_us, last.rssi_dbm)
    return steps


def _parts(fresh: list[Bucket], area: Area, before: Known | None) -> list[list[Bucket]]:
    """The reads parted where a tag was lost between two of them."""
    zone_id = before.zone_id if before else area.zones[fresh[0].at]
    parts: list[list[Bucket]] = [[]]
    last_us = fresh[0].last_us
    for bucket in fresh:
        if parts[-1] and bucket.first_us - last_us > area.lost_after_us[zone_id]:
            parts.append([])
        parts[-1].append(bucket)
        last_us, zone_id = max(last_us, bucket.last_us), area.zones[bucket.at]
    return parts


def _stay(epc: str, part: list[Bucket], area: Area, before: Known | None) -> list[Step]:
    """One stay without a break: where it begins, each move, and how it stands at its last read."""
    present_us = part[0].first_us if before else _present_at(part)
    if present_us is None:
        return []
    seeded = [_seed(epc, before, area), *part] if before else part
    moves = [move for move in zones.locate(seeded, area.zones) if before is None or move.at_us > before.last_us]
    steps: list[Step] = []
    here = before.zone_id if before else None
    for move in moves:
        if move.zone == here:
            continue
        at_us = max(move.at_us, present_us)
        if here is not None:
            steps.append(_step(at_us, Change.LEAVE, here, part, area))
        steps.append(_step(at_us, Change.ENTER, move.zone, part, area))
        here = move.zone
    steps.append(_step(max(bucket.last_us for bucket in part), Change.KEEP, here or "", part, area))
    return steps


def _present_at(part: list[Bucket]) -> int | None:
    rules = presence.SHELF
    changes = presence.follow(part, rules, until_us=max(bucket.last_us for bucket in part) + _EDGE_US)
    return next((change.at_us for change in changes if change.state is presence.State.PRESENT), None)


def _seed(epc: str, before: Known, area: Area) -> Bucket:
    reader_id, antenna = min(at for at, zone_id in area.zones.items() if zone_id == before.zone_id)
    return Bucket(before.last_us, before.last_us, reader_id, antenna, epc, before.rssi_dbm, 1)


def _step(at_us: int, change: Change, zone_id: str, part: list[Bucket], area: Area) -> Step:
    last = [bucket for bucket in part if area.zones[bucket.at] == zone_id][-zones.KEPT_SIGNALS :]
    mean = sum(bucket.rssi_dbm for bucket in last) / len(last) if last else -90.0
    return Step(at_us, change, zone_id, max(bucket.last_us for bucket in part), round(mean, 3))


def to_us(at: datetime) -> int:
    """A time as the stages count it."""
    return round(at.timestamp() * 1_000_000)
