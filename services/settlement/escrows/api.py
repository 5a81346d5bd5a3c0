"""Payments of deals over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Paging, View, command, query
from chassis.values import Identifier, Money, Quantity
from events.orders import DealPiece
from services.settlement.escrows import paying, queries
from services.settlement.escrows.model import EscrowPayment, Portion, State

routes = Blueprint("escrows", __name__)


class ListEscrows(Paging):
    """Which payments to list."""

    state: State | None = None


class PayEscrow(Body):
    """What to pay for: pieces, or a quantity where the deal is by weight; all that is left when neither is said."""

    piece_ids: Annotated[list[Identifier], Meta(min_length=1, max_length=1000)] | None = None
    quantity: Quantity | None = None


class PaymentView(View):
    """What was paid at once, of which ``converted`` came out of the buyer's deposit."""

    id: str
    number: int
    piece_ids: list[str] | None
    quantity: Quantity | None
    amount: Money
    converted: Money
    journal_id: str | None
    paid_at: datetime

    @classmethod
    def of(cls, payment: EscrowPayment) -> PaymentView:
        made = {name: Money(getattr(payment, name), payment.currency) for name in ("amount", "converted")}
        return cls(**made, **{name: getattr(payment, name) for name in cls.__struct_fields__ if name not in made})


class EscrowView(View):
    """The payment of a deal.

    Of its ``gross``, ``funded`` was paid in and ``payable`` is still due before ``pay_by`` (for ``unpaid_pieces``, each
    with its price, or the ``unpaid`` quantity), and ``missed`` ended unpaid; ``resolved`` of it is settled. ``rest`` is
    in now; ``shortfall`` was covered by neither escrow nor deposit.
    """

    deal_id: str
    buyer_id: str
    seller_id: str
    state: State
    gross: Money
    pay_by: datetime
    deposit_use: str
    release: str
    funded: Money
    payable: Money
    missed: Money
    resolved: Money
    paid_out: Money
    returned: Money
    shortfall: Money
    rest: Money
    unpaid_pieces: list[DealPiece]
    unpaid: Quantity | None
    payments: list[PaymentView]

    @classmethod
    def of(cls, written: queries.Paid) -> EscrowView:
        escrow, payments = written
        amounts = ("funded", "missed", "resolved", "paid_out", "returned", "shortfall")
        made = {name: Money(getattr(escrow, name), escrow.gross.currency) for name in amounts}
        same = ("buyer_id", "seller_id", "state", "gross", "pay_by", "deposit_use", "release", "payable", "rest")
        return cls(
            deal_id=escrow.id,
            unpaid_pieces=escrow.unpaid_pieces,
            unpaid=escrow.unpaid,
            payments=[PaymentView.of(payment) for payment in payments],
            **{name: getattr(escrow, name) for name in same},
            **made,
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
def pay_escrow(session: Session, caller: Caller, deal_id: str, body: PayEscrow) -> EscrowView:
    """Pay a deal, or a part of it, from the company's balance into escrow; a deposit that counts is used with it."""
    portion = Portion(piece_ids=body.piece_ids, quantity=body.quantity)
    return EscrowView.of(paying.pay_escrow(session, caller, deal_id, portion))
