"""How reads come: told with a reader's own clock, in small batches, some twice, some late, and in a flush after a break.

The share that is late is half of it batches that a gateway had to send again, and half of it breaks of the line: what a reader
held through a break it sends at its end, the oldest first, with its own times.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

import msgspec

from services.logistics.rfid.llrp.offsets import ClockOffset
from services.logistics.rfid.simulator.inventory import Sight
from services.logistics.rfid.simulator.noise import Noise
from services.logistics.rfid.stages.reads import Read

BATCH_US = 200_000
SECOND = 1_000_000
LEAST_WAY_US, MOST_WAY_US = 3_000, 60_000
FLUSH_US = 20_000
HEARTBEAT_US = 10 * SECOND
BREAK_S = 75.0
"""A break lasts so long in the mean, and ``latest_s`` at most."""


class Batch(msgspec.Struct, frozen=True, order=True):
    """A message of a reader: when it came, the reader's own time when it wrote it, and its sights, each with its number."""

    received_us: int
    reader_id: str
    told_us: int
    sights: tuple[tuple[int, Sight], ...]


class Clock(msgspec.Struct, frozen=True):
    """A reader's clock: how far off it is at the start, and how wrong it runs."""

    start_us: int
    off_us: int
    ppm: float

    def tell(self, at_us: int) -> int:
        """The reader's time at a time of ours."""
        return at_us + self.off_us + round((at_us - self.start_us) * self.ppm / 1e6)

    def when(self, told_us: int) -> int:
        """Our time when the reader's clock tells a time; the inverse of ``tell`` to within a microsecond or two."""
        return told_us - self.off_us - round((told_us - self.off_us - self.start_us) * self.ppm / 1e6)


def make_clock(chance: Random, noise: Noise, start_us: int) -> Clock:
    """A reader's clock."""
    off_us = round(chance.uniform(-noise.clock_s, noise.clock_s) * SECOND)
    return Clock(start_us, off_us, chance.uniform(-noise.drift_ppm, noise.drift_ppm))


def send(chance: Random, noise: Noise, reader_id: str, sights: Sequence[Sight], clock: Clock) -> list[Batch]:
    """The messages of a reader, in the order in which they come: sights by the reader's clock, numbered as they were seen.

    A batch without sights is a heartbeat: a reader that has nothing to say says what time it is.
    """
    if not sights:
        return []
    start_us, end_us = sights[0].at_us - BATCH_US, sights[-1].at_us + BATCH_US
    breaks = _breaks(chance, noise, start_us, end_us)
    beats = range(start_us, end_us + round(2 * noise.latest_s * SECOND), HEARTBEAT_US)
    pending: dict[int, list[tuple[int, Sight]]] = {beat // BATCH_US: [] for beat in beats}
    for number, sight in enumerate(sights, 1):
        told = msgspec.structs.replace(sight, at_us=clock.tell(sight.at_us))
        pending.setdefault(sight.at_us // BATCH_US, []).append((number, told))
        if chance.random() < noise.repeated:
            pending.setdefault(sight.at_us // BATCH_US + chance.randint(0, 50), []).append((number, told))
    return sorted(_sent(chance, noise, reader_id, pending, clock, breaks))


def _sent(
    chance: Random, noise: Noise, reader_id: str, pending: dict[int, list[tuple[int, Sight]]], clock: Clock,
    breaks: list[tuple[int, int]],
) -> Iterable[Batch]:  # fmt: skip
    flushed = {until_us: 0 for _, until_us in breaks}
    for _, until_us in breaks:
        yield Batch(until_us + LEAST_WAY_US, reader_id, clock.tell(until_us), ())
    for number in sorted(pending):
        sent_us = written_us = (number + 1) * BATCH_US
        if pending[number] and chance.random() < noise.late / 2:
            sent_us += round(chance.uniform(1, noise.latest_s) * SECOND)
        until_us = next((until for since, until in breaks if since <= sent_us < until), None)
        if until_us is not None:
            if not pending[number]:
                continue
            flushed[until_us] += FLUSH_US
            sent_us = until_us + flushed[until_us]
        way_us = LEAST_WAY_US + round(min(chance.expovariate(1 / 10_000), MOST_WAY_US))
        yield Batch(sent_us + way_us, reader_id, clock.tell(written_us), tuple(pending[number]))


def _breaks(chance: Random, noise: Noise, start_us: int, end_us: int) -> list[tuple[int, int]]:
    """Breaks of the line that together last for half of the share that is late."""
    breaks: list[tuple[int, int]] = []
    share = noise.late / 2
    at_us = start_us
    while share:
        at_us += round(chance.expovariate(share / (1 - share) / BREAK_S) * SECOND)
        lasts_us = round(min(chance.expovariate(1 / BREAK_S), noise.latest_s) * SECOND)
        if at_us >= end_us:
            break
        breaks.append((at_us, at_us + lasts_us))
        at_us += lasts_us
    return breaks


def correct(batches: Iterable[Batch]) -> list[Read]:
    """The reads of messages in the order in which they came, timed by our clock as the collectors do it (RFID.md 4.1)."""
    offsets: dict[str, ClockOffset] = {}
    reads: list[Read] = []
    for batch in batches:
        offset = offsets.setdefault(batch.reader_id, ClockOffset())
        if not batch.sights:
            offset.add(received_us=batch.received_us, seen_us=batch.told_us)
            continue
        off_us = offset.add(received_us=batch.received_us, seen_us=max(sight.at_us for _, sight in batch.sights))
        reads += [
            Read(s.at_us + off_us, s.reader_id, s.antenna, s.epc, str(number), float(s.rssi_dbm))
            for number, s in batch.sights
        ]
    return reads
