"""Payments of deals over HTTP."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Paging, View, command, query
from chassis.values import Money
from services.settlement.escrows import commands, queries
from services.settlement.escrows.model import Escrow, State

routes = Blueprint("escrows", __name__)


class ListEscrows(Paging):
    """Which payments to list."""

    state: State | None = None


class EscrowView(View):
    """The payment of a deal: ``gross`` is due before ``pay_by``, ``rest`` is in now, ``shortfall`` was not covered."""

    deal_id: str
    buyer_id: str
    seller_id: str
    state: State
    gross: Money
    pay_by: datetime
    funded: Money
    paid_out: Money
    returned: Money
    shortfall: Money
    rest: Money

    @classmethod
    def of(cls, escrow: Escrow) -> EscrowView:
        currency = escrow.gross.currency
        amounts = ("funded", "paid_out", "returned", "shortfall")
        return cls(
            deal_id=escrow.id,
            buyer_id=escrow.buyer_id,
            seller_id=escrow.seller_id,
            state=escrow.state,
            gross=escrow.gross,
            pay_by=escrow.pay_by,
            rest=escrow.rest,
            **{name: Money(getattr(escrow, name), currency) for name in amounts},
        )


@routes.get("/v1/escrows")
@query()
def list_escrows(session: Session, caller: Caller, params: ListEscrows) -> Page[EscrowView]:
    """The payments of the caller's deals, newest deal first."""
    return queries.list_escrows(session, caller, params.state, params.cursor, params.limit).map(EscrowView.of)


@routes.get("/v1/escrows/<deal_id>")
@query()
def show_escrow(session: Session, caller: Caller, deal_id: str) -> EscrowView:
    """The payment of one deal."""
    return EscrowView.of(queries.show_escrow(session, caller, deal_id))


@routes.post("/v1/escrows/<deal_id>/pay")
@command(role="finance")
def pay_escrow(session: Session, caller: Caller, deal_id: str) -> EscrowView:
    """Pay a deal in full from the company's balance into escrow."""
    return EscrowView.of(commands.pay_escrow(session, caller, deal_id))
