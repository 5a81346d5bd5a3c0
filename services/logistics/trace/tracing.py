"""Answers where things are, what is inside them, what they were made from and what was made from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.problems import NotFound
from services.logistics.epcis.named_events import list_latest_keys
from services.logistics.trace.facts import Fact
from services.logistics.trace.graph import Direction, Node, Role, Step, Walk
from services.logistics.trace.known import Known
from services.logistics.trace.loading import run_walks
from services.logistics.trace.naming import find_roots, name_kind, write_label
from services.logistics.trace.past import Past
from services.logistics.trace.places import Place, find_places

LATEST = 100
"""How many things are offered to somebody who names none."""
DIRECTIONS = {
    "back": (Direction.BACK,),
    "forward": (Direction.FORWARD,),
    "both": (Direction.BACK, Direction.FORWARD),
}


class Traced(msgspec.Struct, frozen=True, gc=False):
    """A node of a trace. ``level`` is negative backwards; ``seen`` is the last event that says where it is or was, ``by``
    the ids of the events that name it."""

    id: str
    kind: str
    label: str
    role: str
    level: int
    seen: Fact | None
    disposition: str | None
    by: list[str]


class Trace(msgspec.Struct, frozen=True):
    """A graph of things and runs; ``visited`` are the events that say where the things asked about were, oldest first."""

    roots: list[str]
    at: datetime | None
    nodes: list[Traced]
    steps: list[Step]
    facts: dict[str, Fact]
    visited: list[Fact]
    places: dict[str, Place]
    is_whole: bool


def find_trace(
    session: Session, caller: Caller, id: str | None, *, direction: str, at: datetime | None, depth: int
) -> Trace:
    """The trace of what ``id`` names, by the events that the caller may see; without an id, what the latest are about.

    Raises NotAName, or NotFound when no event that the caller may see names it.
    """
    if id is None:
        return _list_latest(session, caller)
    roots = find_roots(session, caller, id)
    known, walks = run_walks(session, caller, roots, directions=DIRECTIONS[direction], at=at, depth=depth)
    if not known.facts:
        raise NotFound("no event that you may see names it")
    return _describe(session, known, walks, [root for root in roots if root in known.of or root in known.under], at)


def _list_latest(session: Session, caller: Caller) -> Trace:
    keys = list_latest_keys(session, caller, LATEST)
    nodes = [Traced(key, name_kind(key), write_label(key), Role.ROOT, 0, None, None, []) for key in keys]
    return Trace([], None, nodes, [], {}, [], {}, is_whole=True)


def _describe(session: Session, known: Known, walks: Sequence[Walk], roots: list[str], at: datetime | None) -> Trace:
    past = Past(known)
    nodes: dict[str, Traced] = {}
    steps: dict[tuple[str, str, str, datetime], Step] = {}
    for walk in walks:
        sign = -1 if walk.direction is Direction.BACK else 1
        for node in walk.nodes.values():
            if node.id not in nodes:
                nodes[node.id] = _describe_node(known, past, node, sign)
        steps |= walk.steps
    named = {id for node in nodes.values() for id in node.by} | {id for step in steps.values() for id in step.by}
    visited = sorted(
        {fact.id: fact for root in roots for fact in past.list_seen(root)}.values(), key=lambda one: one.order
    )
    seen = [node.seen for node in nodes.values() if node.seen is not None]
    facts = {fact.id: fact for fact in (*(known.facts[id] for id in named), *visited, *seen)}
    return Trace(
        roots=roots,
        at=at,
        nodes=sorted(nodes.values(), key=lambda node: (node.level, node.role, node.id)),
        steps=sorted(steps.values(), key=lambda step: (step.since, step.source, step.target)),
        facts=facts,
        visited=visited,
        places=find_places(session, facts.values()),
        is_whole=all(walk.is_whole for walk in walks),
    )


def _describe_node(known: Known, past: Past, node: Node, sign: int) -> Traced:
    if node.role is Role.RUN:
        events = known.runs.get(node.id, [])
        last = max(events, key=lambda fact: fact.order, default=None)
        return Traced(
            node.id, "run", _label_run(events), node.role, sign * node.level, last, None, [e.id for e in events]
        )
    own = known.of.get(node.id, [])
    last = max(own, key=lambda fact: fact.order, default=None)
    return Traced(
        id=node.id,
        kind=name_kind(node.id),
        label=write_label(node.id),
        role=node.role,
        level=sign * node.level,
        seen=past.last_seen(node.id),
        disposition=last.disposition if last is not None else None,
        by=[fact.id for fact in own],
    )


def _label_run(events: Sequence[Fact]) -> str:
    return next((fact.biz_step for fact in events if fact.biz_step), "transformation")
