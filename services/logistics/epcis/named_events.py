"""Finds the events that name any of many keys, by two statements whatever their number: what a trace walks over."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Text, and_, bindparam, cast, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from chassis.auth import Caller
from services.logistics.epcis.model import EpcisEvent, EpcisKey, EpcisThing
from services.logistics.epcis.preparing import write_key
from services.logistics.epcis.query.seeing import FEW_TO_READ, find_few

_THINGS = ("epc", "childEPC", "parentID", "inputEPC", "outputEPC")
_CLASSES = ("epcClass", "childEPCClass", "inputEPCClass", "outputEPCClass")
_KINDS = (*_THINGS, *_CLASSES, "transformationID", "bizTransaction", "lot")
Row = tuple[str, str, datetime, str, str, str]
"""An event's row id, eventID, time, type, owner and fields (JSON with canonical identifiers)."""


def find_naming_events(
    session: Session,
    caller: Caller,
    keys: Collection[str],
    *,
    until: datetime | None,
    known: Collection[str],
    limit: int,
) -> list[Row]:
    """What the caller may see of the events that name a key as a thing, a class, a run, a lot or a paper; at most ``limit``.

    Events that were taken back by their owner do not count, nor those after ``until`` or those whose row ids are ``known``.
    """
    keyed = select(EpcisKey.event).where(EpcisKey.key == func.any(_texts(write_key(key) for key in keys)))
    keyed = keyed.where(EpcisKey.kind.in_(_KINDS))
    if until is not None:
        keyed = keyed.where(EpcisKey.event_time <= until)
    # Who may see an event is asked once an event and not once for each of its keys.
    named = keyed.distinct().cte("named").prefix_with("MATERIALIZED")
    found = _visible(select(EpcisEvent.id).join(named, named.c.event == EpcisEvent.id), caller)
    ids = set(session.scalars(found.limit(limit + len(known)))).difference(known)
    return _read_events(session, ids) if ids else []


def _texts(values: object) -> object:
    return cast(bindparam(None, list(values), type_=ARRAY(Text), unique=True), ARRAY(Text(collation="C")))  # type: ignore[call-overload]


def _visible(query: Select[Any], caller: Caller) -> Select[Any]:
    """Those of the events that stand and that the caller may see."""
    standing = query.where(EpcisEvent.stands())
    return standing if caller.is_system else standing.where(EpcisEvent.visible_to(caller))


def _read_events(session: Session, ids: Collection[str]) -> list[Row]:
    columns = (EpcisEvent.id, EpcisEvent.event_id, EpcisEvent.event_time, EpcisEvent.type, EpcisEvent.owner_id)
    query = select(*columns, cast(EpcisEvent.fields, Text)).where(EpcisEvent.id == func.any(_texts(ids)))
    return [tuple(row) for row in session.execute(query)]  # type: ignore[misc]


def list_latest_keys(session: Session, caller: Caller, limit: int) -> list[str]:
    """The things and lots that the latest events which the caller may see are about, newest first."""
    latest = _visible(select(EpcisEvent.id, EpcisEvent.sequence), caller)
    if (few := find_few(session, caller, FEW_TO_READ)) is not None:
        latest = latest.where(EpcisEvent.id == few)
    some = latest.order_by(EpcisEvent.sequence.desc()).limit(limit).subquery()
    query = (
        select(EpcisKey.key, func.max(some.c.sequence).label("latest"))
        .join(some, some.c.id == EpcisKey.event)
        .where(EpcisKey.kind.in_((*_THINGS, *_CLASSES)), ~EpcisKey.key.startswith("sha-256;"))
        .group_by(EpcisKey.key)
        .order_by(func.max(some.c.sequence).desc(), EpcisKey.key)
        .limit(limit)
    )
    return [key for key, _ in session.execute(query)]


def epcs_of_piece(session: Session, piece_id: str) -> list[str]:
    """Every EPC that stood for a piece in an event."""
    return list(session.scalars(select(EpcisThing.epc).where(EpcisThing.piece_id == piece_id).distinct()))


_MADE = ("epc", "epcClass")
_CAME_OUT = ("outputEPC", "outputEPCClass", "lot")


def find_maker(session: Session, keys: Collection[str]) -> str | None:
    """The company that was first to record that one of these things or lots was made; None where nobody has.

    Making is an ObjectEvent with ADD, what comes out of a transformation, or serialised items that name the lot as theirs. That
    it is the first keeps the lots of a company its own when another names them later.
    """
    made = and_(EpcisKey.kind.in_(_MADE), EpcisEvent.type == "ObjectEvent", EpcisEvent.action == "ADD")
    query = (
        select(EpcisEvent.owner_id)
        .join(EpcisKey, EpcisKey.event == EpcisEvent.id)
        .where(EpcisKey.key == func.any(_texts(write_key(key) for key in keys)))
        .where(or_(made, EpcisKey.kind.in_(_CAME_OUT)), EpcisEvent.stands())
        .order_by(EpcisEvent.sequence)
        .limit(1)
    )
    return session.scalar(query)


def list_keys_between(
    session: Session, caller: Caller, *, below: str | None, since: datetime, until: datetime, limit: int
) -> list[str]:
    """The things and classes that events of a period name, as far as the caller may see them; with ``below`` only those whose
    names go on behind it, such as the lots and items of a product. At most ``limit``, in the order of their names.
    """
    query = select(EpcisKey.key).join(EpcisEvent, EpcisEvent.id == EpcisKey.event)
    for column in (EpcisKey.event_time, EpcisEvent.event_time):  # one and the same: events have an index of it
        query = query.where(column >= since, column < until)
    query = query.where(EpcisKey.kind.in_((*_THINGS, *_CLASSES)), ~EpcisKey.key.startswith("sha-256;"))
    if below is not None:
        query = query.where(EpcisKey.key >= below + "/", EpcisKey.key < below + "0")
    return list(session.scalars(_visible(query, caller).distinct().order_by(EpcisKey.key).limit(limit)))


def has_made_below(session: Session, owner_id: str, name: str) -> bool:
    """Whether a company has recorded the making of anything whose name goes on behind ``name``, such as a lot of a product."""
    made = and_(EpcisKey.kind.in_(_MADE), EpcisEvent.type == "ObjectEvent", EpcisEvent.action == "ADD")
    query = (
        select(EpcisKey.event)
        .join(EpcisEvent, EpcisEvent.id == EpcisKey.event)
        .where(or_(EpcisKey.key == name, and_(EpcisKey.key >= name + "/", EpcisKey.key < name + "0")))
        .where(or_(made, EpcisKey.kind.in_(_CAME_OUT)), EpcisEvent.owner_id == owner_id)
        .where(EpcisEvent.stands())
        .limit(1)
    )
    return session.scalar(query) is not None
