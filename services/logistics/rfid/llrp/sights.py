"""What a reader's reports become: sights of tags, timed by our clock, each with the key that makes a repetition known."""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from services.logistics.rfid.llrp.offsets import MOST_SKEW_US, ClockOffset
from services.logistics.rfid.llrp.reports import TagReport

KEPT_KEYS = 100_000
"""The keys of so many sights are remembered: more than a reader holds through a break (66,000)."""
UTC, UPTIME, NONE = "utc", "uptime", "none"


class Sight(msgspec.Struct, frozen=True):
    """One tag at one antenna of one reader. Times are microseconds: ``…_us`` by our clock, ``told_…`` as the reader said.

    ``clock`` is which of its clocks the reader told: ``utc``, ``uptime``, or ``none``, when our own has to do.
    """

    reader_id: str
    epc: str
    antenna: int
    rssi_dbm: int | None
    count: int
    first_us: int
    last_us: int
    told_first: int | None
    told_last: int | None
    received_us: int
    clock: str
    is_skewed: bool
    pc: int | None = None

    @property
    def key(self) -> tuple[str, int, str, str, int] | None:
        """What names this sight wherever it comes again (RFID.md 4.1); None without a time of the reader's."""
        told = self.told_first
        return None if told is None else (self.reader_id, self.antenna, self.epc, self.clock, told)


class Sights:
    """Makes sights of one reader's reports, in the order in which they come, and each key once."""

    def __init__(self, reader_id: str) -> None:
        self.reader_id = reader_id
        self.offsets = {UTC: ClockOffset(), UPTIME: ClockOffset()}
        self._keys: OrderedDict[int, None] = OrderedDict()
        self.repeated = 0

    def hear_time(self, *, clock: str, told_us: int, received_us: int) -> None:
        """The reader said what time it is, at the beginning of a connection."""
        self.offsets[clock].restart()
        self.offsets[clock].add(received_us=received_us, seen_us=told_us)

    def take(self, reports: list[TagReport], received_us: int) -> list[Sight]:
        """The sights that did not come before."""
        fresh = []
        for report in reports:
            sight = self._sight(report, received_us)
            if self._is_fresh(sight):
                fresh.append(sight)
        return fresh

    def _sight(self, report: TagReport, received_us: int) -> Sight:
        clock, first, last = _told(report)
        offset = 0 if last is None else self.offsets[clock].add(received_us=received_us, seen_us=last)
        return Sight(
            reader_id=self.reader_id,
            epc=report.epc,
            antenna=report.antenna or 0,
            rssi_dbm=report.rssi_dbm,
            count=1 if report.count is None else report.count,
            first_us=received_us if first is None else first + offset,
            last_us=received_us if last is None else last + offset,
            told_first=first,
            told_last=last,
            received_us=received_us,
            clock=clock,
            is_skewed=clock == UTC and abs(offset) > MOST_SKEW_US,
            pc=report.pc,
        )

    def _is_fresh(self, sight: Sight) -> bool:
        if sight.key is None:
            return True
        key = hash(sight.key)  # of 64 bits: 100,000 keys take half of what they would take whole
        if key in self._keys:
            self.repeated += 1
            return False
        self._keys[key] = None
        if len(self._keys) > KEPT_KEYS:
            self._keys.popitem(last=False)
        return True


def _told(report: TagReport) -> tuple[str, int | None, int | None]:
    """The clock that a report tells, and its first and last time by it; one stands for the other that is missing."""
    for clock, first, last in (
        (UTC, report.first_utc, report.last_utc),
        (UPTIME, report.first_uptime, report.last_uptime),
    ):
        if first is not None or last is not None:
            return clock, first if first is not None else last, last if last is not None else first
    return NONE, None, None
