"""Tells Prometheus how much money the ledger holds of each kind: open escrow, frozen deposits, what lies in suspense."""

from __future__ import annotations

import time

from prometheus_client import Gauge

from chassis.worker import Context
from services.settlement.ledger.queries import sum_balances

BALANCE = Gauge(
    "haihe_balance_minor",
    "Sum of all accounts of a kind, in minor units of the currency.",
    ("kind", "currency"),
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
            for kind, currency, amount in self.database.look(sum_balances):
                BALANCE.labels(kind, currency).set(amount)
        return 0

    def close(self) -> None:
        """Nothing is held between steps."""
