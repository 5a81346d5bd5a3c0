"""Tells Prometheus how much money the ledger holds of each kind: open escrow, frozen deposits, what lies in suspense."""

from __future__ import annotations

from prometheus_client import Gauge
from sqlalchemy.orm import Session

from chassis.measuring import Meter
from chassis.worker import Context
from services.settlement.ledger.queries import sum_balances

BALANCE = Gauge(
    "haihe_balance_minor",
    "Sum of all accounts of a kind, in minor units of the currency.",
    ("kind", "currency"),
    multiprocess_mode="mostrecent",
)


def meter_balances(context: Context) -> Meter:
    """The loop of the worker."""
    return Meter(context.database, _tell_balances)


def _tell_balances(session: Session) -> None:
    for kind, currency, amount in sum_balances(session):
        BALANCE.labels(kind, currency).set(amount)
