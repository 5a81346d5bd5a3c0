"""Runs walks over the event store: level by level, as far as the caller may see."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.problems import Invalid
from services.logistics.epcis.named_events import find_naming_events
from services.logistics.trace.facts import read_fact
from services.logistics.trace.graph import Direction, Walk
from services.logistics.trace.known import Known

MOST_EVENTS = 100_000


class TraceTooLarge(Invalid):
    """More events belong to this than one trace takes in: ask for fewer levels, one direction or a lot instead of a product."""


def run_walks(
    session: Session,
    caller: Caller,
    roots: Collection[str],
    *,
    directions: Sequence[Direction],
    at: datetime | None,
    depth: int,
) -> tuple[Known, list[Walk]]:
    """What a trace from ``roots`` comes to in each direction, by events up to ``at``.

    Two statements bring the events of all keys that the walks need next; a level needs that once or twice. Raises
    TraceTooLarge.
    """
    known = Known()
    walks = [Walk(known, roots, direction, depth) for direction in directions]
    while any(walk.pending for walk in walks):
        if wanted := set().union(*(walk.needs() for walk in walks)):
            load_facts(session, caller, known, wanted, at)
        else:
            for walk in walks:
                walk.advance()
    return known, walks


def load_facts(session: Session, caller: Caller, known: Known, keys: Collection[str], at: datetime | None) -> None:
    """Make everything known that the caller may see of some keys. A misshapen event is passed over."""
    if len(known.facts) + len(known.whole) + len(keys) > 2 * MOST_EVENTS:
        raise TraceTooLarge(f"there are more than {MOST_EVENTS}")
    facts = []
    for id, event_id, time, type, owner_id, fields in find_naming_events(
        session, caller, keys, until=at, known=known.facts.keys(), limit=MOST_EVENTS
    ):
        try:
            facts.append(read_fact(id=id, event_id=event_id, at=time, type=type, owner_id=owner_id, fields=fields))
        except msgspec.ValidationError:
            continue
    if len(facts) >= MOST_EVENTS:
        raise TraceTooLarge(f"there are more than {MOST_EVENTS}")
    known.take(keys, facts)
