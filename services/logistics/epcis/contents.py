"""What was packed in what at a time, as far as a company knows: the aggregations that it captured or is party to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from services.logistics.base import among
from services.logistics.epcis.model import EpcisEvent, EpcisKey, EpcisParty
from services.logistics.epcis.preparing import write_key

MOST_EVENTS = 5_000
_PARENT, _CHILD = "parentID", "childEPC"


def contents_at(session: Session, links: Collection[str], *, party_id: str, at: datetime) -> dict[str, frozenset[str]]:
    """Parents among ``links`` (canonical) or of any of them, each with its children at that time; three statements at most."""
    near = _find(session, links, (_PARENT, _CHILD), party_id, at)
    if not near:
        return {}
    parents = sorted({fields["parentID"] for fields in near.values() if fields.get("parentID")})
    whole = near | _find(session, parents, (_PARENT,), party_id, at)
    children = {child for fields in whole.values() for child in fields.get("childEPCs", ())} - set(links)
    if children:
        whole |= _find(session, sorted(children), (_CHILD,), party_id, at)
    packed = fold_contents(whole)
    return {parent: packed[parent] for parent in parents if packed.get(parent)}


def fold_contents(events: Mapping[tuple[datetime, str], dict[str, Any]]) -> dict[str, frozenset[str]]:
    """The children of each parent after aggregations, by (eventTime, eventID). A child is in one parent; the last word counts."""
    within: dict[str, str] = {}
    for _, fields in sorted(events.items()):
        parent, children = fields.get("parentID"), fields.get("childEPCs", [])
        if fields["action"] == "ADD" and parent:
            within.update(dict.fromkeys(children, parent))
            continue
        gone = children or [child for child, its in within.items() if its == parent]
        for child in gone:
            if parent is None or within.get(child) == parent:
                within.pop(child, None)
    packed: dict[str, set[str]] = {}
    for child, parent in within.items():
        packed.setdefault(parent, set()).add(child)
    return {parent: frozenset(children) for parent, children in packed.items()}


def _find(
    session: Session, links: Collection[str], kinds: Collection[str], party_id: str, at: datetime
) -> dict[tuple[datetime, str], dict[str, Any]]:
    given = select(EpcisParty.event).where(EpcisParty.event == EpcisEvent.id, EpcisParty.party_id == party_id)
    keys = [write_key(link) for link in links]
    named = select(EpcisKey.event).where(among(EpcisKey.key, keys), EpcisKey.kind.in_(kinds), EpcisKey.event_time <= at)
    found = select(EpcisEvent.event_time, EpcisEvent.event_id, EpcisEvent.fields).where(
        EpcisEvent.id.in_(named),
        EpcisEvent.type == "AggregationEvent",
        EpcisEvent.action.in_(("ADD", "DELETE")),
        EpcisEvent.stands(),
        or_(EpcisEvent.owner_id == party_id, given.exists()),
    )
    rows = session.execute(found.order_by(EpcisEvent.event_time.desc()).limit(MOST_EVENTS))
    return {(row.event_time, row.event_id): row.fields for row in rows}
