"""Answers questions: pages of events, which of some events fit, and what was recorded since."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import wraps
from typing import ParamSpec, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Text, case, cast, func, select, tuple_
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from chassis.auth import Caller
from services.logistics.epcis.exceptions import (
    NoSuchNameException,
    QueryParameterException,
    QueryTooComplexException,
    QueryTooLargeException,
)
from services.logistics.epcis.model import EpcisEvent
from services.logistics.epcis.query.conditions import Query
from services.logistics.epcis.query.model import EndedPage, NamedQuery
from services.logistics.epcis.query.ordering import Cursor, follows, list_keys, sort_by, write_key
from services.logistics.epcis.query.seeing import count_few, find_few, is_about_things
from services.logistics.epcis.query.select import list_criteria, spell_field

PER_PAGE, MOST_PER_PAGE = 30, 1_000
MOST_PAGE_BYTES, MOST_TOLD_BYTES = 8 << 20, 1 << 20
"""Of the events of a page, and of those that are told together: there are fewer when they are large; one goes in any case."""
_CANCELLED, _BEYOND_LIMITS = "57014", "54"
_SIZE = case(
    (func.pg_column_compression(EpcisEvent.fields).is_(None), func.pg_column_size(EpcisEvent.fields)),
    else_=func.octet_length(cast(EpcisEvent.fields, Text)),
)
"""Of an event, in bytes: what is compressed may be a hundred times as large as it looks."""
P = ParamSpec("P")
T = TypeVar("T")


class EventPage(msgspec.Struct, frozen=True):
    """Some of the answers in their order, and where the next page goes on, if there is one."""

    rows: list[EpcisEvent]
    next: Cursor | None = None


def _within_time(ask: Callable[P, T]) -> Callable[P, T]:
    """A statement that the database gives up, after 15 s or for its size, was too complex a question."""

    @wraps(ask)
    def ask_in_time(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return ask(*args, **kwargs)
        except DBAPIError as error:
            if not str(getattr(error.orig, "sqlstate", None)).startswith((_CANCELLED, _BEYOND_LIMITS)):
                raise
            raise QueryTooComplexException(
                "the answer took too long: ask for less, by an EPC, a place or a time"
            ) from error

    return ask_in_time


@_within_time
def list_events(
    session: Session, query: Query, caller: Caller, *, after: Cursor | None = None, size: int = PER_PAGE
) -> EventPage:
    """A page of the events that the caller may see and that answer the question.

    Raises QueryTooLargeException when there are more than the question wants, QueryTooComplexException when they could not be
    found in time.
    """
    criteria, order = _narrow(session, query, caller), query.order
    if query.most is not None and after is None:
        _check_number(session, criteria, query.most)
    left = query.limit if after is None else after.left
    size = min(size, MOST_PER_PAGE) if left is None else min(size, MOST_PER_PAGE, left)
    keys = list_keys(order, spell_field)
    found = select(EpcisEvent.id, *keys).where(*criteria)
    if after is not None:
        try:
            found = found.where(follows(keys, order, after))
        except ValueError:
            raise QueryParameterException("nextPageToken is of another order", parameter="nextPageToken") from None
    rows = session.execute(found.order_by(*sort_by(keys, order)).limit(size + 1)).all()
    events = load_events(session, [row[0] for row in rows[:size]], MOST_PAGE_BYTES)
    left = None if left is None else left - len(events)
    has_more = len(events) < len(rows) and left != 0
    next = Cursor(write_key(rows[len(events) - 1][1:]), left) if events and has_more else None
    return EventPage(events, next)


@_within_time
def match_events(session: Session, query: Query, caller: Caller, event_ids: Collection[str]) -> list[str]:
    """The rows among these that the caller may see now and that answer the question, as they were recorded."""
    if not event_ids:
        return []
    fits = select(EpcisEvent.id).where(EpcisEvent.id.in_(list(event_ids)), *list_criteria(query, caller))
    return list(session.scalars(fits.order_by(EpcisEvent.record_time, EpcisEvent.sequence)))


@_within_time
def list_recorded(
    session: Session,
    query: Query,
    caller: Caller,
    *,
    since: datetime,
    until: datetime,
    after: tuple[datetime, int] | None = None,
    limit: int,
) -> list[EpcisEvent]:
    """The first answers that were recorded from ``since`` and before ``until``, oldest first, behind (recordTime, sequence).

    At most ``limit``, and no more than are told together.
    """
    place = (EpcisEvent.record_time, EpcisEvent.sequence)
    found = select(EpcisEvent.id).where(EpcisEvent.record_time >= since, EpcisEvent.record_time < until)
    found = found.where(*_narrow(session, query, caller))
    if after is not None:
        found = found.where(tuple_(*place) > tuple_(*after))
    return load_events(session, list(session.scalars(found.order_by(*place).limit(limit))))


@_within_time
def load_events(session: Session, ids: Sequence[str], most_bytes: int = MOST_TOLD_BYTES) -> list[EpcisEvent]:
    """The first of some events, in the order of their ids: as many as are no larger together, and one in any case."""
    if not ids:
        return []
    sizes = dict(session.execute(select(EpcisEvent.id, _SIZE).where(EpcisEvent.id.in_(ids))).all())
    kept: list[str] = []
    for id in ids:
        most_bytes -= sizes[id]
        if kept and most_bytes < 0:
            break
        kept.append(id)
    found = {row.id: row for row in session.scalars(select(EpcisEvent).where(EpcisEvent.id.in_(kept)))}
    return [found[id] for id in kept]


def see_named_query(session: Session, name: str, caller: Caller) -> NamedQuery:
    """A query of the caller's company by its name. Raises NoSuchNameException."""
    own = select(NamedQuery).where(NamedQuery.name == name, NamedQuery.visible_to(caller))
    found = session.scalars(own).one_or_none()
    if found is None:
        raise NoSuchNameException(f"there is no query {name[:100]!r}")
    return found


def list_named_queries(session: Session, caller: Caller, *, after: str | None, size: int) -> Sequence[NamedQuery]:
    """The queries of the caller's company by name, one more than ``size`` where there are more."""
    own = select(NamedQuery).where(NamedQuery.visible_to(caller))
    if after is not None:
        own = own.where(NamedQuery.name > after)
    return session.scalars(own.order_by(NamedQuery.name).limit(min(size, MOST_PER_PAGE) + 1)).all()


def is_ended(session: Session, digest: str) -> bool:
    """Whether a page was ended by its caller."""
    return session.scalar(select(EndedPage.digest).where(EndedPage.digest == digest)) is not None


def _narrow(session: Session, query: Query, caller: Caller) -> list[ColumnElement[bool]]:
    criteria = list_criteria(query, caller)
    if is_about_things(query) or (few := find_few(session, caller, count_few(query))) is None:
        return criteria
    return [EpcisEvent.id == few, *criteria]


def _check_number(session: Session, criteria: list[ColumnElement[bool]], most: int) -> None:
    some = select(EpcisEvent.id).where(*criteria).limit(most + 1).subquery()
    if (session.scalar(select(func.count()).select_from(some)) or 0) > most:
        raise QueryTooLargeException(f"there are more than {most} events", parameter="maxEventCount")
