"""Chooses what is pushed next to a subscriber, writes it, owes the call, and records what became of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get_if_any
from chassis.errands import lighten, owe
from chassis.http import Headers
from services.logistics.epcis.dialect import VERSION_HEADERS, write_events
from services.logistics.epcis.kept import read_kept
from services.logistics.epcis.model import EpcisEvent
from services.logistics.epcis.query.parameters import parse_body
from services.logistics.epcis.query.queries import list_recorded, match_events
from services.logistics.epcis.subscriptions.model import EpcisSubscription, EpcisWaiting, State
from services.logistics.epcis.subscriptions.signature import HEADER, sign

PUSH = "epcis_push"
MOST_PUSH_BYTES = 1 << 20
"""Of the events of a push; one that is larger goes alone."""


class Chosen(msgspec.Struct, frozen=True):
    """Events of a push, oldest first; those of the backlog are not waiting in the table."""

    rows: list[EpcisEvent]
    is_backlog: bool = False


def push_next(session: Session, subscription: EpcisSubscription) -> None:
    """Owe the next push of a locked subscription, or let it wait when there is nothing to tell."""
    chosen = _choose_backlog(session, subscription) or _choose_waiting(session, subscription)
    is_run = subscription.schedule is not None
    if chosen.rows or (is_run and subscription.report_if_empty and not _has_told(subscription)):
        _owe_push(session, subscription, chosen)
        return
    if is_run:
        subscription.min_record_time = max(subscription.min_record_time, subscription.run_at or clock.now())
    subscription.wait_for_next_run(clock.now())


def record_push(session: Session, caller: Caller, payload: dict[str, Any], outcome: dict[str, Any]) -> None:
    """What became of a push: the next one begins, or this one is put off. A push of a subscription that is gone is forgotten."""
    subscription = get_if_any(session, EpcisSubscription, payload["subscription_id"], caller)
    lighten(session, payload["errand_id"], "body")
    if subscription is None or subscription.pushing != payload["errand_id"]:
        return
    if outcome["error"]:
        subscription.note_failure(clock.now(), status=outcome["status"], error=outcome["error"])
        if subscription.state is State.SUSPENDED:
            forget_waiting(session, subscription.id)
        return
    subscription.note_success(clock.now())
    _forget_pushed(session, subscription, payload)
    push_next(session, subscription)


def forget_waiting(session: Session, subscription_id: str) -> None:
    """Keep nothing for a subscription that gets no more."""
    session.execute(delete(EpcisWaiting).where(EpcisWaiting.subscription_id == subscription_id))


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
        return Chosen(_cut(rows), is_backlog=True)
    subscription.backlog_until = None
    return None


def _choose_waiting(session: Session, subscription: EpcisSubscription) -> Chosen:
    """The oldest that wait and that the subscriber may still see; the others wait no more. A run takes what was there then."""
    waiting = select(EpcisWaiting.event).where(EpcisWaiting.subscription_id == subscription.id)
    if subscription.run_at is not None:
        waiting = waiting.where(EpcisWaiting.record_time <= subscription.run_at)
    oldest = waiting.order_by(EpcisWaiting.record_time, EpcisWaiting.sequence).limit(subscription.batch)
    query = parse_body(subscription.query)
    while ids := list(session.scalars(oldest)):
        fits = match_events(session, query, subscription.subscriber, ids)
        _drop_waiting(session, subscription.id, set(ids) - set(fits))
        if fits:
            found = {row.id: row for row in session.scalars(select(EpcisEvent).where(EpcisEvent.id.in_(fits)))}
            return Chosen(_cut([found[id] for id in fits]))
    return Chosen([])


def _cut(rows: Sequence[EpcisEvent]) -> list[EpcisEvent]:
    size, kept = 0, []
    for row in rows:
        size += len(msgspec.json.encode(row.document))
        if kept and size > MOST_PUSH_BYTES:
            break
        kept.append(row)
    return kept


def _has_told(subscription: EpcisSubscription) -> bool:
    """Whether something of this run went out already, so that its end is no empty report."""
    told, run = subscription.last_notified_at, subscription.run_at
    return told is not None and run is not None and told >= run


def _owe_push(session: Session, subscription: EpcisSubscription, chosen: Chosen) -> None:
    events = [read_kept(row, subscription.epc_format) for row in chosen.rows]
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
