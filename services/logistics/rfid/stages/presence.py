"""Tags where goods stay (shelf, yard, cold store, truck): glimpsed, present, lost (RFID.md 4.2, after ALE 1.1, 10.6)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from services.logistics.rfid.stages.reads import SECOND_US, Bucket, by_epc


class State(StrEnum):
    """How a tag stands with a place; ``unknown`` again is a glimpse that nothing followed."""

    UNKNOWN = "unknown"
    GLIMPSED = "glimpsed"
    PRESENT = "present"
    LOST = "lost"


class Staying(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of a place: present at so many reads, or antennas, within a time; lost after so long without any."""

    least_reads: int = 2
    least_antennas: int = 2
    within_us: int = 2 * SECOND_US
    lost_after_us: int = 60 * SECOND_US


PORTAL = Staying(lost_after_us=2 * SECOND_US)
SHELF = Staying()
COLD_STORE = Staying(lost_after_us=600 * SECOND_US)


class Change(msgspec.Struct, frozen=True, order=True):
    """From ``at_us`` on a tag is in another state."""

    at_us: int
    epc: str
    state: State


def follow(buckets: Iterable[Bucket], rules: Staying, *, until_us: int) -> list[Change]:
    """Every change of state that is certain when all reads up to ``until_us`` have come, in order of time."""
    changes: list[Change] = []
    for epc, seen in by_epc(buckets).items():
        for stay in _stays(seen, rules):
            changes += _changes(epc, stay, rules, until_us)
    return sorted(change for change in changes if change.at_us <= until_us)


def _stays(seen: list[Bucket], rules: Staying) -> list[list[Bucket]]:
    stays: list[list[Bucket]] = []
    last_us = 0
    for bucket in seen:
        if not stays or bucket.first_us - last_us > rules.lost_after_us:
            stays.append([])
            last_us = bucket.last_us
        stays[-1].append(bucket)
        last_us = max(last_us, bucket.last_us)
    return stays


def _changes(epc: str, stay: list[Bucket], rules: Staying, until_us: int) -> list[Change]:
    changes = [Change(stay[0].first_us, epc, State.GLIMPSED)]
    present_us = _present_at(stay, rules)
    if present_us is not None:
        changes.append(Change(present_us, epc, State.PRESENT))
    gone_us = max(bucket.last_us for bucket in stay) + rules.lost_after_us
    changes.append(Change(gone_us, epc, State.UNKNOWN if present_us is None else State.LOST))
    return changes


def _present_at(stay: list[Bucket], rules: Staying) -> int | None:
    """When the last ``within_us`` first held enough reads or antennas; None when it never did."""
    start = 0
    for end, bucket in enumerate(stay):
        while stay[start].last_us < bucket.last_us - rules.within_us:
            start += 1
        recent = stay[start : end + 1]
        reads, antennas = sum(one.count for one in recent), {one.at for one in recent}
        if reads >= rules.least_reads or len(antennas) >= rules.least_antennas:
            return bucket.last_us
    return None
