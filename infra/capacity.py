"""How many processes, threads and connections an embedded platform has: one sum, so that the pools always fit."""

from __future__ import annotations

import os
from dataclasses import dataclass

from chassis.migrate import SERVICES

THREADS = 8
MOST_WEB_WORKERS = 4
BROKER_POOL = 2
BROKER_SUBSCRIPTIONS = 2
STREAMS_POOL = 4
STREAMS_FOLLOWERS = 1
SPARE = 20


@dataclass(frozen=True)
class Capacity:
    """``web_workers`` processes of ``threads`` each; every process may use ``pool_size`` connections a service."""

    web_workers: int
    threads: int = THREADS
    pool_size: int = THREADS

    @classmethod
    def of_this_machine(cls) -> Capacity:
        """One web process a core, at most four."""
        return cls(web_workers=min(os.cpu_count() or 1, MOST_WEB_WORKERS))

    @property
    def connections(self) -> int:
        """The most that web, worker, streams and broker can have open together: each service has its pools in each process."""
        processes = self.web_workers + 1
        web_broker = self.web_workers * BROKER_POOL
        worker_broker = BROKER_POOL + BROKER_SUBSCRIPTIONS
        streams = STREAMS_POOL + STREAMS_FOLLOWERS
        return len(SERVICES) * (processes * self.pool_size + web_broker + worker_broker) + streams

    @property
    def max_connections(self) -> int:
        """What PostgreSQL is told: all of that, and some for the command line and for its own superuser."""
        return self.connections + SPARE
