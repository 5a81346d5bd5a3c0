"""The top-level resources: what the events that a caller may see are about, each once and in alphabetical order."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, select, true
from sqlalchemy.orm import Session, aliased

from chassis.auth import Caller
from services.logistics.epcis.exceptions import NoSuchResourceException
from services.logistics.epcis.fields import FIELDS
from services.logistics.epcis.identifiers import canonical
from services.logistics.epcis.model import EpcisEvent, EpcisKey
from services.logistics.epcis.preparing import write_key
from services.logistics.epcis.query.conditions import Column, Condition, Names, OneOf, Query
from services.logistics.epcis.query.names import Prefixes, expand
from services.logistics.epcis.query.patterns import Wanted
from services.logistics.epcis.query.queries import MOST_PER_PAGE
from services.logistics.epcis.query.seeing import find_few
from services.logistics.epcis.vocabulary import BIZ_STEP, DISPOSITION, Vocabulary, read_word

_FEW_THINGS, _FEW_EVENTS = 5_000, 200_000
"""Up to so many events that a caller may see, each is looked at; with more, few values are of others' events alone."""
EPC_KINDS = ("epc", "childEPC", "parentID", "inputEPC", "outputEPC")


class Resource(msgspec.Struct, frozen=True):
    """A top-level resource: the column of events that it is, or none (EPCs); ``standard`` is always there; words have a list."""

    column: Column | None
    standard: tuple[str, ...] = ()
    vocabulary: Vocabulary | None = None


RESOURCES: dict[str, Resource] = {
    "eventTypes": Resource("type", tuple(FIELDS)),
    "epcs": Resource(None),
    "bizSteps": Resource("biz_step", tuple(BIZ_STEP.words), BIZ_STEP),
    "bizLocations": Resource("biz_location"),
    "readPoints": Resource("read_point"),
    "dispositions": Resource("disposition", tuple(DISPOSITION.words), DISPOSITION),
}


def list_values(
    session: Session, resource: Resource, caller: Caller, *, after: str | None, size: int
) -> tuple[list[str], str | None]:
    """Some of the values, and the last of them if there are more: those of the standard, and those that events have."""
    size = min(size, MOST_PER_PAGE)
    told = [value for value in resource.standard if after is None or value > after]
    few = find_few(session, caller, _FEW_THINGS if resource.column is None else _FEW_EVENTS)
    each = _select_each(resource, caller, after) if few is None else _select_few(resource, few, after)
    found = session.scalars(each.limit(size + 1))
    values = sorted({*told, *found})
    return values[:size], values[size - 1] if len(values) > size else None


def see_value(session: Session, resource: Resource, given: str, caller: Caller, prefixes: Prefixes) -> str:
    """A value in the form that events are asked by. Raises NoSuchResourceException for what no event of the caller's has."""
    value = _read_value(resource, expand(given, prefixes))
    if value in resource.standard:
        return value
    named = _criterion(resource, value)
    if session.scalar(select(EpcisEvent.id).where(named, _seen(caller)).limit(1)) is None:
        raise NoSuchResourceException(f"there is no {given[:200]!r}")
    return value


def narrow(query: Query, resource: Resource, value: str) -> Query:
    """The question about one value of a resource only."""
    condition = _condition(resource, value)
    return msgspec.structs.replace(
        query, conditions=(condition, *query.conditions), digest=f"{query.digest}:{resource.column or 'epc'}={value}"
    )


def _read_value(resource: Resource, given: str) -> str:
    if resource.vocabulary is not None:
        return read_word(resource.vocabulary, given)
    return given if resource.column == "type" else canonical(given)


def _condition(resource: Resource, value: str) -> Condition:
    if resource.column is None:
        return Names(EPC_KINDS, (Wanted((write_key(value),)),))
    return OneOf(resource.column, (value,))


def _criterion(resource: Resource, value: str) -> ColumnElement[bool]:
    if resource.column is not None:
        return getattr(EpcisEvent, resource.column) == value
    return EpcisEvent.id.in_(
        select(EpcisKey.event).where(EpcisKey.key == write_key(value), EpcisKey.kind.in_(EPC_KINDS))
    )


def _seen(caller: Caller) -> ColumnElement[bool]:
    return true() if caller.is_system else EpcisEvent.visible_to(caller)


def _select_each(resource: Resource, caller: Caller, after: str | None) -> Select[tuple[str]]:
    """Each value once, by hopping from one to the next in the index rather than reading every event."""
    each = select(_next(resource, caller, after).label("value")).cte("each", recursive=True)
    last = aliased(each)
    hop = _next(resource, caller, last.c.value)
    each = each.union_all(select(hop).select_from(last).where(last.c.value.is_not(None)))
    return select(each.c.value).where(each.c.value.is_not(None))


def _select_few(resource: Resource, few: Any, after: str | None) -> Select[tuple[str]]:
    value = EpcisKey.key if resource.column is None else getattr(EpcisEvent, resource.column)
    of = EpcisKey.event == few if resource.column is None else EpcisEvent.id == few
    found = select(value).distinct().where(of, value.is_not(None)).order_by(value)
    if resource.column is None:
        found = found.where(EpcisKey.kind.in_(EPC_KINDS))
    return found if after is None else found.where(value > after)


def _next(resource: Resource, caller: Caller, after: Any) -> Any:
    value = EpcisKey.key if resource.column is None else getattr(EpcisEvent, resource.column)
    found = select(value).order_by(value).limit(1)
    if resource.column is None:
        seen = select(EpcisEvent.id).where(EpcisEvent.id == EpcisKey.event, _seen(caller)).correlate(EpcisKey).exists()
        found = found.where(EpcisKey.kind.in_(EPC_KINDS), seen)
    else:
        found = found.where(value.is_not(None), _seen(caller))
    return (found if after is None else found.where(value > after)).scalar_subquery()
