"""Who listens: each has a bounded queue, and is dropped with a reason rather than waited for."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import structlog
from prometheus_client import Counter as Count
from prometheus_client import Gauge

from chassis.auth import Caller
from gateway.streams.limits import Limits, StreamsFull, TooManyStreams

OPEN = Gauge("haihe_streams_open", "Streams that are open.", ("kind",), multiprocess_mode="livesum")
SENT = Count("haihe_streams_sent", "Messages sent to listeners.", ("kind",))
DROPPED = Count("haihe_streams_dropped", "Streams that were ended by us.", ("kind", "reason"))
REASONS = {
    "slow": "you read more slowly than messages come",
    "access_ended": "the user, the key or the company may no longer act",
    "failed": "the question cannot be answered",
    "too_old": "a stream lives an hour: open it again",
    "stopping": "this process stops: open the stream again",
}
log = structlog.get_logger(__name__)


class Listener:
    """One open stream: what waits for it, and why it must end once it must."""

    def __init__(self, caller: Caller, kind: str, subject: str, *, most: int) -> None:
        self.caller = caller
        self.kind = kind
        self.subject = subject
        self.reason = ""
        self._most = most
        self._waiting: deque[Any] = deque()
        self._stirred = asyncio.Event()

    def offer(self, item: Any) -> None:
        """Put something down for it; one for which too much waits is dropped."""
        if len(self._waiting) >= self._most:
            self.drop("slow")
        if not self.reason:
            self._waiting.append(item)
            self._stirred.set()

    def drop(self, reason: str) -> None:
        """End it for one of REASONS; the first one counts."""
        if not self.reason:
            self.reason = reason
            DROPPED.labels(self.kind, reason).inc()
            log.info("stream dropped", kind=self.kind, party=self.caller.party_id, reason=reason)
            self._stirred.set()

    async def next(self, most: int, within_s: float) -> list[Any]:
        """What waits, at most so much; empty after ``within_s`` without anything, and at once when it was dropped."""
        if not self._waiting and not self.reason:
            self._stirred.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self._stirred.wait()
        return [] if self.reason else [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]


class Listeners:
    """All open streams of this process. Used by its event loop alone."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.open: set[Listener] = set()
        self._by_party: Counter[str] = Counter()

    @contextmanager
    def joined(self, caller: Caller, kind: str, subject: str = "", *, queue: int) -> Iterator[Listener]:
        """A listener for as long as the block lasts; ``queue`` messages may wait for it. Raises TooManyStreams or StreamsFull."""
        if len(self.open) >= self.limits.connections:
            raise StreamsFull(f"{self.limits.connections} streams are open")
        if self._by_party[caller.party_id] >= self.limits.connections_party:
            raise TooManyStreams(f"at most {self.limits.connections_party} at a time")
        listener = Listener(caller, kind, subject, most=queue)
        self.open.add(listener)
        self._by_party[caller.party_id] += 1
        OPEN.labels(kind).inc()
        try:
            yield listener
        finally:
            self.open.discard(listener)
            self._by_party[caller.party_id] -= 1
            if not self._by_party[caller.party_id]:
                del self._by_party[caller.party_id]
            OPEN.labels(kind).dec()

    def of(self, kind: str, subject: str | None = None) -> list[Listener]:
        """The listeners of a kind, or those of them that follow one subject."""
        return [one for one in self.open if one.kind == kind and subject in (None, one.subject)]

    def drop_all(self, reason: str) -> None:
        """End every stream."""
        for listener in list(self.open):
            listener.drop(reason)
