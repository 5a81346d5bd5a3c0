"""Making and ending subscriptions, hearing of new events for them, and running those that are due."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import delete, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import PLATFORM, Caller
from chassis.database import get, get_if_any
from chassis.errands import drop_owed
from events.logistics import EpcisEventCaptured
from services.logistics.epcis.exceptions import (
    EpcisProblem,
    NoSuchNameException,
    NoSuchResourceException,
    SubscriptionControlsException,
    ValidationException,
)
from services.logistics.epcis.model import EpcisEvent
from services.logistics.epcis.query.model import NamedQuery
from services.logistics.epcis.query.parameters import parse_body
from services.logistics.epcis.query.queries import match_events, see_named_query
from services.logistics.epcis.subscriptions.controls import Controls, check_standing, read_controls
from services.logistics.epcis.subscriptions.model import MOST_EVENTS, EpcisSubscription, EpcisWaiting, State
from services.logistics.epcis.subscriptions.pushing import (
    PUSH,
    choose_later,
    end_unanswered,
    forget_waiting,
    go_on,
    push_next,
)
from services.logistics.epcis.subscriptions.targets import TargetRefused, read_target
from services.logistics.epcis.translate import EpcFormat

MOST_OF_A_COMPANY = 100
LONGEST_SECRET = 500
MOST_RUNS_A_MINUTE = 6
ASKED_WITHIN_S = 20.0
Push = Callable[[Session, EpcisSubscription], None]
_FIELDS = {"dest", "signatureToken", "secret", "reportIfEmpty", "initialRecordTime", "stream", "schedule"}


def subscribe(
    session: Session, caller: Caller, query_name: str, body: bytes, *, epc_format: EpcFormat, private: bool
) -> EpcisSubscription:
    """Subscribe to a named query of the caller's company; ``private`` says that private addresses are allowed.

    Raises NoSuchNameException, ValidationException, SubscriptionControlsException, or QueryTooComplexException for a backlog that
    cannot be found in time.
    """
    query = _hold_query(session, query_name, caller)
    given, now = _read_body(body, private=private), clock.now()
    controls = read_controls(given, now)
    _check_controls(session, caller, query, controls)
    begin = controls.initial_record_time or now
    subscription = EpcisSubscription(
        id=clock.new_id("subscription"),
        query_id=query.id,
        query_name=query.name,
        owner_id=caller.party_id,
        user_id=caller.user_id,
        query=query.query,
        dest=given["dest"],
        secret=given.get("signatureToken", given.get("secret")),
        epc_format=epc_format,
        report_if_empty=controls.report_if_empty,
        schedule=controls.fields,
        state=State.ACTIVE,
        batch=MOST_EVENTS,
        created_at=now,
        initial_record_time=begin,
        min_record_time=begin,
        backlog_until=now if begin < now else None,
        failures=0,
    )
    subscription.wait_for_next_run(now)
    session.add(subscription)
    session.flush()
    if subscription.is_idle and subscription.backlog_until is not None:
        push_next(session, subscription)
    return subscription


def unsubscribe(session: Session, caller: Caller, query_name: str, subscription_id: str) -> None:
    """End a subscription. Raises NoSuchNameException or NoSuchResourceException."""
    query = see_named_query(session, query_name, caller)
    subscription = get_if_any(session, EpcisSubscription, subscription_id, caller)
    if subscription is None or subscription.query_id != query.id:
        raise NoSuchResourceException(f"{query_name} has no subscription {subscription_id[:100]!r}")
    _end(session, subscription)


def end_subscriptions(session: Session, query_id: str) -> None:
    """End every subscription to a query that is deleted."""
    mine = select(EpcisSubscription.id).where(EpcisSubscription.query_id == query_id).order_by(EpcisSubscription.id)
    for id in session.scalars(mine).all():
        if (subscription := get_if_any(session, EpcisSubscription, id, _SYSTEM)) is not None:
            _end(session, subscription)


def take_events(session: Session, caller: Caller, captured: Sequence[EpcisEventCaptured]) -> None:
    """Put new events down for each subscription that they fit, and begin to push to streams that wait for nothing else.

    Where that takes long, the rest are put down unasked, and asked of when they are pushed: whoever hears events waits for nobody.
    """
    until = time.monotonic() + ASKED_WITHIN_S
    parties = {party for one in captured for party in (one.owner_id, *one.party_ids)}
    told = or_(EpcisSubscription.owner_id.in_(sorted(parties)), EpcisSubscription.owner_id == PLATFORM)
    concerned = select(EpcisSubscription).where(EpcisSubscription.state == State.ACTIVE, told)
    for subscription in session.scalars(concerned.order_by(EpcisSubscription.id)).all():
        new = [one.id for one in captured if one.record_time >= subscription.initial_record_time]
        is_late = time.monotonic() > until
        if fits := new if is_late else _match(session, subscription, new):
            _put_down(session, caller, subscription.id, fits, push=choose_later if is_late else go_on)


def run_due(session: Session, caller: Caller, subscription_id: str) -> None:
    """Run a subscription whose time has come: by its schedule, or to try again."""
    subscription = get(session, EpcisSubscription, subscription_id, caller)
    now = clock.now()
    if subscription.state is State.ACTIVE and subscription.due_at is not None and subscription.due_at <= now:
        subscription.begin_run(now)
        if subscription.backlog_until is not None:
            choose_later(session, subscription)
        else:
            go_on(session, subscription)


_SYSTEM = Caller.system("logistics")


def _match(session: Session, subscription: EpcisSubscription, event_ids: list[str]) -> list[str]:
    """What fits, in a savepoint: a question that cannot be answered ends its own subscription and stops no other."""
    if not event_ids:
        return []
    try:
        with session.begin_nested():
            return match_events(session, parse_body(subscription.query), subscription.subscriber, event_ids)
    except EpcisProblem as problem:
        if (locked := get_if_any(session, EpcisSubscription, subscription.id, _SYSTEM)) is not None:
            end_unanswered(session, locked, problem)
        return []


def _check_controls(session: Session, caller: Caller, query: NamedQuery, controls: Controls) -> None:
    check_standing(parse_body(query.query))
    if controls.schedule is not None and len(controls.schedule.second) > MOST_RUNS_A_MINUTE:
        raise SubscriptionControlsException(f"a schedule has at most {MOST_RUNS_A_MINUTE} runs a minute")
    mine = select(func.count()).select_from(EpcisSubscription).where(EpcisSubscription.owner_id == caller.party_id)
    if (session.scalar(mine) or 0) >= MOST_OF_A_COMPANY:
        raise SubscriptionControlsException(f"a company has at most {MOST_OF_A_COMPANY} subscriptions")


def _hold_query(session: Session, name: str, caller: Caller) -> NamedQuery:
    """A query that cannot be deleted meanwhile. Raises NoSuchNameException."""
    query = get_if_any(session, NamedQuery, see_named_query(session, name, caller).id, caller)
    if query is None:
        raise NoSuchNameException(f"there is no query {name[:100]!r}")
    return query


def _put_down(session: Session, caller: Caller, subscription_id: str, event_ids: list[str], *, push: Push) -> None:
    subscription = get_if_any(session, EpcisSubscription, subscription_id, caller)
    if subscription is None or subscription.state is not State.ACTIVE:
        return
    columns = ["subscription_id", "event", "record_time", "sequence"]
    fitting = select(
        literal(subscription_id),
        EpcisEvent.id,
        EpcisEvent.record_time,
        EpcisEvent.sequence,
    )
    rows = fitting.where(EpcisEvent.id.in_(event_ids))
    session.execute(insert(EpcisWaiting).from_select(columns, rows).on_conflict_do_nothing())
    if subscription.schedule is None and subscription.is_idle:
        push(session, subscription)


def _end(session: Session, subscription: EpcisSubscription) -> None:
    forget_waiting(session, subscription.id)
    drop_owed(session, PUSH, subscription.id)
    session.execute(delete(EpcisSubscription).where(EpcisSubscription.id == subscription.id))


def _read_body(body: bytes, *, private: bool) -> dict[str, Any]:
    try:
        given = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValidationException(f"this is not JSON: {str(error)[:200]}") from None
    if not isinstance(given, dict) or not isinstance(given.get("dest"), str):
        raise ValidationException("a subscription is an object with a dest", field="$.dest")
    if strange := given.keys() - _FIELDS:
        raise ValidationException(f"a subscription has no {min(strange)[:100]!r}", field=f"$.{min(strange)[:100]}")
    for name in ("signatureToken", "secret"):
        secret = given.get(name, "-")
        if not isinstance(secret, str) or not 0 < len(secret) <= LONGEST_SECRET or not secret.isprintable():
            raise ValidationException(f"a secret is a text of at most {LONGEST_SECRET} characters", field=f"$.{name}")
    try:
        read_target(given["dest"], private=private)
    except TargetRefused as refused:
        raise ValidationException(str(refused), field="$.dest") from None
    return given
