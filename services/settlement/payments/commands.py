"""What is done to card payments. A success is credited exactly once, whoever brings it: answer, webhook or sweep.

Locks: the card event, then the card payment, then (inside ``post``) the ledger's accounts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import structlog
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get
from chassis.errands import owe
from chassis.problems import NotFound
from chassis.settings import Settings
from chassis.values import Money
from services.settlement.ledger.commands import post_certain
from services.settlement.ledger.model import PLATFORM, Kind, Leg
from services.settlement.payments.model import (
    CHASE_EVERY,
    EVENTS_KEPT,
    MOST_ATTEMPTS,
    SWEEP_EVERY,
    SWEEP_ID,
    CardEvent,
    CardPayment,
    CardSweep,
    EventState,
    Failure,
    HeardEvent,
    Intent,
    State,
    choose_method,
)

PURGE_BATCH = 1_000
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
        _take_in(session, payment, msgspec.convert(outcome["intent"], Intent))
    elif "refused" in outcome:
        _fail(payment, msgspec.convert(outcome["refused"], Failure))
    elif "burnt" in outcome and payment.attempt < MOST_ATTEMPTS:
        payment.take_new_key()
        _owe_charge(session, payment)
    else:
        _fail(payment, Failure(code="not_charged", detail="Stripe made no charge"))


def chase_payment(session: Session, caller: Caller, payment_id: str) -> None:
    """The deadline of a payment whose outcome nobody brought: it is looked up, again and again until it is known."""
    payment = get(session, CardPayment, payment_id, caller)
    if payment.state in payment.waits:
        payment.due_at = clock.now() + CHASE_EVERY
        _owe_look(session, payment)


def record_look(session: Session, caller: Caller, payload: dict[str, Any], outcome: dict[str, Any]) -> None:
    """Put down what Stripe says of a payment that was looked up."""
    payment = get(session, CardPayment, payload["payment_id"], caller)
    if "intent" in outcome:
        _take_in(session, payment, msgspec.convert(outcome["intent"], Intent))
    elif clock.now() > payment.charge_until:
        _fail(payment, Failure(code="not_charged", detail="Stripe made no charge"))


def receive_event(session: Session, heard: HeardEvent) -> None:
    """Take an event of Stripe's in, once. Types that tell nothing of a payment are let go."""
    if heard.intent is None:
        log.info("card event of another kind", event_id=heard.id, type=heard.type)
        return
    _insert_events(session, [msgspec.to_builtins(heard)])


def apply_event(session: Session, caller: Caller, event_id: str) -> None:
    """Handle an event once. A success stands whenever it comes; anything else may be old: only a reason to look."""
    event = get(session, CardEvent, event_id, caller)
    intent = msgspec.convert(event.intent, Intent)
    payment = _find_payment(session, caller, intent)
    if payment is None:
        log.info("card event of an unknown intent", event_id=event.id, type=event.type, intent_id=intent.id)
        return event.settle("ignore")
    if intent.state is State.SUCCEEDED and payment.agrees_with(intent):
        _take_in(session, payment, intent)
    elif not payment.outranks(intent.state):
        _owe_look(session, payment, intent.id)
    return event.settle("apply")


def prepare_sweep(session: Session, caller: Caller, settings: Settings) -> None:
    """The one row of the sweep, made when it is not there."""
    row = {"id": SWEEP_ID, "since": 0, "newest": 0, "after": None, "due_at": clock.now() + SWEEP_EVERY}
    session.execute(insert(CardSweep).values(row).on_conflict_do_nothing())


def start_sweep(session: Session, caller: Caller, sweep_id: str) -> None:
    """It is time to ask Stripe for the events that no webhook brought."""
    sweep = get(session, CardSweep, sweep_id, caller)
    sweep.due_at = clock.now() + SWEEP_EVERY
    owe(session, "list_card_events", sweep.id, {"since": sweep.since, "after": sweep.after})


def record_sweep(session: Session, caller: Caller, payload: dict[str, Any], outcome: dict[str, Any]) -> None:
    """Take a page of events in and move the cursor: on within the pass, to the newest event when it is over."""
    sweep = get(session, CardSweep, payload["subject"], caller)
    if (sweep.since, sweep.after) != (payload["since"], payload["after"]) or "later" in outcome:
        return
    if "lost" in outcome:
        sweep.after = None
        return
    events = outcome["events"]
    _insert_events(session, events)
    sweep.newest = max(sweep.newest, outcome["newest"])
    if outcome["more"]:
        sweep.after, sweep.due_at = events[-1]["id"], clock.now()
        return
    sweep.since, sweep.after = sweep.newest, None
    _purge_events(session)


def _take_in(session: Session, payment: CardPayment, intent: Intent) -> None:
    if not payment.agrees_with(intent):
        log.error("card payment and intent disagree", payment_id=payment.id, intent_id=intent.id, status=intent.status)
        return
    if payment.outranks(intent.state):
        return
    match intent.state:
        case State.SUCCEEDED:
            payment.succeed(intent)
            _credit(session, payment)
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


def _find_payment(session: Session, caller: Caller, intent: Intent) -> CardPayment | None:
    if intent.payment_id is None:
        return None
    try:
        return get(session, CardPayment, intent.payment_id, caller)
    except NotFound:
        return None


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


def _owe_look(session: Session, payment: CardPayment, intent_id: str | None = None) -> None:
    payload = {"payment_id": payment.id, "intent_id": payment.intent_id or intent_id}
    owe(session, "look_up_card_payment", payment.id, payload)


def _insert_events(session: Session, events: Iterable[dict[str, Any]]) -> None:
    now = clock.now()
    rows = [{**event, "state": EventState.RECEIVED, "received_at": now, "due_at": now} for event in events]
    if rows:
        session.execute(insert(CardEvent).values(rows).on_conflict_do_nothing())


def _purge_events(session: Session) -> None:
    handled = CardEvent.state != EventState.RECEIVED
    old = select(CardEvent.id).where(handled, CardEvent.received_at < clock.now() - EVENTS_KEPT).limit(PURGE_BATCH)
    session.execute(delete(CardEvent).where(CardEvent.id.in_(old)))
