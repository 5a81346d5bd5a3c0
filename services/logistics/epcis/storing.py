"""Writes many events with a bounded number of statements: rows as arrays in binary form, taken apart by PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.logistics.epcis.model import EpcisEvent
from services.logistics.epcis.preparing import Prepared

Name = tuple[str, bool]
"""An event by its id and whether it is an error declaration, within what one company captured."""

_WRITE_EVENTS = """
INSERT INTO epcis_event (
    id, event_id, is_error, owner_id, event_time, record_time, document, type, action, biz_step, disposition, read_point,
    biz_location, transformation_id, fields, namespaces, unhashed, hash, error_time, error_reason, corrective_event_ids,
    capture_id)
SELECT id, event_id, is_error, %s ::text, event_time, %s ::timestamptz, document ::jsonb, type, action, biz_step, disposition,
    read_point, biz_location, transformation_id, fields ::jsonb, namespaces ::jsonb, unhashed ::text[], hash,
    error_time, error_reason, corrective ::text[], %s ::text
FROM unnest(%b ::text[], %b ::text[], %b ::bool[], %b ::timestamptz[], %b ::text[], %b ::text[], %b ::text[], %b ::text[],
    %b ::text[], %b ::text[], %b ::text[], %b ::text[], %b ::text[], %b ::text[], %b ::text[], %b ::text[],
    %b ::timestamptz[], %b ::text[], %b ::text[])
    WITH ORDINALITY AS row (id, event_id, is_error, event_time, document, type, action, biz_step, disposition, read_point,
        biz_location, transformation_id, fields, namespaces, unhashed, hash, error_time, error_reason, corrective, place)
ORDER BY place
ON CONFLICT (event_id, owner_id, is_error) DO NOTHING
RETURNING id
"""
_WRITE_KEYS = """
INSERT INTO epcis_key (key, kind, event_time, event)
SELECT * FROM unnest(%b ::text[], %b ::text[], %b ::timestamptz[], %b ::text[])
"""
_WRITE_THINGS = """
INSERT INTO epcis_thing (event, event_time, epc, piece_id, delivery_id, deal_id)
SELECT * FROM unnest(%b ::text[], %b ::timestamptz[], %b ::text[], %b ::text[], %b ::text[], %b ::text[])
"""
_WRITE_PARTIES = """
INSERT INTO epcis_party (party_id, event, why)
SELECT * FROM unnest(%b ::text[], %b ::text[], %b ::text[]) ON CONFLICT DO NOTHING
"""
_FIND_KEPT = """
SELECT e.event_id, e.is_error, e.id, e.hash FROM unnest(%b ::text[], %b ::bool[]) AS wanted (event_id, is_error)
JOIN epcis_event e ON e.event_id = wanted.event_id AND e.is_error = wanted.is_error AND e.owner_id = %s
"""


def write_events(
    session: Session,
    rows: Sequence[tuple[str, Prepared]],
    *,
    owner_id: str,
    at: datetime,
    capture_id: str | None,
) -> set[str]:
    """Write events under their row ids, in the order of their names so that two who write the same ones wait and do not
    deadlock; the ids of those that were not there."""
    if not rows:
        return set()
    rows = sorted(rows, key=lambda row: (row[1].event_id, row[1].is_error))
    columns = (
        [id for id, _ in rows],
        *([getattr(one, name) for _, one in rows] for name in _COLUMNS),
        [_write_array(one.unhashed) for _, one in rows],
        *([getattr(one, name) for _, one in rows] for name in ("hash", "error_time", "error_reason")),
        [_write_array(one.corrective_event_ids) for _, one in rows],
    )
    found = session.connection().exec_driver_sql(_WRITE_EVENTS, (owner_id, at, capture_id, *columns))
    return {id for (id,) in found}


_COLUMNS = (
    "event_id",
    "is_error",
    "event_time",
    "document",
    "type",
    "action",
    "biz_step",
    "disposition",
    "read_point",
    "biz_location",
    "transformation_id",
    "fields",
    "namespaces",
)


def write_keys(session: Session, rows: Iterable[tuple[str, Prepared]]) -> None:
    """Write what new events name."""
    told = [(key, kind, one.event_time, id) for id, one in rows for kind, key in one.keys]
    if told:
        session.connection().exec_driver_sql(_WRITE_KEYS, tuple(map(list, zip(*told, strict=True))))


def write_things(
    session: Session, rows: Collection[tuple[str, datetime, str, str | None, str | None, str | None]]
) -> None:
    """Write what new events are about: (event, event_time, epc, piece_id, delivery_id, deal_id)."""
    if rows:
        session.connection().exec_driver_sql(_WRITE_THINGS, tuple(map(list, zip(*rows, strict=True))))


def write_parties(session: Session, rows: Collection[tuple[str, str, str]]) -> None:
    """Write who may see which event and why: (party_id, event, why), each once."""
    if rows:
        session.connection().exec_driver_sql(_WRITE_PARTIES, tuple(map(list, zip(*sorted(rows), strict=True))))


def find_kept(session: Session, owner_id: str, names: Collection[Name]) -> dict[Name, tuple[str, str | None]]:
    """The row id and the hash of events that a company has captured before, by their names."""
    if not names:
        return {}
    columns = tuple(map(list, zip(*sorted(names), strict=True)))
    rows = session.connection().exec_driver_sql(_FIND_KEPT, (*columns, owner_id))
    return {(event_id, is_error): (id, hash) for event_id, is_error, id, hash in rows}


def find_event(session: Session, owner_id: str, event_id: str) -> EpcisEvent | None:
    """An event of a company by its id, not the declaration that it was an error."""
    query = select(EpcisEvent).where(EpcisEvent.event_id == event_id, EpcisEvent.owner_id == owner_id)
    return session.scalars(query.where(EpcisEvent.is_error.is_(False))).one_or_none()


def _write_array(texts: Sequence[str]) -> str | None:
    """A text array in PostgreSQL's own notation, as arrays of arrays must be of one length."""
    if not texts:
        return None
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"
