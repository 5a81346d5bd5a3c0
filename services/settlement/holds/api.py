"""Holds over HTTP: why money is frozen, and what became of it."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Paging, View, query
from chassis.values import Money
from services.settlement.holds import queries
from services.settlement.holds.model import Hold, HoldState, Side

routes = Blueprint("holds", __name__)


class HoldView(View):
    """A deposit, or a part of one: what is still open of it, and what was released, paid over or forfeited."""

    id: str
    deal_id: str
    parent_id: str | None
    party_id: str
    side: Side
    state: HoldState
    amount: Money
    open: Money
    released: Money
    converted: Money
    forfeited: Money
    divided: Money
    created_at: datetime

    @classmethod
    def of(cls, hold: Hold) -> HoldView:
        amounts = ("amount", "open", "released", "converted", "forfeited", "divided")
        return cls(
            id=hold.id,
            deal_id=hold.deal_id,
            parent_id=hold.parent_id,
            party_id=hold.party_id,
            side=Side(hold.side),
            state=hold.state,
            created_at=hold.created_at,
            **{name: Money(getattr(hold, name), hold.currency) for name in amounts},
        )


@routes.get("/v1/accounts/<account_id>/holds")
@query(role=("finance", "admin"))
def list_holds(session: Session, caller: Caller, account_id: str, params: Paging) -> Page[HoldView]:
    """What is and was frozen of an account's owner in its currency, newest first."""
    return queries.list_holds(session, caller, account_id, params.cursor, params.limit).map(HoldView.of)
