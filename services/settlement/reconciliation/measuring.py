"""Tells Prometheus how many differences are open, also after a restart between two nights."""

from __future__ import annotations

from prometheus_client import Gauge

from chassis.measuring import Meter
from chassis.worker import Context
from services.settlement.reconciliation.queries import count_differences

DIFFERENCES = Gauge(
    "haihe_card_differences",
    "Differences that the last reconciliation of card payments with Stripe found.",
    multiprocess_mode="mostrecent",
)


def meter_differences(context: Context) -> Meter:
    """The loop of the worker."""
    return Meter(context.database, lambda session: DIFFERENCES.set(count_differences(session)))
