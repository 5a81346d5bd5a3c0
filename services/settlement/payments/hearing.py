"""Events of Stripe's are taken in once, from webhooks and from the sweep that reads what no webhook brought, and applied.

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
from services.settlement.payments.commands import owe_look, take_in
from services.settlement.payments.heard import (
    EVENTS_KEPT,
    SWEEP_EVERY,
    SWEEP_ID,
    CardEvent,
    CardSweep,
    EventState,
    HeardEvent,
)
from services.settlement.payments.model import CREDITED, CardPayment, Intent, State
from services.settlement.payments.moving import owe_look_at_money
from services.settlement.payments.queries import find_by_intents

PURGE_BATCH = 1_000
log = structlog.get_logger(__name__)


def receive_event(session: Session, heard: HeardEvent) -> None:
    """Take an event of Stripe's in, once. Types that tell nothing of a payment are let go."""
    if heard.intent is None and heard.intent_id is None:
        log.info("card event of another kind", event_id=heard.id, type=heard.type)
        return
    _insert_events(session, [msgspec.to_builtins(heard)])


def apply_event(session: Session, caller: Caller, event_id: str) -> None:
    """Handle an event once. A success stands whenever it comes; anything else may be old: only a reason to look."""
    event = get(session, CardEvent, event_id, caller)
    event.settle("apply" if _apply(session, caller, event) else "ignore")


def _apply(session: Session, caller: Caller, event: CardEvent) -> bool:
    if event.intent is None:
        return _look_at_money(session, caller, event)
    intent = msgspec.convert(event.intent, Intent)
    payment = _find_payment(session, caller, intent)
    if payment is None:
        log.info("card event of an unknown intent", event_id=event.id, type=event.type, intent_id=intent.id)
        return False
    if intent.state is State.SUCCEEDED and payment.agrees_with(intent):
        take_in(session, payment, intent)
    elif not payment.outranks(intent.state):
        owe_look(session, payment, intent.id)
    return True


def _look_at_money(session: Session, caller: Caller, event: CardEvent) -> bool:
    """Of a payment that has not succeeded yet there is nothing to look at: its success will be a reason to."""
    found = find_by_intents(session, [event.intent_id or ""])
    payment = get(session, CardPayment, found[event.intent_id], caller) if found else None
    if payment is None or payment.state not in CREDITED:
        log.info("card money of no payment here", event_id=event.id, type=event.type, intent_id=event.intent_id)
        return False
    owe_look_at_money(session, payment)
    return True


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


def _find_payment(session: Session, caller: Caller, intent: Intent) -> CardPayment | None:
    if intent.payment_id is None:
        return None
    try:
        return get(session, CardPayment, intent.payment_id, caller)
    except NotFound:
        return None


def _insert_events(session: Session, events: Iterable[dict[str, Any]]) -> None:
    now = clock.now()
    taken = {"intent": None, "intent_id": None, "state": EventState.RECEIVED, "received_at": now, "due_at": now}
    rows = [{**taken, **event} for event in events]
    if rows:
        session.execute(insert(CardEvent).values(rows).on_conflict_do_nothing())


def _purge_events(session: Session) -> None:
    handled = CardEvent.state != EventState.RECEIVED
    old = select(CardEvent.id).where(handled, CardEvent.received_at < clock.now() - EVENTS_KEPT).limit(PURGE_BATCH)
    session.execute(delete(CardEvent).where(CardEvent.id.in_(old)))
