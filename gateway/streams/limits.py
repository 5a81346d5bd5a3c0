"""What one process of streams takes upon itself: every queue, wait and number of connections has its end here."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.problems import TooMany, Unavailable
from chassis.settings import Settings


class TooManyStreams(TooMany):
    """The company has as many streams open as it may."""

    headers = {"Retry-After": "30"}


class StreamsFull(Unavailable):
    """This process serves as many streams as it can."""

    headers = {"Retry-After": "5"}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """``queue``: verdicts that wait for one listener, who is dropped as too slow beyond that. ``queue_events``: names of EPCIS
    events that do; a single capture may bring thousands.
    """

    connections: int = 1_000
    connections_party: int = 50
    queue: int = 500
    queue_events: int = 10_000
    ping_s: float = 15.0
    write_s: float = 20.0
    life_s: float = 3_600.0
    recheck_s: float = 5.0
    batch: int = 100
    remembered: int = 2_000
    received_bytes: int = 4_096
    send_buffer_bytes: int = 128 * 1024
    leave_s: float = 5.0

    @classmethod
    def of(cls, given: Settings) -> Limits:
        """The limits that the settings say."""
        return cls(
            connections=given.streams_connections,
            connections_party=given.streams_connections_party,
            queue=given.streams_queue,
        )
