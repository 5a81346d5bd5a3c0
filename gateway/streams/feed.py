"""Follows the broker in a thread of its own and hands what it hears to the event loop, batch after batch."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence

import structlog

from chassis.brokers import Broker, BrokerDown, Message

BATCH = 500
POLL_S = 1.0
FIRST_BACK_OFF_S = 0.2
LONGEST_BACK_OFF_S = 5.0
HUNG_S = 15.0
log = structlog.get_logger(__name__)


class Feed:
    """What is said on some topics from the moment on at which ``is_live`` becomes true.

    ``take`` is given messages and ``tell`` whether the broker can be heard, both on the event loop. The next batch is
    fetched when the loop has taken the last one.
    """

    def __init__(
        self,
        broker: Broker,
        topics: Sequence[str],
        member: str,
        *,
        take: Callable[[list[Message]], None],
        tell: Callable[[bool], None],
    ) -> None:
        self._tail = broker.follow(topics, member)
        self._take = take
        self._tell = tell
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._heard_at = float("-inf")
        self.is_live = False

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to follow."""
        self._thread = threading.Thread(target=self._run, args=(loop,), name="feed", daemon=True)
        self._thread.start()

    def problem(self) -> str:
        """Why nothing can be heard now, or nothing."""
        if not self.is_live:
            return "the broker cannot be heard"
        silent_s = time.monotonic() - self._heard_at
        return f"has not come round for {silent_s:.0f} s" if silent_s > HUNG_S else ""

    async def stop(self) -> None:
        """Let the thread finish its poll, and close."""
        self._stop.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        back_off_s = FIRST_BACK_OFF_S
        while not self._stop.is_set():
            try:
                messages = self._tail.poll(BATCH, POLL_S if self.is_live else 0.0)
            except Exception as error:
                self._say_why(error)
                self._tail.close()
                self._turn(loop, live=False)
                self._stop.wait(back_off_s)
                back_off_s = min(back_off_s * 2, LONGEST_BACK_OFF_S)
                continue
            back_off_s, self._heard_at = FIRST_BACK_OFF_S, time.monotonic()
            self._turn(loop, live=True)
            if messages:
                self._on_loop(loop, self._take, messages)
        self._tail.close()

    def _say_why(self, error: Exception) -> None:
        if isinstance(error, BrokerDown):
            log.warning("the broker cannot be heard", error=error.detail)
        else:
            log.error("bug", exc_info=error)

    def _turn(self, loop: asyncio.AbstractEventLoop, *, live: bool) -> None:
        if live != self.is_live:
            self.is_live = live
            self._on_loop(loop, self._tell, live)

    @staticmethod
    def _on_loop(loop: asyncio.AbstractEventLoop, call: Callable, argument: object) -> None:
        async def step() -> None:
            call(argument)

        asyncio.run_coroutine_threadsafe(step(), loop).result()
