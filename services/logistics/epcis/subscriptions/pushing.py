"""Chooses what is pushed next to a subscriber, writes it, owes the call, and records what became of it."""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.access import AccessDenial
from chassis.auth import Caller
from chassis.database import get_if_any
from chassis.errands import lighten, owe
from chassis.http import Headers
from services.logistics.epcis.dialect import VERSION_HEADERS, write_events
from services.logistics.epcis.exceptions import EpcisProblem
from services.logistics.epcis.kept import show_kept
from services.logistics.epcis.model import EpcisEvent
from services.logistics.epcis.query.parameters import parse_body
from services.logistics.epcis.query.queries import list_recorded, load_events, match_events
from services.logistics.epcis.subscriptions.model import EpcisSubscription, EpcisWaiting, State
from services.logistics.epcis.subscriptions.signature import HEADER, sign

PUSH = "epcis_push"
CHOSEN_WITHIN_S = 10.0
SHUT_OUT = "the company may not act for now"


class Chosen(msgspec.Struct, frozen=True):
    """Events of a push, oldest first; those of the backlog are not waiting in the table."""

    rows: list[EpcisEvent]
    is_backlog: bool = False


def push_next(session: Session, subscription: EpcisSubscription) -> None:
    """Owe the next push of a locked subscription, or let it wait when there is nothing to tell.

    While its company is shut out, it is as if the receiver took nothing. Raises EpcisProblem when the question cannot be answered.
    """
    if _is_shut_out(session, subscription.owner_id):
        _put_off(session, subscription, status=0, error=SHUT_OUT)
        return
    chosen = _choose_backlog(session, subscription) or _choose_waiting(session, subscription)
    if chosen is None:
        choose_later(session, subscription)
        return
    is_run = subscription.schedule is not None
    if chosen.rows or (is_run and subscription.report_if_empty and not _has_told(subscription)):
        _owe_push(session, subscription, chosen)
        return
    if is_run:
        subscription.min_record_time = max(subscription.min_record_time, subscription.run_at or clock.now())
    subscription.wait_for_next_run(clock.now())


def go_on(session: Session, subscription: EpcisSubscription) -> None:
    """As ``push_next``, but a question that cannot be answered any more ends its own subscription and nothing else."""
    try:
        with session.begin_nested():
            push_next(session, subscription)
    except EpcisProblem as problem:
        end_unanswered(session, subscription, problem)


def choose_later(session: Session, subscription: EpcisSubscription) -> None:
    """Let the loops that push choose the events: a backlog may take seconds to find, which other deadlines do not wait for."""
    told = {"subscription_id": subscription.id}
    subscription.pushing, subscription.due_at = owe(session, PUSH, subscription.id, told).id, None


def record_push(session: Session, caller: Caller, payload: dict[str, Any], outcome: dict[str, Any]) -> None:
    """What became of a push: the next one begins, or this one is put off. A push of a subscription that is gone is forgotten."""
    subscription = get_if_any(session, EpcisSubscription, payload["subscription_id"], caller)
    lighten(session, payload["errand_id"], "body")
    if subscription is None or subscription.pushing != payload["errand_id"]:
        return
    if outcome["error"]:
        _put_off(session, subscription, status=outcome["status"], error=outcome["error"])
        return
    if "events" in payload:
        subscription.note_success(clock.now())
        _forget_pushed(session, subscription, payload)
    subscription.pushing = None
    go_on(session, subscription)


def end_unanswered(session: Session, subscription: EpcisSubscription, problem: EpcisProblem) -> None:
    """Push nothing any more to a locked subscription whose question cannot be answered."""
    if subscription.can("suspend"):
        subscription.give_up(f"{problem.type_name()}: {problem.detail}")
        forget_waiting(session, subscription.id)


def forget_waiting(session: Session, subscription_id: str) -> None:
    """Keep nothing for a subscription that gets no more."""
    session.execute(delete(EpcisWaiting).where(EpcisWaiting.subscription_id == subscription_id))


