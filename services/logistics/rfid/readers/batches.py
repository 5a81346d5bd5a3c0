"""What LLRP readers tell as batches of the stream: reads and edges of one reader, in order, and that it lives."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from chassis.brokers import Message
from chassis.messages import wrap
from events.logistics import EdgeSeen, ReaderHeard, TagRead, TagsRead
from services.logistics.rfid.llrp.session import Happening, InputChanged
from services.logistics.rfid.llrp.sights import UTC as READERS_UTC
from services.logistics.rfid.llrp.sights import Sight

MOST_READS = 1_000
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_TIME, LAST_TIME = datetime(1971, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
LEAST_RSSI_DBM = -120.0
"""A reader that tells no signal tells the least."""
NO_CLOCK = "no-clock"
MINUTE_US = 60_000_000
SAME_BOOT_US = 90_000_000
One = TypeVar("One", TagRead, EdgeSeen)


def boot_of(reader_id: str, boot: str) -> str:
    """How the stream names a boot of a reader: two readers of a gate never share one."""
    return f"{reader_id}/{boot}"


class Boots:
    """What the boots of readers are called. A reader without UTC counts from its start: each start is another boot.

    When it started is known to a second or so; it is another start when it moves by more than ``SAME_BOOT_US``.
    """

    def __init__(self) -> None:
        self._started: dict[str, int] = {}

    def name(self, sight: Sight) -> str:
        """The boot in which a sight has its name."""
        if sight.told_first is None:
            return NO_CLOCK
        if sight.clock == READERS_UTC:
            return "llrp"
        started = sight.first_us - sight.told_first
        known = self._started.get(sight.reader_id)
        if known is None or abs(started - known) > SAME_BOOT_US:
            known = self._started[sight.reader_id] = round(started / MINUTE_US) * MINUTE_US
        return f"up-{known // MINUTE_US}"


def make_batches(
    gate_id: str, reader_id: str, happenings: Iterable[Happening], boots: Boots, *, now: datetime
) -> list[Message]:
    """The messages of what one reader told, at most ``MOST_READS`` reads or edges each."""
    by_boot: dict[str, list[TagRead]] = {}
    edges = []
    for place, one in enumerate(happenings):
        if isinstance(one, Sight):
            by_boot.setdefault(boots.name(one), []).append(_read(one, place))
        elif isinstance(one, InputChanged):
            edges.append(EdgeSeen(port=one.port, is_high=one.is_high, at=time_of(one.at_us)))
    told = [
        TagsRead(gate_id=gate_id, boot=boot_of(reader_id, boot), received_at=now, reads=some, reader_id=reader_id)
        for boot, reads in by_boot.items()
        for some in _pages(reads)
    ]
    boot = boot_of(reader_id, "llrp")
    told += [
        TagsRead(gate_id=gate_id, boot=boot, received_at=now, reads=[], reader_id=reader_id, edges=some)
        for some in _pages(edges)
    ]
    return [wrap(one, "logistics") for one in told]


def tell_heard(gate_id: str, reader_id: str, *, now: datetime, seen_until: datetime) -> Message:
    """The message that a reader lives."""
    return wrap(ReaderHeard(gate_id=gate_id, reader_id=reader_id, at=now, seen_until=seen_until), "logistics")


def _pages(all_of_it: list[One]) -> Iterator[list[One]]:
    for start in range(0, len(all_of_it), MOST_READS):
        yield all_of_it[start : start + MOST_READS]


def _read(sight: Sight, place: int) -> TagRead:
    """A sight without a time of the reader's has no name: it is one of its own, by when it came and its place there."""
    told = sight.told_last if sight.clock == READERS_UTC else None
    return TagRead(
        sequence=(sight.received_us << 10) + place if sight.key is None else name_sight(sight),
        epc=sight.epc.upper(),
        antenna=sight.antenna,
        rssi_dbm=LEAST_RSSI_DBM if sight.rssi_dbm is None else float(sight.rssi_dbm),
        at=time_of(sight.last_us),
        reader_at=None if told is None else time_of(told),
        count=sight.count,
        is_skewed=sight.is_skewed,
        pc=sight.pc,
    )


def name_sight(sight: Sight) -> int:
    """63 bits for what names a sight (RFID.md 4.1: reader, antenna, EPC, first time): the same wherever it comes again."""
    named = f"{sight.antenna}|{sight.epc}|{sight.clock}|{sight.told_first}".encode()
    return int.from_bytes(hashlib.blake2b(named, digest_size=8).digest()) & (2**63 - 1)


def time_of(at_us: int) -> datetime:
    """A time of microseconds since 1970; what no calendar can hold is the nearest that it can."""
    try:
        return min(max(BEGINNING + timedelta(microseconds=at_us), FIRST_TIME), LAST_TIME)
    except OverflowError:
        return LAST_TIME if at_us > 0 else FIRST_TIME
