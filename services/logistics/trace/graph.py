"""Walks from things to what they were made from, or what was made from them: pure, level by level.

A walk asks for the facts of the keys that it needs next (``needs``), is given them (``Known.take``), and goes on; what brings
the facts along, a database or a list, is not its affair. Each state of it is a thing, a role and a stretch of time:

- A *product* is what is asked about, what went into it or what came of it. Forwards it counts from when it was touched,
  so that what was made of it before plays no part; backwards until it was used up, with what lay in it at that moment.
- A *carrier* holds a product for a stretch. Only what happens to it in that stretch counts: what else lies in it is no hit.
- A *fitting* is tied to a product (a seal, a sensor), a *host* is what a product is tied to.

Steps: ``made_into`` through a run (the events of one transformationID, or one event), ``lot_of`` from a lot to its
serialised items, ``inside`` and ``attached``, and ``under`` from a paper to the things that it covers. Whether a lot is bad
in part nobody knows: all its items count, whenever they were made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec

from services.logistics.trace.facts import TRANSFORMATION, Fact
from services.logistics.trace.known import Known
from services.logistics.trace.stays import INSIDE, Stay

BEGIN, END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_MOMENT = timedelta(microseconds=1)
MOST_THINGS = 50_000
MOST_STEPS = 400_000


class Direction(StrEnum):
    """Which way a trace goes."""

    BACK = "back"
    FORWARD = "forward"


class Role(StrEnum):
    """What a thing is to a trace."""

    ROOT = "root"
    PRODUCT = "product"
    RUN = "run"
    CARRIER = "carrier"
    HOST = "host"
    FITTING = "fitting"


_WEIGHT = {Role.ROOT: 0, Role.PRODUCT: 1, Role.RUN: 2, Role.CARRIER: 3, Role.HOST: 4, Role.FITTING: 5}


class State(msgspec.Struct, frozen=True, gc=False):
    """A thing in a role, from ``since`` until before ``until``, so many levels from the roots."""

    thing: str
    role: Role
    since: datetime
    until: datetime
    level: int


class Step(msgspec.Struct, frozen=True, gc=False):
    """How one node of a trace leads to another, in the direction of the goods, by which facts, and for how long."""

    source: str
    target: str
    relation: str
    by: tuple[str, ...]
    since: datetime
    until: datetime | None = None


class Node(msgspec.Struct, gc=False):
    """A thing or a run that a trace has come to: the nearest role and level."""

    id: str
    role: Role
    level: int


class Walk:
    """One walk over what is known; ``nodes`` and ``steps`` grow until ``pending`` is empty."""

    def __init__(self, known: Known, roots: Iterable[str], direction: Direction, depth: int) -> None:
        self.known, self.direction, self.depth = known, direction, depth
        self.nodes: dict[str, Node] = {}
        self.steps: dict[tuple[str, str, str, datetime], Step] = {}
        self.is_whole = True
        self._seen: dict[tuple[str, Role], list[State]] = {}
        self.pending: list[State] = []
        for root in roots:
            self._reach(State(root, Role.ROOT, BEGIN, END, 0))

    def needs(self) -> set[str]:
        """The keys whose facts must be known before it can go on: of what is pending, and of what that touches."""
        wanted: set[str] = set()
        known = self.known
        for state in self.pending:
            if state.thing not in known.whole:
                wanted.add(state.thing)
                continue
            if state.role is Role.FITTING:
                continue
            wanted |= known.parents(state.thing)
            if state.role in (Role.ROOT, Role.PRODUCT):
                wanted |= known.children(state.thing)
            if state.role is not Role.HOST:
                made = known.consuming if self.direction is Direction.FORWARD else known.producing
                wanted.update(fact.run for fact in made.get(state.thing, []) if fact.run is not None)
        return wanted - known.whole

    def advance(self) -> None:
        """One level: everything that is pending is expanded, what it leads to is pending next."""
        states, self.pending = self.pending, []
        for state in states:
            if state.level < self.depth:
                self._expand(state)
            elif state.role is not Role.FITTING:
                self.is_whole = self.is_whole and not self._leads_on(state)

    def _leads_on(self, state: State) -> bool:
        known, thing = self.known, state.thing
        made = known.consuming if self.direction is Direction.FORWARD else known.producing
        return bool(made.get(thing) or known.within.get(thing) or known.around.get(thing))

    def _reach(self, state: State) -> None:
        key = (state.thing, Role.PRODUCT if state.role is Role.ROOT else state.role)
        seen = self._seen.setdefault(key, [])
        if any(one.since <= state.since and state.until <= one.until for one in seen):
            return
        if len(self.nodes) >= MOST_THINGS or len(self.steps) >= MOST_STEPS:
            self.is_whole = False
            return
        seen.append(state)
        self._note(state.thing, state.role, state.level)
        self.pending.append(state)

    def _note(self, id: str, role: Role, level: int) -> None:
        node = self.nodes.setdefault(id, Node(id, role, level))
        if _WEIGHT[role] < _WEIGHT[node.role]:
            node.role = role
        node.level = min(node.level, level)

    def _step(self, step: Step) -> None:
        self.steps.setdefault((step.source, step.target, step.relation, step.since), step)

    def _expand(self, state: State) -> None:
        if state.role is Role.FITTING:
            return
        is_product = state.role in (Role.ROOT, Role.PRODUCT)
        if state.role is not Role.HOST:
            self._expand_runs(state)
        if is_product:
            self._expand_lots(state)
            self._expand_contents(state)
        if state.role is Role.ROOT:
            self._expand_papers(state)
        self._expand_parents(state)

    def _expand_runs(self, state: State) -> None:
        """Forwards: what it went into while it counted. Backwards: what it came out of before it was used up."""
        if self.direction is Direction.FORWARD:
            for fact in self.known.consuming.get(state.thing, []):
                if state.since <= fact.at <= state.until:
                    run = self._join_run(fact, state.level)
                    self._step(Step(state.thing, run, "made_into", (fact.id,), fact.at))
        else:
            for fact in self.known.producing.get(state.thing, []):
                if fact.at <= state.until:
                    run = self._join_run(fact, state.level)
                    self._step(Step(run, state.thing, "made_into", (fact.id,), fact.at))

    def _join_run(self, fact: Fact, level: int) -> str:
        run = fact.run or fact.event_id
        if run in self.nodes and self.nodes[run].role is Role.RUN:
            return run
        self._note(run, Role.RUN, level + 1)
        for one in self.known.run_of(fact):
            if self.direction is Direction.FORWARD:
                for name in one.produced:
                    self._step(Step(run, name, "made_into", (one.id,), one.at))
                    self._reach(State(name, Role.PRODUCT, one.at, END, level + 1))
            else:
                for name in one.consumed:
                    self._step(Step(name, run, "made_into", (one.id,), one.at))
                    self._reach(State(name, Role.PRODUCT, one.at, one.at + _MOMENT, level + 1))
        return run

    def _expand_lots(self, state: State) -> None:
        if self.direction is Direction.FORWARD:
            for thing, fact in self.known.members.get(state.thing, []):
                self._step(Step(state.thing, thing, "lot_of", (fact.id,), fact.at))
                self._reach(State(thing, Role.PRODUCT, fact.at, END, state.level + 1))
        else:
            for lot, fact in self.known.lots.get(state.thing, []):
                self._step(Step(lot, state.thing, "lot_of", (fact.id,), fact.at))
                self._reach(State(lot, Role.PRODUCT, state.since, state.until, state.level + 1))

    def _expand_contents(self, state: State) -> None:
        for child in sorted(self.known.children(state.thing)):
            for stay in self.known.stays(child):
                if stay.parent != state.thing or not _meets(stay, state.since, state.until):
                    continue
                self._step(_stay_step(stay))
                if stay.relation == INSIDE:
                    since, until = self._stretch(stay, state)
                    self._reach(State(child, Role.PRODUCT, since, until, state.level + 1))
                else:
                    self._reach(State(child, Role.FITTING, stay.since, stay.until or END, state.level + 1))

    def _stretch(self, stay: Stay, state: State) -> tuple[datetime, datetime]:
        if self.direction is Direction.FORWARD:
            return max(stay.since, state.since), END
        until = state.until if stay.until is None else min(stay.until + _MOMENT, state.until)
        return max(stay.since, state.since), until

    def _expand_parents(self, state: State) -> None:
        since = state.since if self.direction is Direction.FORWARD or state.role is Role.CARRIER else BEGIN
        for stay in self.known.stays(state.thing):
            if not (stay.since < state.until and (stay.until is None or stay.until > since)):
                continue
            self._step(_stay_step(stay))
            start, end = max(stay.since, since), min(stay.until or END, state.until)
            role = Role.HOST if stay.relation != INSIDE or state.role is Role.HOST else Role.CARRIER
            self._reach(State(stay.parent, role, start, end, state.level + 1))

    def _expand_papers(self, state: State) -> None:
        for fact in self.known.under.get(state.thing, []):
            for name in dict.fromkeys(_covered(fact)):
                self._step(Step(state.thing, name, "under", (fact.id,), fact.at))
                until = END if self.direction is Direction.FORWARD else fact.at + _MOMENT
                self._reach(State(name, Role.PRODUCT, fact.at, until, state.level + 1))


def _meets(stay: Stay, since: datetime, until: datetime) -> bool:
    """Whether a child was there in a stretch; one that was taken out at its very beginning, as it was used, was."""
    return stay.since < until and (stay.until is None or stay.until >= since)


def _stay_step(stay: Stay) -> Step:
    return Step(stay.thing, stay.parent, stay.relation, stay.by, stay.since, stay.until)


def _covered(fact: Fact) -> Iterator[str]:
    """What a paper covers: of an aggregation the parent, whose children follow it; of a transformation what came out."""
    if fact.type == TRANSFORMATION:
        yield from fact.produced
    elif fact.parent is not None:
        yield fact.parent
    yield from fact.things
    yield from (amount.name for amount in fact.amounts)
