"""What is done to card payments. A success is credited exactly once, whoever brings it: answer, webhook or sweep.

Locks: the card event, then the card payment, then (inside ``post``) the ledger's accounts.
"""

from __future__ import annotations

from typing import Any

import msgspec
import structlog
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get
from chassis.errands import owe
from chassis.values import Money
from services.settlement.ledger.commands import post_certain
from services.settlement.ledger.model import PLATFORM, Kind, Leg
from services.settlement.payments.model import (
    CHASE_EVERY,
    MOST_ATTEMPTS,
    CardPayment,
    Failure,
    Intent,
    State,
    choose_method,
)
from services.settlement.payments.moving import owe_look_at_money, owe_refund

log = structlog.get_logger(__name__)


def start_payment(
    session: Session, caller: Caller, *, amount: Money, payment_method: str | None, stripe_key: str
) -> CardPayment:
    """A new payment of the caller's party, whose charge is owed. Raises as ``choose_method`` and ``start``."""
    payment = CardPayment.start(caller.party_id, amount, choose_method(payment_method, stripe_key))
    session.add(payment)
    _owe_charge(session, payment)
    return payment


def record_charge(session: Session, caller: Caller, payload: dict[str, Any], outcome: dict[str, Any]) -> None:
    """Put down what came of asking for the charge."""
    payment = get(session, CardPayment, payload["payment_id"], caller)
    if "intent" in outcome:
        take_in(session, payment, msgspec.convert(outcome["intent"], Intent))
    elif "refused" in outcome:
        _fail(payment, msgspec.convert(outcome["refused"], Failure))
    elif "burnt" in outcome and payment.attempt < MOST_ATTEMPTS:
        payment.take_new_key()
        _owe_charge(session, payment)
    else:
        _fail(payment, Failure(code="not_charged", detail="Stripe made no charge"))


def chase_payment(session: Session, caller: Caller, payment_id: str) -> None:
    """The deadline of a payment or refund whose outcome nobody brought: it is asked for again until it is known."""
    payment = get(session, CardPayment, payment_id, caller)
    if payment.state not in payment.waits:
        return
    payment.due_at = clock.now() + CHASE_EVERY
    if payment.state is State.REFUNDING:
        owe_refund(session, payment)
    else:
        owe_look(session, payment)


def record_look(session: Session, caller: Caller, payload: dict[str, Any], outcome: dict[str, Any]) -> None:
    """Put down what Stripe says of a payment that was looked up."""
    payment = get(session, CardPayment, payload["payment_id"], caller)
    if "intent" in outcome:
        take_in(session, payment, msgspec.convert(outcome["intent"], Intent))
    elif clock.now() > payment.charge_until:
        _fail(payment, Failure(code="not_charged", detail="Stripe made no charge"))


def take_in(session: Session, payment: CardPayment, intent: Intent) -> None:
    """Put down what Stripe says of an intent: only a success moves money, and nothing of a lower rank counts."""
    if not payment.agrees_with(intent):
        log.error("card payment and intent disagree", payment_id=payment.id, intent_id=intent.id, status=intent.status)
        return
    if payment.outranks(intent.state):
        return
    match intent.state:
        case State.SUCCEEDED:
            payment.succeed(intent)
            _credit(session, payment)
            owe_look_at_money(session, payment)
        case State.FAILED:
            failure = Failure(
                code=intent.failure_code or "canceled",
                decline_code=intent.decline_code,
                detail=intent.failure_detail,
            )
            payment.fail(failure, intent.id)
        case State.PROCESSING:
            payment.process(intent)


def _credit(session: Session, payment: CardPayment) -> None:
    legs = [
        Leg(PLATFORM, Kind.CLEARING_CARD, -payment.amount),
        Leg(payment.party_id, Kind.AVAILABLE, payment.amount),
    ]
    post_certain(session, key=f"card_payment:{payment.id}", kind="card_payment", subject=payment.id, legs=legs)


def _fail(payment: CardPayment, failure: Failure) -> None:
    if payment.can("fail"):
        payment.fail(failure)


def _owe_charge(session: Session, payment: CardPayment) -> None:
    owe(
        session,
        "charge_card",
        payment.id,
        {
            "payment_id": payment.id,
            "party_id": payment.party_id,
            "amount": payment.amount.amount,
            "currency": payment.amount.currency,
            "payment_method": payment.payment_method,
            "key": payment.charge_key,
            "until": payment.charge_until.isoformat(),
        },
    )


def owe_look(session: Session, payment: CardPayment, intent_id: str | None = None) -> None:
    """Stripe is to be asked what became of a payment."""
    payload = {"payment_id": payment.id, "intent_id": payment.intent_id or intent_id}
    owe(session, "look_up_card_payment", payment.id, payload)
