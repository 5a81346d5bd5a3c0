"""What a gateway handed in as messages of the stream, with the reader's times corrected by what its clock said at sending."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from chassis.brokers import Message
from chassis.messages import wrap
from events.logistics import EdgeSeen, TagRead, TagsRead
from services.logistics.rfid.llrp.offsets import MOST_SKEW_US, ClockOffset
from services.logistics.rfid.readers.batches import boot_of, tell_heard
from services.logistics.rfid.readers.bodies import VENDOR, PostReads
from services.logistics.rfid.readers.queries import last_offset

MOST_CLOCKS = 10_000


class Clocks:
    """The clocks of readers that say when they sent: the smallest lag of the last minute (RFID.md 4.1). Any thread may use it.

    Who is not known here yet begins with the offset that was last put down: the first that comes may have waited for long.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offsets: OrderedDict[str, ClockOffset] = OrderedDict()

    def offset(self, session: Session, reader_id: str, *, sent_at: datetime, received_at: datetime) -> timedelta:
        """What to add to the reader's time, with one more sample."""
        before = None if reader_id in self._offsets else last_offset(session, reader_id)
        received_us = _micros(received_at)
        with self._lock:
            offset = self._offsets.setdefault(reader_id, ClockOffset())
            self._offsets.move_to_end(reader_id)
            if len(self._offsets) > MOST_CLOCKS:
                self._offsets.popitem(last=False)
            if before is not None and offset.value is None:
                offset.add(received_us=received_us, seen_us=received_us - before // timedelta(microseconds=1))
            value = offset.add(received_us=received_us, seen_us=_micros(sent_at))
        return timedelta(microseconds=value)


def _micros(at: datetime) -> int:
    return round(at.timestamp() * 1e6)


def tell_posted(
    session: Session, gate_id: str, reader_id: str | None, batch: PostReads, *, now: datetime, clocks: Clocks
) -> list[Message]:
    """The messages of a batch.

    A reader that says when it sent this, or that it has seen nothing, is told to live, too: then its gate waits for it. What
    it has seen is told up to its last read, for more may be held behind that. In a vendor's form no reader says either.
    """
    offset = timedelta()
    if reader_id is not None and batch.sent_at is not None:
        offset = clocks.offset(session, reader_id, sent_at=batch.sent_at, received_at=now)
    is_skewed = abs(offset) > timedelta(microseconds=MOST_SKEW_US)
    boot = batch.boot if reader_id is None else boot_of(reader_id, batch.boot)
    told = TagsRead(
        gate_id=gate_id,
        boot=boot,
        received_at=now,
        reader_id=reader_id,
        reads=[
            TagRead(
                sequence=read.sequence,
                epc=read.epc.upper(),
                antenna=read.antenna,
                rssi_dbm=read.rssi_dbm,
                at=_shift(read.at, offset),
                reader_at=read.at if reader_id else None,
                count=read.count,
                is_skewed=is_skewed,
            )
            for read in batch.reads
        ],
        edges=[EdgeSeen(port=edge.port, is_high=edge.is_high, at=_shift(edge.at, offset)) for edge in batch.edges],
    )
    seen = [one.at for one in (*told.reads, *told.edges)]
    is_vendors = batch.boot == VENDOR and batch.sent_at is None
    messages = [wrap(told, "logistics")] if seen or is_vendors else []
    if reader_id is not None and not is_vendors and (batch.sent_at is not None or not seen):
        sent_at = now if batch.sent_at is None else _shift(batch.sent_at, offset)
        until = min(now, max(seen, default=sent_at))
        messages.append(tell_heard(gate_id, reader_id, now=now, seen_until=until))
    return messages


def _shift(at: datetime, by: timedelta) -> datetime:
    """A reader's time by our clock; one at the end of the calendar stays."""
    try:
        return at + by
    except OverflowError:
        return at
