"""Up to when all of a portal's reads have come, and how late a read is (RFID.md 4.4)."""

from __future__ import annotations

from enum import StrEnum

from services.logistics.rfid.stages.reads import SECOND_US

BEHIND_US = 2 * SECOND_US
SILENT_US = 10 * SECOND_US
LATE_US = 15 * 60 * SECOND_US
KEPT_US = 30 * 60 * SECOND_US


class Lateness(StrEnum):
    """In its window; late, but its session is still kept; too late to be anything but an observation of its own."""

    IN_TIME = "L0"
    LATE = "L1"
    TOO_LATE = "L2"


class Watermark:
    """The watermark of one portal: the slowest of its readers, those left out that have been silent for ten seconds."""

    def __init__(self) -> None:
        self._readers: dict[str, tuple[int, int]] = {}
        self._reached_us = 0

    def hear(self, reader_id: str, *, seen_us: int, received_us: int) -> None:
        """A reader said something at ``received_us`` about ``seen_us``; a keepalive counts, with the reader's time."""
        seen, received = self._readers.get(reader_id, (0, 0))
        self._readers[reader_id] = max(seen, seen_us), max(received, received_us)

    def at(self, now_us: int) -> int:
        """Up to when all reads are taken to have come; never less than before. When no reader speaks, time itself goes on."""
        speaking = [seen for seen, received in self._readers.values() if now_us - received <= SILENT_US]
        slowest = min(speaking) if speaking else now_us - SILENT_US
        self._reached_us = max(self._reached_us, min(slowest, now_us) - BEHIND_US)
        return self._reached_us


def lateness(at_us: int, watermark_us: int) -> Lateness:
    """How late a read is that comes when the watermark stands there."""
    if at_us >= watermark_us:
        return Lateness.IN_TIME
    return Lateness.LATE if watermark_us - at_us <= LATE_US else Lateness.TOO_LATE
