"""What one trade knows: its companies, the platform's time, and how its people wait for news to spread."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from loadtests.api import Actor, Api, ApiRefused

if TYPE_CHECKING:
    from loadtests.steel.people import Company


@dataclass(frozen=True)
class Periods:
    """How long each waiting state lasts, as ISO 8601 durations; seconds where a test waits for them to end."""

    deposit: str = "PT30M"
    sign: str = "P1D"
    pay: str = "P3D"
    inspect: str = "P3D"
    load: str = "P3D"
    receive: str = "P7D"
    supplement: str = "P3D"


@dataclass
class Trade:
    """One trade between companies; ``settle`` lets news spread (a test's world steps its loops, over HTTP one polls),
    ``now`` is the platform's time.
    """

    api: Api
    operator: Actor
    settle: Callable[[], None] = lambda: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    number: int = 1
    wait_s: float = 30.0
    pause: Callable[[float], None] = time.sleep
    password: str = "sample-Passw0rd-only"
    domain: str = "sample.haihe.example"
    first_pause_s: float = 0.02
    periods: Periods = field(default_factory=Periods)
    companies: dict[str, Company] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, role: str) -> Company:
        """The company of a role: ``trade.mill``, ``trade.buyer``, ``trade.warehouse``."""
        companies = self.__dict__.get("companies", {})
        if role in companies:
            return companies[role]
        raise AttributeError(role)

    def until(self, ask: Callable[[], Any], what: str) -> Any:
        """What ``ask`` answers once it answers something: a 503, something unheard of or a lost secret is asked again."""
        deadline, pause_s = time.monotonic() + self.wait_s, self.first_pause_s
        while True:
            try:
                if answer := ask():
                    return answer
                problem = "nothing yet"
            except ApiRefused as refused:
                if refused.status not in (503, 404) and refused.problem != "answer_not_kept":
                    raise
                problem = str(refused)
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {self.wait_s:g} s for {what}: {problem}")
            self.settle()
            self.pause(pause_s)
            pause_s = min(pause_s * 1.5, 0.5)
