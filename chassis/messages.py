"""The outbox and the inbox: events leave in the transaction that made them true, and are heard once.

``emit`` puts an event down; it is written with one statement just before the commit, while the rows it is about are still locked,
so that the order of the outbox is the order of what happened to one thing. What else is to be written last goes along with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Identity, LargeBinary, Text, delete, select, text, tuple_
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis import clock, telemetry
from chassis.brokers import Message, check_sizes
from chassis.database import Chassis, Model, is_locked
from chassis.envelope import Envelope, Event
from chassis.pace import PURGE_BATCH

INBOX_KEPT = timedelta(days=14)


class Outbox(Chassis):
    """An event that has still to be sent."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    topic: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    headers: Mapped[dict[str, str]] = mapped_column(JSONB)
    value: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column()


class Inbox(Chassis):
    """The id of an event that was taken in by a group."""

    __tablename__ = "inbox"

    group: Mapped[str] = mapped_column("consumer_group", Text, primary_key=True)
    event_id: Mapped[str] = mapped_column(Text, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)


# Arrays in binary form: PostgreSQL takes them apart at half of what one JSON text costs it, and psycopg has no sign to escape.
_WRITE_OUTBOX = (
    "INSERT INTO outbox (topic, key, headers, value, at) "
    "SELECT topic, key, headers ::jsonb, value, %s "
    "FROM unnest(%b ::text[], %b ::text[], %b ::text[], %b ::bytea[]) "
    "WITH ORDINALITY AS row (topic, key, headers, value, place) ORDER BY place"
)
_encode = msgspec.json.Encoder().encode


def emit(session: Session, event: Event, *, of: Model) -> None:
    """Tell others, if the transaction commits. ``of`` is what the event is about.

    Raises ValueError unless ``of`` is new here or was locked by ``get`` and its id is the event's key: that keeps the order of
    events about one thing the order of its changes.
    """
    if event.subject != of.id:
        raise ValueError(f"{type(event).__name__} is about {event.subject!r}, not about {of.id!r}")
    if not is_locked(session, of):
        raise ValueError(f"{type(event).__name__}: {of.id!r} is neither new nor locked")
    session.info.setdefault("emitted", []).append((event, telemetry.trace_about(of.id)))


def emit_many(session: Session, events: Iterable[Event]) -> None:
    """Tell others of many things, if the transaction commits, where their rows are no objects here.

    Whoever calls this has made or locked these rows by statements of this transaction: nothing else keeps the order
    of events about one thing.
    """
    told = session.info.setdefault("emitted", [])
    told.extend((event, telemetry.trace_about(event.subject)) for event in events)


def wrap(event: Event, source: str, trace: telemetry.Trace | None = None, id: str | None = None) -> Message:
    """An event as a message, with the ids of the request that caused it: the current one, unless a trace is given."""
    trace = trace or telemetry.current_trace.get()
    envelope = Envelope(
        id=id or clock.new_id("event"),
        type=event.type,
        source=f"/{source}",
        time=clock.now(),
        subject=event.subject,
        request_id=trace.request_id if trace else None,
        traceparent=trace.traceparent if trace else None,
    )
    return Message(topic=event.topic, key=event.subject, value=event.encode(), headers=envelope.headers())


def write_last(session: Session, statement: str, values: tuple[Any, ...]) -> None:
    """Run one statement in psycopg's form just before the commit, together with that which writes the outbox."""
    session.info["last"] = (statement, values)


@sqlalchemy_event.listens_for(Session, "before_commit")
def _write_outbox(session: Session) -> None:
    events, last = session.info.get("emitted"), session.info.pop("last", None)
    if events and not session.info.get("outbox_written"):
        session.flush()
        session.info["outbox_written"] = True
        statement, values = (f"WITH last AS ({last[0]}) {_WRITE_OUTBOX}", last[1]) if last else (_WRITE_OUTBOX, ())
        session.connection().exec_driver_sql(statement, (*values, *_say_rows(events)))
    elif last:
        session.flush()
        session.connection().exec_driver_sql(*last)


def _say_rows(events: Sequence[tuple[Event, telemetry.Trace | None]]) -> tuple[Any, ...]:
    ids = clock.new_ids("event", len(events))
    messages = [
        wrap(event, event.type.partition(".")[0], trace, id) for (event, trace), id in zip(events, ids, strict=True)
    ]
    check_sizes(messages)  # What no broker takes would keep the relay from sending all that stands behind it.
    topics, keys = [each.topic for each in messages], [each.key for each in messages]
    headers, values = [_encode(each.headers).decode() for each in messages], [each.value for each in messages]
    return clock.now(), topics, keys, headers, values


_HEAR = text(
    "WITH fresh AS ("
    "  INSERT INTO inbox (consumer_group, event_id, at) SELECT :group, id, :at FROM unnest(:ids ::text[]) AS id "
    "  ON CONFLICT DO NOTHING RETURNING event_id), "
    "parked AS (SELECT topic, key FROM parked_key WHERE consumer_group = :group FOR SHARE) "
    "SELECT event_id, NULL, NULL FROM fresh UNION ALL SELECT NULL, topic, key FROM parked"
)


def hear(session: Session, group: str, ids: list[str]) -> tuple[set[str], set[tuple[str, str]]]:
    """Put events into the inbox: the ids that were not there before, and the (topic, key) pairs that are parked for the group."""
    rows: Any = session.execute(_HEAR, {"group": group, "ids": sorted(ids), "at": clock.now()}).all()
    fresh = {event_id for event_id, _, _ in rows if event_id is not None}
    return fresh, {(topic, key) for event_id, topic, key in rows if event_id is None}


def purge_inbox(session: Session) -> int:
    """Forget events that the brokers forgot long ago, a bounded number at a time. Returns how many."""
    old = select(Inbox.group, Inbox.event_id).where(Inbox.at < clock.now() - INBOX_KEPT).limit(PURGE_BATCH)
    return session.execute(delete(Inbox).where(tuple_(Inbox.group, Inbox.event_id).in_(old))).rowcount
