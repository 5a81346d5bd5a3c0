"""Card payments over HTTP, and the door for Stripe's webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from flask import Blueprint, current_app
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Headers, Paging, View, command, query
from chassis.settings import Settings
from chassis.values import Money
from services.settlement.payments import commands, hearing, moving, queries, stripe_client
from services.settlement.payments.model import CardPayment, State

routes = Blueprint("card_payments", __name__)
MAX_EVENT_BYTES = 256 * 1024
ROLES = ("finance", "admin")

PaymentMethod = Annotated[str, Meta(min_length=4, max_length=64, pattern=r"^pm_[A-Za-z0-9_]+(?![\s\S])")]


class PayByCard(Body):
    """``payment_method`` is the id of one of Stripe's; under a test key it may be left out."""

    amount: Money
    payment_method: PaymentMethod | None = None


class ListCardPayments(Paging):
    """Which payments to list."""

    state: State | None = None


class CardPaymentView(View):
    """A top-up by card; ``failure_code`` says why it failed (card_declined, expired_card, …), or why its refund did.

    ``returned`` is what went back to the card, by refunds and by disputes that were not won.
    """

    id: str
    party_id: str
    amount: Money
    state: State
    payment_method: str
    intent_id: str | None
    failure_code: str | None
    decline_code: str | None
    failure_detail: str | None
    returned: Money
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, payment: CardPayment) -> CardPaymentView:
        return cls(
            id=payment.id,
            party_id=payment.party_id,
            amount=payment.amount,
            state=payment.state,
            payment_method=payment.payment_method,
            intent_id=payment.intent_id,
            failure_code=payment.failure_code,
            decline_code=payment.decline_code,
            failure_detail=payment.failure_detail,
            returned=Money(payment.returned, payment.amount.currency),
            created_at=payment.created_at,
            ended_at=payment.ended_at,
        )


class EventTaken(View):
    """The event is in the inbox, or was already."""

    id: str


@routes.post("/v1/card-payments")
@command(role="finance", status=201)
def pay_by_card(session: Session, caller: Caller, body: PayByCard) -> CardPaymentView:
    """Top the balance of the caller's company up by card; the money is there when the payment has succeeded."""
    key = _settings().stripe_key
    payment = commands.start_payment(
        session, caller, amount=body.amount, payment_method=body.payment_method, stripe_key=key
    )
    return CardPaymentView.of(payment)


@routes.get("/v1/card-payments")
@query(role=ROLES)
def list_card_payments(session: Session, caller: Caller, params: ListCardPayments) -> Page[CardPaymentView]:
    """Card payments, newest first."""
    found = queries.list_payments(session, caller, state=params.state, cursor=params.cursor, limit=params.limit)
    return found.map(CardPaymentView.of)


@routes.get("/v1/card-payments/<payment_id>")
@query(role=ROLES)
def see_card_payment(session: Session, caller: Caller, payment_id: str) -> CardPaymentView:
    """One card payment."""
    return CardPaymentView.of(queries.see_payment(session, caller, payment_id))


@routes.post("/v1/card-payments/<payment_id>/refund")
@command(role="operator")
def refund_card_payment(session: Session, caller: Caller, payment_id: str) -> CardPaymentView:
    """Give a top-up back to its card, whole, while its company still has the money; Stripe keeps its fee."""
    return CardPaymentView.of(moving.refund_payment(session, caller, payment_id))


@routes.post("/v1/card-events")
@command(public=True, idempotent=False, accept=("application/json",), max_bytes=MAX_EVENT_BYTES)
def take_card_event(session: Session, headers: Headers, body: bytes) -> EventTaken:
    """Stripe's webhooks: the signature is checked over the raw body; the event is taken in by its id, handled later."""
    secret = _settings().stripe_webhook_secret
    event = stripe_client.read_event(body, headers.get("Stripe-Signature"), secret)
    hearing.receive_event(session, event)
    return EventTaken(id=event.id)


def _settings() -> Settings:
    return current_app.extensions["settings"]
