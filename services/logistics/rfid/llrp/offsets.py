"""How far a reader's clock is from ours (RFID.md 4.1): the smallest lag of the last minute is the clock, the rest is transport.

A connection begins with the reader's own time, which is what the lag of reports held through a break is measured against.
The minute is one in which the reader speaks: what was known before a silence holds on, for what comes first after it may be late.
"""

from __future__ import annotations

from collections import deque

WINDOW_US = 60_000_000
SILENCE_US = 2_000_000
MOST_SKEW_US = 86_400_000_000
"""A clock further off than a day is none: such reads are kept, flagged, and make no event."""


class ClockOffset:
    """Microseconds to add to a reader's time for ours; one for its UTC clock, another for its uptime."""

    def __init__(self) -> None:
        self._lags: deque[tuple[int, int]] = deque()
        self._spoken_us = 0
        self._last_us: int | None = None

    def restart(self) -> None:
        """Forget what was, at a new connection: the reader may have started anew or set its clock."""
        self._lags.clear()
        self._last_us = None

    def add(self, *, received_us: int, seen_us: int) -> int:
        """Take one more sample in; the offset now. Samples come in the order in which they were received."""
        lag = received_us - seen_us
        if self._last_us is not None:
            self._spoken_us += min(received_us - self._last_us, SILENCE_US)
        self._last_us = received_us
        while self._lags and self._lags[-1][1] >= lag:
            self._lags.pop()
        if not self._lags or self._lags[-1][0] != self._spoken_us:  # of what comes at once the smallest lag says all
            self._lags.append((self._spoken_us, lag))
        while self._spoken_us - self._lags[0][0] > WINDOW_US:
            self._lags.popleft()
        return self._lags[0][1]

    @property
    def value(self) -> int | None:
        """The offset, None before the first sample."""
        return self._lags[0][1] if self._lags else None
