"""Money of card payments that moves on: what Stripe says it moved is looked up and posted, and refunds are asked for.

A webhook or a reconciliation is only a reason to look, so news may come twice, late or in any order. Locks: the card
payment, then the ledger's accounts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import structlog
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import get
from chassis.errands import owe
from services.settlement.ledger.commands import post, post_certain
from services.settlement.ledger.model import PLATFORM, Kind, Lacking, Leg
from services.settlement.movements import commands as movements
from services.settlement.movements.model import Movement, MovementKind
from services.settlement.payments.model import CREDITED, CardPayment, Failure, State

log = structlog.get_logger(__name__)


def owe_look_at_money(session: Session, payment: CardPayment) -> None:
    """Stripe is to be asked what it moved of a payment."""
    owe(session, "list_card_movements", payment.id, {"payment_id": payment.id, "intent_id": payment.intent_id})


def record_money(session: Session, caller: Caller, payload: dict[str, Any], outcome: dict[str, Any]) -> None:
    """Post what Stripe has moved of a payment and was not posted yet."""
    payment = get(session, CardPayment, payload["payment_id"], caller)
    if payment.state in CREDITED:
        _post_new(session, payment, msgspec.convert(outcome["movements"], list[Movement]))


def refund_payment(session: Session, caller: Caller, payment_id: str) -> CardPayment:
    """Give a whole payment back to its card; until Stripe has, the money is set aside.

    Raises NotFound, IllegalMove, CardPaymentReturned, or InsufficientFunds when its party has spent it.
    """
    payment = get(session, CardPayment, payment_id, caller)
    payment.refund()
    answer = post(
        session,
        key=f"card_refund_asked:{payment.refund_key}",
        kind="card_refund_asked",
        subject=payment.id,
        legs=[
            Leg(payment.party_id, Kind.AVAILABLE, -payment.amount),
            Leg(PLATFORM, Kind.REFUND_TRANSIT, payment.amount),
        ],
    )
    if isinstance(answer, Lacking):
        raise answer.problem()
    owe_refund(session, payment)
    return payment


def owe_refund(session: Session, payment: CardPayment) -> None:
    """Stripe is to be asked to give a payment back."""
    payload = {"payment_id": payment.id, "intent_id": payment.intent_id, "amount": payment.amount.amount}
    owe(session, "refund_card", payment.id, {**payload, "key": payment.refund_key})


def record_refund(session: Session, caller: Caller, payload: dict[str, Any], outcome: dict[str, Any]) -> None:
    """Post what came of asking for a refund. One that is still under way is asked about again by the chase."""
    payment = get(session, CardPayment, payload["payment_id"], caller)
    if "refused" in outcome and payment.state is State.REFUNDING and payload["key"] == payment.refund_key:
        _refuse_refund(session, payment, msgspec.convert(outcome["refused"], Failure))
    _post_new(session, payment, msgspec.convert(outcome["movements"], list[Movement]))


def _refuse_refund(session: Session, payment: CardPayment, refusal: Failure) -> None:
    payment.end_refund(refusal)
    legs = [
        Leg(PLATFORM, Kind.REFUND_TRANSIT, -payment.amount),
        Leg(payment.party_id, Kind.AVAILABLE, payment.amount),
    ]
    key, kind = f"card_refund_refused:{payment.refund_key}", "card_refund_refused"
    post_certain(session, key=key, kind=kind, subject=payment.id, legs=legs)


def _post_new(session: Session, payment: CardPayment, found: Iterable[Movement]) -> None:
    for movement in movements.choose_new(session, found):
        if movement.currency != payment.amount.currency:
            log.error("card money moved in another currency", payment_id=payment.id, movement_id=movement.id)
        elif movement.kind is MovementKind.CHARGE:
            movements.post_charge(session, movement, payment.id)
        else:
            payment.returned -= movement.amount
            _post_back(session, payment, movement)


def _post_back(session: Session, payment: CardPayment, movement: Movement) -> None:
    is_ours = movement.kind is MovementKind.REFUND and movement.payment_id == payment.id
    if is_ours and payment.state is State.REFUNDING and movement.amount == -payment.amount.amount:
        payment.end_refund()
        return movements.post_refund(session, movement, payment.id)
    if payment.state is State.REFUNDING:
        # Of a charge that is disputed, or was partly refunded by hand, Stripe gives nothing back whole.
        _refuse_refund(session, payment, Failure(code="returned_otherwise", detail="Stripe moved it in another way"))
    return movements.post_return(session, movement, payment.id, payment.party_id)