def _is_shut_out(session: Session, party_id: str) -> bool:
    denied = select(AccessDenial.subject).where(AccessDenial.subject == party_id, AccessDenial.denied)
    return session.scalar(denied) is not None


def _put_off(session: Session, subscription: EpcisSubscription, *, status: int, error: str) -> None:
    subscription.note_failure(clock.now(), status=status, error=error)
    if subscription.state is State.SUSPENDED:
        forget_waiting(session, subscription.id)


def _choose_backlog(session: Session, subscription: EpcisSubscription) -> Chosen | None:
    until = subscription.backlog_until
    if until is None:
        return None
    after = None
    if subscription.backlog_time is not None and subscription.backlog_sequence is not None:
        after = (subscription.backlog_time, subscription.backlog_sequence)
    rows = list_recorded(
        session,
        parse_body(subscription.query),
        subscription.subscriber,
        since=subscription.initial_record_time,
        until=until,
        after=after,
        limit=subscription.batch,
    )
    if rows:
        return Chosen(rows, is_backlog=True)
    subscription.backlog_until = None
    return None


def _choose_waiting(session: Session, subscription: EpcisSubscription) -> Chosen | None:
    """The oldest that wait, fit, and may still be seen; the others wait no more. None when there are still some to be looked at.

    A run takes what was there then.
    """
    until = time.monotonic() + CHOSEN_WITHIN_S
    waiting = select(EpcisWaiting.event).where(EpcisWaiting.subscription_id == subscription.id)
    if subscription.run_at is not None:
        waiting = waiting.where(EpcisWaiting.record_time <= subscription.run_at)
    oldest = waiting.order_by(EpcisWaiting.record_time, EpcisWaiting.sequence).limit(subscription.batch)
    query = parse_body(subscription.query)
    while ids := list(session.scalars(oldest)):
        fits = match_events(session, query, subscription.subscriber, ids)
        _drop_waiting(session, subscription.id, set(ids) - set(fits))
        if fits:
            return Chosen(load_events(session, fits))
        if time.monotonic() > until:
            return None
    return Chosen([])


def _has_told(subscription: EpcisSubscription) -> bool:
    """Whether something of this run went out already, so that its end is no empty report."""
    told, run = subscription.last_notified_at, subscription.run_at
    return told is not None and run is not None and told >= run


def _owe_push(session: Session, subscription: EpcisSubscription, chosen: Chosen) -> None:
    events = show_kept(session, chosen.rows, subscription.epc_format)
    told = write_events(
        Headers(), events, query_name=subscription.query_name, subscription_id=subscription.id, extra=VERSION_HEADERS
    )
    headers = {**dict(told.headers), "User-Agent": "haihe"}
    if subscription.secret is not None:
        headers[HEADER] = sign(subscription.secret, told.body)
    payload = {
        "subscription_id": subscription.id,
        "dest": subscription.dest,
        "headers": headers,
        "body": told.body.decode(),
        "events": [row.id for row in chosen.rows],
        "is_backlog": chosen.is_backlog,
    }
    if chosen.rows:
        last = chosen.rows[-1]
        payload["last"] = [last.record_time.isoformat(), last.sequence]
    subscription.pushing, subscription.due_at = owe(session, PUSH, subscription.id, payload).id, None


def _forget_pushed(session: Session, subscription: EpcisSubscription, payload: dict[str, Any]) -> None:
    _drop_waiting(session, subscription.id, payload["events"])
    if "last" not in payload:
        return
    recorded, sequence = datetime.fromisoformat(payload["last"][0]), payload["last"][1]
    subscription.min_record_time = max(subscription.min_record_time, recorded)
    if payload["is_backlog"]:
        subscription.backlog_time, subscription.backlog_sequence = recorded, sequence


def _drop_waiting(session: Session, subscription_id: str, events: Collection[str]) -> None:
    if events:
        told = (EpcisWaiting.subscription_id == subscription_id, EpcisWaiting.event.in_(list(events)))
        session.execute(delete(EpcisWaiting).where(*told))
