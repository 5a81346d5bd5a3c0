"""Rounds of the platform under load: what is driven, waited for and used in one, and the watch over what is still owed."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence

import msgspec
from psycopg import Connection

from infra.failures import Failure
from loadtests.benchmarks.client import Drive
from loadtests.benchmarks.plan import Plan
from loadtests.benchmarks.stage import Stage
from loadtests.benchmarks.usage import count_statements, cpu_seconds, read_statements, start_statements, wal_position

LOOK_EVERY_S = 0.02
_IS_OWED = "SELECT EXISTS (SELECT FROM outbox)"
_LAG = """
SELECT coalesce(sum(p.next_offset - o.committed), 0) FROM broker_position AS o
JOIN broker_partition AS p USING (topic_id, partition)"""
_keys = itertools.count(1)


class TradeFailed(Failure):
    """Not every deal became effective, or not every delivery settled."""


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """What one deal or delivery came to in one round. Processor time of the servers and of the client apart."""

    a_second: float
    p95_ms: float
    cpu_ms: float
    client_ms: float
    statements: float = 0.0
    wal_kb: float = 0.0
    effective_p95_ms: float = 0.0


class Use(msgspec.Struct, frozen=True):
    """What was driven, and what it used: statements until it was through, the rest until nothing was owed any more."""

    done: Drive
    statements: int
    cpu_s: float
    wal_bytes: int

    def make_round(self, a_second: float, *, effective_p95_ms: float = 0.0) -> Round:
        """What each answered request came to, at a rate that was worked out elsewhere."""
        count = self.done.count
        return Round(
            a_second=a_second,
            p95_ms=self.done.latency_ms(95),
            cpu_ms=self.cpu_s / count * 1000,
            client_ms=self.done.cpu_s / count * 1000,
            statements=self.statements / count,
            wal_kb=self.wal_bytes / count / 1024,
            effective_p95_ms=effective_p95_ms,
        )


def name_keys(noun: str) -> str:
    """How the idempotency keys of one load begin: no other load's do."""
    return f"{noun}-{next(_keys)}"


def measure_use(
    admin: Connection, roots: Sequence[int], act: Callable[[], Drive], *, hush: Callable[[], None] = lambda: None
) -> Use:
    """Does something and tells what these processes and PostgreSQL used for it; ``hush`` waits for what it left owed."""
    start_statements(admin)
    used, wal = cpu_seconds(roots), wal_position(admin)
    done = act()
    statements = count_statements(read_statements(admin))
    hush()
    return Use(done, statements, cpu_seconds(roots) - used, wal_position(admin) - wal)


class Watch:
    """Looks into the services' databases until something is so. The caller closes it."""

    def __init__(self, plan: Plan, stage: Stage) -> None:
        self.plan = plan
        self.orders, self.settlement, self.logistics, self.broker = map(
            stage.connect, ("orders", "settlement", "logistics", "broker")
        )

    def until(self, is_so: Callable[[], bool], what: str) -> None:
        """Waits until it is so. Raises TradeFailed."""
        deadline = time.monotonic() + self.plan.timeout_s
        while not is_so():
            if time.monotonic() > deadline:
                raise TradeFailed(f"waited {self.plan.timeout_s:g} s for {what}")
            time.sleep(LOOK_EVERY_S)

    def until_quiet(self) -> None:
        """Waits until every event has been told and heard. Raises TradeFailed."""
        self.until(self._is_quiet, "everything to be heard")

    def _is_quiet(self) -> bool:
        owed = [one.execute(_IS_OWED).fetchone()[0] for one in (self.orders, self.settlement, self.logistics)]
        return not any(owed) and not self.broker.execute(_LAG).fetchone()[0]

    def close(self) -> None:
        """Closes its connections."""
        for connection in (self.orders, self.settlement, self.logistics, self.broker):
            connection.close()
