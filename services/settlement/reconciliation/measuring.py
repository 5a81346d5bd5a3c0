"""Tells Prometheus how many differences are open, also after a restart between two nights."""

from __future__ import annotations

import time

from prometheus_client import Gauge

from chassis.worker import Context
from services.settlement.reconciliation.queries import count_differences

DIFFERENCES = Gauge(
    "haihe_card_differences",
    "Differences that the last reconciliation of card payments with Stripe found.",
    multiprocess_mode="mostrecent",
)


class Meter:
    """A loop of the worker that looks once a minute."""

    EVERY_S = 60.0

    def __init__(self, context: Context) -> None:
        self.database = context.database
        self._next = 0.0

    def step(self) -> int:
        """Look, when a minute has passed; there is never more to do at once."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self.EVERY_S
            DIFFERENCES.set(self.database.look(count_differences))
        return 0

    def close(self) -> None:
        """Nothing is held between steps."""
