"""What a reconciliation does: wait, ask, compare each page, and make the next one. The errand alone talks to Stripe.

Locks: the reconciliation, then card payments.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get, get_many
from chassis.errands import owe
from chassis.settings import Settings
from services.settlement.movements import queries as movements
from services.settlement.movements.commands import mark_seen
from services.settlement.movements.model import Movement
from services.settlement.payments.model import CREDITED, CardPayment
from services.settlement.payments.moving import owe_look_at_money
from services.settlement.payments.queries import find_by_intents
from services.settlement.reconciliation import queries
from services.settlement.reconciliation.model import (
    LOOK_AGAIN_AFTER,
    UNDER_WAY,
    Difference,
    Reconciliation,
    State,
    compare,
    name_run,
    next_night,
)

log = structlog.get_logger(__name__)
FOREVER = 2**62


def prepare_reconciliation(session: Session, caller: Caller, settings: Settings) -> None:
    """The first reconciliation, made when there is none."""
    if not queries.has_any(session):
        _schedule(session, next_night(settings.reconcile_hour), 0)


def start_reconciliation(session: Session, caller: Caller, reconciliation_id: str) -> None:
    """It is time to ask Stripe, or Stripe gave no answer within the hour."""
    run = get(session, Reconciliation, reconciliation_id, caller)
    if run.state in run.waits:
        run.ask()
        _owe_page(session, run)


def record_page(session: Session, caller: Caller, payload: dict[str, Any], outcome: dict[str, Any]) -> None:
    """Compare a page of Stripe's books with ours; after the last one say what was found and make the next run."""
    run = get(session, Reconciliation, payload["subject"], caller)
    if run.state is not State.ASKING or run.after != payload["after"] or "later" in outcome:
        return
    if "lost" in outcome:
        run.begin_again()
        return
    found = msgspec.convert(outcome["movements"], list[Movement])
    run.note(_compare_page(session, run, found))
    run.newest, run.compared = max(run.newest, outcome["newest"]), run.compared + len(found)
    if outcome["last"] is not None:
        run.after = outcome["last"]
        _owe_page(session, run)
    else:
        _end(session, caller, run, outcome["hour"])


def _compare_page(session: Session, run: Reconciliation, found: list[Movement]) -> list[Difference]:
    ours = movements.find_movements(session, [movement.id for movement in found])
    mark_seen(session, list(ours), run.id)
    payments = find_by_intents(session, {movement.intent_id or "" for movement in found})
    compared = (compare(each, ours.get(each.id), payments.get(each.intent_id or "")) for each in found)
    return [difference for difference in compared if difference is not None]


def _end(session: Session, caller: Caller, run: Reconciliation, hour: int) -> None:
    run.note(_find_unknown_to_stripe(session, run))
    run.note(_find_unbalanced(session))
    was_differing = queries.is_differing(session)
    run.end()
    say = log.warning if run.differences else log.info
    say("card payments reconciled", id=run.id, compared=run.compared, differences=len(run.differences))
    _look_at_money(session, caller, {difference["payment_id"] for difference in run.differences} - {None})
    is_first = run.state is State.DIFFERING and not was_differing
    _schedule(session, clock.now() + LOOK_AGAIN_AFTER if is_first else next_night(hour), run.next_since)


def _find_unknown_to_stripe(session: Session, run: Reconciliation) -> list[Difference]:
    """What was posted after the list was asked for is not missed: it is as new as the newest of the list."""
    unseen = movements.find_unseen(session, run.id, since=run.since, until=run.newest or FOREVER)
    uncharged = queries.find_uncharged(session, before=clock.now() - UNDER_WAY)
    return [
        Difference(subject=each.id, currency=each.currency, at_stripe=0, ours=each.net, payment_id=each.payment_id)
        for each in unseen
    ] + [
        Difference(subject=id, currency=currency, at_stripe=0, ours=amount, payment_id=id)
        for id, currency, amount in uncharged
    ]


def _find_unbalanced(session: Session) -> list[Difference]:
    return [
        Difference(subject=f"clearing:{currency}", currency=currency, at_stripe=expected, ours=held)
        for currency, (expected, held) in movements.read_clearing(session).items()
        if expected != held
    ]


def _look_at_money(session: Session, caller: Caller, payment_ids: Iterable[str]) -> None:
    """What Stripe moved and nobody told is posted now; the next reconciliation sees that it was."""
    for payment in get_many(session, CardPayment, queries.choose_known(session, payment_ids), caller):
        if payment.state in CREDITED:
            owe_look_at_money(session, payment)


def _owe_page(session: Session, run: Reconciliation) -> None:
    owe(session, "reconcile_cards", run.id, {"since": run.since, "after": run.after})


def _schedule(session: Session, due_at: datetime, since: int) -> None:
    row = {"id": name_run(due_at), "state": State.SCHEDULED, "since": since, "newest": 0, "compared": 0}
    values = {**row, "differences": [], "due_at": due_at}
    session.execute(insert(Reconciliation).values(values).on_conflict_do_nothing())
