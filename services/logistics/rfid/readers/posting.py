"""What a gateway handed in as messages of the stream, with the reader's times corrected by what its clock said at sending."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

from chassis.brokers import Message
from chassis.messages import wrap
from events.logistics import EdgeSeen, TagRead, TagsRead
from services.logistics.rfid.llrp.offsets import MOST_SKEW_US, ClockOffset
from services.logistics.rfid.readers.batches import boot_of, tell_heard
from services.logistics.rfid.readers.bodies import PostReads

MOST_CLOCKS = 10_000


class Clocks:
    """The clocks of readers that say when they sent: the smallest lag of the last minute (RFID.md 4.1). Any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offsets: OrderedDict[str, ClockOffset] = OrderedDict()

    def offset(self, reader_id: str, *, sent_at: datetime, received_at: datetime) -> timedelta:
        """What to add to the reader's time, with one more sample."""
        with self._lock:
            offset = self._offsets.setdefault(reader_id, ClockOffset())
            self._offsets.move_to_end(reader_id)
            if len(self._offsets) > MOST_CLOCKS:
                self._offsets.popitem(last=False)
            value = offset.add(received_us=_micros(received_at), seen_us=_micros(sent_at))
        return timedelta(microseconds=value)


def _micros(at: datetime) -> int:
    return round(at.timestamp() * 1e6)


def tell_posted(
    gate_id: str, reader_id: str | None, batch: PostReads, *, now: datetime, clocks: Clocks
) -> list[Message]:
    """The messages of a batch; a reader that is known, and says when it sent this, is told to live, too."""
    offset = timedelta()
    if reader_id is not None and batch.sent_at is not None:
        offset = clocks.offset(reader_id, sent_at=batch.sent_at, received_at=now)
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
    messages = [wrap(told, "logistics")] if batch.reads or batch.edges else []
    if reader_id is not None:
        seen = now if batch.sent_at is None else min(now, _shift(batch.sent_at, offset))
        messages.append(tell_heard(gate_id, reader_id, now=now, seen_until=seen))
    return messages


def _shift(at: datetime, by: timedelta) -> datetime:
    """A reader's time by our clock; one at the end of the calendar stays."""
    try:
        return at + by
    except OverflowError:
        return at
