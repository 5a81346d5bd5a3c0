"""How a gate's reads become crossings: a pure function of the set of reads, so neither order nor repetition matters.

RFID.md 4.1 (clock, coalescing) and 4.3 (sessions, ghosts) are the source of the rules; the numbers are the gate's.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from typing import Protocol

import msgspec


class Rules(Protocol):
    """What a gate says about its own reads."""

    closing: timedelta
    longest: timedelta
    ghost_reads: int
    ghost_rssi_dbm: int
    clock_skew: timedelta


class Read(msgspec.Struct, frozen=True, order=True):
    """One sight of one tag, ``at`` by the reader's clock, ``received_at`` by ours; (boot, sequence) is its name."""

    boot: str
    sequence: int
    received_at: datetime
    at: datetime
    epc: str
    antenna: int
    rssi_dbm: float


class Presence(msgspec.Struct, frozen=True):
    """A tag during one crossing: how often, by which antennas and how strongly at best it was read, and when."""

    epc: str
    reads: int
    rssi_dbm: float
    antennas: tuple[int, ...]
    first_seen: datetime
    last_seen: datetime
    is_ghost: bool


class Crossing(msgspec.Struct, frozen=True):
    """Something went through a gate, from its first read to its last, with the tags that it carried, by EPC."""

    first_seen: datetime
    last_seen: datetime
    presences: tuple[Presence, ...]

    @property
    def reads(self) -> int:
        """How many different reads it is made of."""
        return sum(presence.reads for presence in self.presences)


def find_crossings(reads: Iterable[Read], rules: Rules) -> list[Crossing]:
    """The crossings in a gate's reads, earliest first.

    A quiet time longer than ``closing`` parts two crossings, and none lasts longer than ``longest``. A read that came
    twice counts once, as it was received first.
    """
    once: dict[tuple[str, int], Read] = {}
    for read in sorted(reads, reverse=True):
        once[read.boot, read.sequence] = read
    timed = _correct_clock(list(once.values()), rules.clock_skew)
    return [_coalesce(part, rules) for part in _part(timed, rules)]


def _correct_clock(reads: list[Read], skew: timedelta) -> list[tuple[datetime, Read]]:
    """Event times by our clock, sorted: the shortest lag is the reader's clock, a lag beyond ``skew`` is no clock."""
    lags = [read.received_at - read.at for read in reads]
    offset = min((lag for lag in lags if abs(lag) <= skew), default=timedelta())
    times = [read.at + offset if abs(lag) <= skew else read.received_at for read, lag in zip(reads, lags, strict=True)]
    return sorted(zip(times, reads, strict=True))


def _part(timed: list[tuple[datetime, Read]], rules: Rules) -> list[list[tuple[datetime, Read]]]:
    parts: list[list[tuple[datetime, Read]]] = []
    for seen_at, read in timed:
        is_new = not parts or seen_at - parts[-1][-1][0] > rules.closing or seen_at - parts[-1][0][0] > rules.longest
        if is_new:
            parts.append([])
        parts[-1].append((seen_at, read))
    return parts


def _coalesce(part: list[tuple[datetime, Read]], rules: Rules) -> Crossing:
    by_tag = groupby(sorted(part, key=_epc), key=_epc)
    presences = tuple(_presence(epc, list(group), rules) for epc, group in by_tag)
    return Crossing(first_seen=part[0][0], last_seen=part[-1][0], presences=presences)


def _epc(timed: tuple[datetime, Read]) -> str:
    return timed[1].epc


def _presence(epc: str, seen: list[tuple[datetime, Read]], rules: Rules) -> Presence:
    strongest = max(read.rssi_dbm for _, read in seen)
    return Presence(
        epc=epc,
        reads=len(seen),
        rssi_dbm=strongest,
        antennas=tuple(sorted({read.antenna for _, read in seen})),
        first_seen=seen[0][0],
        last_seen=seen[-1][0],
        is_ghost=len(seen) < rules.ghost_reads and strongest < rules.ghost_rssi_dbm,
    )
