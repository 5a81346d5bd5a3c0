"""Supplementary payments over HTTP."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Paging, View, command, query
from chassis.values import Identifier, Money
from services.settlement.supplements import commands, queries
from services.settlement.supplements.model import State, Supplement

routes = Blueprint("supplements", __name__)


class ListSupplements(Paging):
    """Which supplements to list."""

    deal_id: Identifier | None = None
    state: State | None = None


class SupplementView(View):
    """What a delivery came to beyond its escrow and the buyer's deposit: the buyer owes it before ``pay_by``."""

    id: str
    deal_id: str
    delivery_id: str
    stage: str
    buyer_id: str
    seller_id: str
    state: State
    amount: Money
    pay_by: datetime
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, supplement: Supplement) -> SupplementView:
        """The view of a supplement."""
        return cls(**{name: getattr(supplement, name) for name in cls.__struct_fields__})


@routes.get("/v1/supplements")
@query()
def list_supplements(session: Session, caller: Caller, params: ListSupplements) -> Page[SupplementView]:
    """The supplementary payments of the caller's deals, newest first."""
    found = queries.list_supplements(session, caller, params.deal_id, params.state, params.cursor, params.limit)
    return found.map(SupplementView.of)


@routes.get("/v1/supplements/<supplement_id>")
@query()
def show_supplement(session: Session, caller: Caller, supplement_id: str) -> SupplementView:
    """One supplementary payment."""
    return SupplementView.of(queries.show_supplement(session, caller, supplement_id))


@routes.post("/v1/supplements/<supplement_id>/pay")
@command(role="finance")
def pay_supplement(session: Session, caller: Caller, supplement_id: str) -> SupplementView:
    """Pay a supplement from the company's balance to the seller."""
    return SupplementView.of(commands.pay_supplement(session, caller, supplement_id))
