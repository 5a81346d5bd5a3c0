"""The reads that a portal keeps: a set, found again by quarter of a second, with parked tags left out (RFID.md 4.3, 4.4).

Stretches are quarters without a quiet time between them: what happens in one changes no session of another.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable

from services.logistics.rfid.stages.ghosts import SLOT_US, parked_slots, slot_of
from services.logistics.rfid.stages.reads import (
    BUCKET_US,
    SECOND_US,
    Antenna,
    Bucket,
    BucketKey,
    Read,
    bucket_key,
    fill,
)
from services.logistics.rfid.stages.sessions import Beam, PortalRules, find_beams
from services.logistics.rfid.stages.watermarks import KEPT_US

_PER_SLOT = SLOT_US // BUCKET_US
_SELDOM = 300 * SECOND_US // BUCKET_US
"""Forgetting looks at all that is kept, so it is done for five minutes at a time."""


class KeptReads:
    """Reads and photo-eye edges of a portal; ``changed`` is told each quarter of a second in which something changed."""

    def __init__(self, rules: PortalRules, changed: Callable[[int], None]) -> None:
        self._rules, self._changed = rules, changed
        self._reads: dict[BucketKey, dict[str, Read]] = {}
        self._filled: dict[BucketKey, Bucket] = {}
        self._known: dict[tuple[str, str], Read] = {}
        self._quarters: dict[int, set[BucketKey]] = {}
        self._order: list[int] = []
        self._slots: dict[str, Counter[int]] = {}
        self._antennas: dict[str, set[Antenna]] = {}
        self._parked: dict[str, set[int]] = {}
        self._edges: set[tuple[int, bool]] = set()

    def add(self, read: Read) -> None:
        """Keep a read once; of two that bear one key but differ the smaller one, whichever came first."""
        known = self._known.get((read.reader_id, read.key))
        if known is not None:
            if known <= read:
                return
            self._remove(known)
        self._known[read.reader_id, read.key] = read
        key, slot = bucket_key(read), slot_of(read.at_us)
        self._reads.setdefault(key, {})[read.key] = read
        self._filled.pop(key, None)
        self._antennas.setdefault(read.epc, set()).add((read.reader_id, read.antenna))
        slots = self._slots.setdefault(read.epc, Counter())
        slots[slot] += 1
        if slot not in self._parked.get(read.epc, ()):
            self._show(key)
        if slots[slot] == 1:
            self._park(read.epc)

    def _remove(self, read: Read) -> None:
        """Take a read out as if it had never come."""
        key, slot, slots = bucket_key(read), slot_of(read.at_us), self._slots[read.epc]
        del self._reads[key][read.key]
        self._filled.pop(key, None)
        if not self._reads[key]:
            del self._reads[key]
            self._quarters.get(key[3], set()).discard(key)
        self._changed(key[3])
        slots[slot] -= 1
        if not slots[slot]:
            del slots[slot]
            self._park(read.epc)

    def _park(self, epc: str) -> None:
        """Leave the reads of a tag out in the slots in which it was parked, as far as is known now."""
        parked, before = parked_slots(self._slots[epc], self._rules), self._parked.get(epc, set())
        self._parked[epc] = parked
        for slot in parked ^ before:
            for key in self._keys_in(epc, slot):
                if slot in before:
                    self._show(key)
                else:
                    self._quarters[key[3]].discard(key)
                    self._changed(key[3])

    def _keys_in(self, epc: str, slot: int) -> list[BucketKey]:
        quarters = range(slot * _PER_SLOT, (slot + 1) * _PER_SLOT)
        places = self._antennas.get(epc, ())
        keys = ((*place, epc, quarter) for quarter in quarters for place in places)
        return [key for key in keys if key in self._reads]

    def _show(self, key: BucketKey) -> None:
        """Let a bucket count for sessions."""
        self._mark(key[3])
        self._quarters[key[3]].add(key)
        self._changed(key[3])

    def _mark(self, quarter: int) -> None:
        if quarter not in self._quarters:
            self._quarters[quarter] = set()
            insort(self._order, quarter)

    def add_edge(self, at_us: int, *, is_high: bool) -> None:
        """Keep an edge of the photo-eye."""
        if (at_us, is_high) not in self._edges:
            self._edges.add((at_us, is_high))
            for beam in find_beams(self._edges):
                for quarter in self._quarters_of(beam):
                    self._mark(quarter)
            self._changed(at_us // BUCKET_US)

    def stretch_start(self, quarter: int) -> int:
        """The first quarter of the stretch without a quiet time that a quarter is in, or comes right behind."""
        apart = self._rules.quiet_us // BUCKET_US + 2
        at, start = bisect_left(self._order, quarter), quarter
        while at > 0 and start - self._order[at - 1] <= apart:
            at -= 1
            start = self._order[at]
        return start

    def stretch_end(self, quarter: int) -> int:
        """Behind the last quarter of the stretch that a quarter is in."""
        apart = self._rules.quiet_us // BUCKET_US + 2
        at, end = bisect_left(self._order, quarter), quarter + 1
        while at < len(self._order) and self._order[at] - end < apart:
            end = self._order[at] + 1
            at += 1
        return end

    def quiet_after(self, quarter: int) -> int:
        """The last quarter from which on there may be a quiet time, starting at one."""
        apart, last = self._rules.quiet_us // BUCKET_US - 1, quarter
        for at in range(bisect_left(self._order, quarter), len(self._order)):
            if self._order[at] - last > apart:
                break
            last = self._order[at]
        return last

    @property
    def end(self) -> int:
        """Behind the last quarter of all."""
        return self._order[-1] + 1 if self._order else 0

    def buckets(self, start: int, end: int) -> list[Bucket]:
        """The buckets of the quarters from one to before another."""
        quarters = self._order[bisect_left(self._order, start) : bisect_left(self._order, end)]
        return [self._fill(key) for quarter in quarters for key in self._quarters[quarter]]

    def _fill(self, key: BucketKey) -> Bucket:
        bucket = self._filled.get(key)
        if bucket is None:
            bucket = self._filled[key] = fill(list(self._reads[key].values()))
        return bucket

    def beams(self, start: int, end: int) -> list[Beam]:
        """The times of the photo-eye that begin in the quarters from one to before another."""
        return [beam for beam in find_beams(self._edges) if start * BUCKET_US <= beam.since_us < end * BUCKET_US]

    def _quarters_of(self, beam: Beam) -> range:
        capped = beam.since_us + self._rules.longest_us
        end_us = capped if beam.until_us is None else min(beam.until_us + self._rules.settle_us, capped)
        return range(beam.since_us // BUCKET_US, end_us // BUCKET_US + 1)

    def forget(self, watermark_us: int) -> int | None:
        """Drop what no read can change any more: whole stretches that ended half an hour before the watermark.

        The quarter before which nothing is kept now; None when it is not worth while yet.
        """
        kept_from = (watermark_us - KEPT_US) // BUCKET_US
        if not self._order or self._order[0] >= kept_from - _SELDOM:
            return None
        limit = self.stretch_start(kept_from)
        end = bisect_left(self._order, limit)
        for quarter in self._order[:end]:
            del self._quarters[quarter]
        del self._order[:end]
        self._forget_before(limit)
        return limit

    def _forget_before(self, limit: int) -> None:
        self._reads = {key: group for key, group in self._reads.items() if key[3] >= limit}
        self._filled = {key: bucket for key, bucket in self._filled.items() if key[3] >= limit}
        self._known = {name: read for name, read in self._known.items() if bucket_key(read)[3] >= limit}
        self._edges = {edge for edge in self._edges if edge[0] >= limit * BUCKET_US}
        for epc, slots in list(self._slots.items()):
            self._slots[epc] = kept = Counter({slot: n for slot, n in slots.items() if slot >= limit // _PER_SLOT})
            self._parked[epc] = {slot for slot in self._parked.get(epc, ()) if slot in kept}
            if not kept:
                del self._slots[epc], self._parked[epc], self._antennas[epc]
