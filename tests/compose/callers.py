"""Callers that never rest, and what became of each of their requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from loadtests.api import Actor, Api, ApiRefused, HttpCarrier, KeptToken


@dataclass(frozen=True)
class Asked:
    """One request: the id that it went by, its moments (seconds of the monotonic clock), and its status."""

    id: str
    began: float
    ended: float
    status: int


@dataclass
class Recording:
    """A carrier that gives each request an id of its own and writes down what became of it."""

    carrier: HttpCarrier
    name: str
    asked: list[Asked] = field(default_factory=list)

    def __call__(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> tuple[int, Any]:
        id, began = f"{self.name}-{len(self.asked)}", time.monotonic()
        status, answer = self.carrier(method, path, {**headers, "X-Request-Id": id}, body)
        self.asked.append(Asked(id, began, time.monotonic(), status))
        return status, answer


class Callers:
    """So many callers of one token, each of which calls again as soon as it has its answer, until the end of the block.

    Refusals are written down with the rest; anything else that a call raises ends its caller and is in ``wrong``.
    """

    def __init__(self, url: str, token: KeptToken, call: Callable[[Actor], Any], *, count: int) -> None:
        self.wrong: list[Exception] = []
        self._done, self._call = threading.Event(), call
        self._carriers = [Recording(HttpCarrier(url), f"caller-{number}") for number in range(count)]
        self._threads = [threading.Thread(target=self._go_on, args=(one, token)) for one in self._carriers]

    def __enter__(self) -> Callers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def list_asked(self, *, since: float = 0.0) -> list[Asked]:
        """The requests begun since then that have been answered by now."""
        return [one for carrier in self._carriers for one in list(carrier.asked) if one.began >= since]

    def _go_on(self, carrier: Recording, token: KeptToken) -> None:
        api = Api(carrier)
        actor = Actor(api, carrier.name, lambda: token.token(api))
        while not self._done.is_set() and not self.wrong:
            try:
                with suppress(ApiRefused):
                    self._call(actor)
            except Exception as error:
                self.wrong.append(error)
