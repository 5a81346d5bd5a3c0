"""Payouts over HTTP: asked for by a company, carried out by the operator or the bank's feed."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Paging, View, command, query
from chassis.values import Identifier, Money, ShortText
from services.settlement.payouts import commands, queries
from services.settlement.payouts.model import Payout, State

routes = Blueprint("payouts", __name__)


class RequestPayout(Body):
    """How much to send to which registered bank account of the caller's company."""

    amount: Money
    bank_account_id: Identifier


class SendPayout(Body):
    """The bank's reference of the order to pay."""

    bank_reference: ShortText


class ReturnPayout(Body):
    """Why it was not paid."""

    reason: ShortText


class ListPayouts(Paging):
    """Which payouts to list."""

    state: State | None = None


class PayoutView(View):
    """A withdrawal to a bank account as it was registered when it was asked for."""

    id: str
    party_id: str
    state: State
    amount: Money
    bank_account_id: str
    holder: str
    number: str
    bank: str
    bank_reference: str | None
    reason: str | None
    requested_by: str
    requested_at: datetime
    reminders: int

    @classmethod
    def of(cls, payout: Payout) -> PayoutView:
        """The view of a payout."""
        return cls(**{name: getattr(payout, name) for name in cls.__struct_fields__})


@routes.post("/v1/payouts")
@command(role="finance", status=201)
def request_payout(session: Session, caller: Caller, body: RequestPayout) -> PayoutView:
    """Withdraw from the company's balance to one of its registered bank accounts."""
    return PayoutView.of(commands.request_payout(session, caller, body.amount, body.bank_account_id))


@routes.post("/v1/payouts/<payout_id>/send")
@command(role=("operator", "bank_feed"))
def send_payout(session: Session, caller: Caller, payout_id: str, body: SendPayout) -> PayoutView:
    """Say that the bank was told to pay it."""
    return PayoutView.of(commands.send_payout(session, caller, payout_id, body.bank_reference))


@routes.post("/v1/payouts/<payout_id>/confirm")
@command(role=("operator", "bank_feed"))
def confirm_payout(session: Session, caller: Caller, payout_id: str) -> PayoutView:
    """Say that the bank has paid it."""
    return PayoutView.of(commands.confirm_payout(session, caller, payout_id))


@routes.post("/v1/payouts/<payout_id>/return")
@command(role=("operator", "bank_feed"))
def return_payout(session: Session, caller: Caller, payout_id: str, body: ReturnPayout) -> PayoutView:
    """Say that it was not paid: the company has its money back."""
    return PayoutView.of(commands.return_payout(session, caller, payout_id, body.reason))


@routes.get("/v1/payouts")
@query(role=("finance", "admin", "bank_feed"))
def list_payouts(session: Session, caller: Caller, params: ListPayouts) -> Page[PayoutView]:
    """Payouts, newest first."""
    return queries.list_payouts(session, caller, params.state, params.cursor, params.limit).map(PayoutView.of)


@routes.get("/v1/payouts/<payout_id>")
@query(role=("finance", "admin", "bank_feed"))
def show_payout(session: Session, caller: Caller, payout_id: str) -> PayoutView:
    """One payout."""
    return PayoutView.of(queries.show_payout(session, caller, payout_id))
