"""The chain of custody of a thing: the events that name it, and those that name what it was packed in while it was in there.

Computed from the giver's own events, level by level, with two statements a level whatever the number of shares and things.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from sqlalchemy import text
from sqlalchemy.orm import Session

DEEPEST = 12
"""Packages within packages; what is deeper is not followed."""
BEGINNING, END = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


class Stay(msgspec.Struct, frozen=True, order=True):
    """A thing that a share follows from ``since`` until before ``until``."""

    share: str
    key: str
    since: datetime
    until: datetime


class Move(msgspec.Struct, frozen=True, order=True):
    """A thing was put into a parent, taken out of it (``DELETE``), or everything was."""

    at: datetime
    parent: str
    child: str | None
    action: str


_MOVES = text("""
SELECT k.key AS child, p.key AS parent, e.event_time AS at, e.action AS action
FROM unnest(CAST(:keys AS text[])) AS wanted (key)
JOIN epcis_key k ON k.key = wanted.key AND k.kind IN ('childEPC', 'childEPCClass')
JOIN epcis_event e ON e.id = k.event AND e.owner_id = :giver AND NOT e.is_error
    AND e.type IN ('AggregationEvent', 'AssociationEvent')
JOIN epcis_key p ON p.event = e.id AND p.kind = 'parentID'
WHERE NOT EXISTS (SELECT 1 FROM epcis_event w WHERE w.event_id = e.event_id AND w.owner_id = e.owner_id AND w.is_error)
""")
_EMPTIED = text("""
SELECT NULL AS child, k.key AS parent, e.event_time AS at, e.action AS action
FROM unnest(CAST(:keys AS text[])) AS wanted (key)
JOIN epcis_key k ON k.key = wanted.key AND k.kind = 'parentID'
JOIN epcis_event e ON e.id = k.event AND e.owner_id = :giver AND NOT e.is_error AND e.action = 'DELETE'
    AND e.type IN ('AggregationEvent', 'AssociationEvent')
WHERE NOT EXISTS (SELECT 1 FROM epcis_key c WHERE c.event = e.id AND c.kind IN ('childEPC', 'childEPCClass'))
    AND NOT EXISTS (SELECT 1 FROM epcis_event w WHERE w.event_id = e.event_id AND w.owner_id = e.owner_id AND w.is_error)
""")


def follow_chains(session: Session, giver: str, keys: Mapping[str, str]) -> list[Stay]:
    """The stays of shares, given as {share: key}: the thing itself for ever, and each package while it held the one within."""
    stays = {Stay(share, key, BEGINNING, END) for share, key in keys.items()}
    fresh = set(stays)
    for _ in range(DEEPEST):
        moves = _find_moves(session, giver, {stay.key for stay in fresh})
        fresh = {found for stay in fresh for found in find_packages(stay, moves)} - stays
        if not fresh:
            break
        stays |= fresh
    return sorted(stays)


def find_packages(stay: Stay, moves: Sequence[Move]) -> Iterable[Stay]:
    """The parents that a thing was in during a stay, each for as long as it was in there. Pure.

    Where it was put in twice without being taken out, it moved on: the second parent holds it from then.
    """
    inside: tuple[str, datetime] | None = None
    for move in sorted(moves):
        is_in = inside is not None and inside[0] == move.parent
        if move.child not in (stay.key, None) or (move.child is None and not is_in):
            continue
        if inside is not None:
            yield from _within(stay, inside[0], inside[1], move.at)
            inside = None
        if move.action != "DELETE" and move.child is not None:
            inside = (move.parent, move.at)
    if inside is not None:
        yield from _within(stay, inside[0], inside[1], END)


def _within(stay: Stay, parent: str, since: datetime, until: datetime) -> Iterable[Stay]:
    since, until = max(since, stay.since), min(until, stay.until)
    if since <= until:
        yield Stay(stay.share, parent, since, until)


def _find_moves(session: Session, giver: str, keys: Collection[str]) -> list[Move]:
    rows = session.execute(_MOVES, {"giver": giver, "keys": sorted(keys)}).all()
    parents = sorted({row.parent for row in rows})
    rows += session.execute(_EMPTIED, {"giver": giver, "keys": parents}).all() if parents else []
    return [Move(row.at, row.parent, row.child, row.action) for row in rows]
