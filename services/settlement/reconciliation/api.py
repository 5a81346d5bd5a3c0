"""Reconciliations with Stripe over HTTP, for operators."""

from __future__ import annotations

from datetime import datetime

import msgspec
from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Paging, View, query
from services.settlement.reconciliation import queries
from services.settlement.reconciliation.model import Difference, Reconciliation, State

routes = Blueprint("reconciliations", __name__)


class ListReconciliations(Paging):
    """Which reconciliations to list."""

    state: State | None = None


class ReconciliationView(View):
    """A comparison of Stripe's books with ours: how many movements were ``compared``, and what differed."""

    id: str
    state: State
    compared: int
    differences: list[Difference]
    due_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, run: Reconciliation) -> ReconciliationView:
        return cls(
            id=run.id,
            state=run.state,
            compared=run.compared,
            differences=msgspec.convert(run.differences, list[Difference]),
            due_at=run.due_at,
            ended_at=run.ended_at,
        )


@routes.get("/v1/reconciliations")
@query(role="operator")
def list_reconciliations(session: Session, caller: Caller, params: ListReconciliations) -> Page[ReconciliationView]:
    """Reconciliations of card payments with Stripe, the latest first; the one to come leads."""
    found = queries.list_reconciliations(session, caller, state=params.state, cursor=params.cursor, limit=params.limit)
    return found.map(ReconciliationView.of)


@routes.get("/v1/reconciliations/<reconciliation_id>")
@query(role="operator")
def see_reconciliation(session: Session, caller: Caller, reconciliation_id: str) -> ReconciliationView:
    """One reconciliation with its differences."""
    return ReconciliationView.of(queries.see_reconciliation(session, caller, reconciliation_id))
