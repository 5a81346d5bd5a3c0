"""The facts that a trace has loaded so far, by what they name and in which part."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from services.logistics.trace.facts import AGGREGATION, ASSOCIATION, TRANSFORMATION, Fact
from services.logistics.trace.stays import Stay, fold_stays

_BONDS = (AGGREGATION, ASSOCIATION)


class Known:
    """Facts by thing; ``whole`` are the keys of which every fact is here."""

    def __init__(self) -> None:
        self.facts: dict[str, Fact] = {}
        self.whole: set[str] = set()
        self.of: dict[str, list[Fact]] = defaultdict(list)
        self.within: dict[str, list[Fact]] = defaultdict(list)
        self.around: dict[str, list[Fact]] = defaultdict(list)
        self.consuming: dict[str, list[Fact]] = defaultdict(list)
        self.producing: dict[str, list[Fact]] = defaultdict(list)
        self.runs: dict[str, list[Fact]] = defaultdict(list)
        self.members: dict[str, list[tuple[str, Fact]]] = defaultdict(list)
        self.lots: dict[str, list[tuple[str, Fact]]] = defaultdict(list)
        self.under: dict[str, list[Fact]] = defaultdict(list)
        self._stays: dict[str, list[Stay]] = {}

    def take(self, keys: Iterable[str], facts: Iterable[Fact]) -> None:
        """Everything that there is about ``keys``."""
        self.whole.update(keys)
        for fact in facts:
            if fact.id not in self.facts:
                self.facts[fact.id] = fact
                self._index(fact)

    def _index(self, fact: Fact) -> None:
        for name in dict.fromkeys(fact.named):
            self.of[name].append(fact)
            self._stays.pop(name, None)
        if fact.type in _BONDS and fact.parent is not None:
            self.around[fact.parent].append(fact)
            if fact.clears:
                for name in self.children(fact.parent):
                    self._stays.pop(name, None)
            for name in (*fact.things, *(amount.name for amount in fact.amounts)):
                self.within[name].append(fact)
        if fact.type == TRANSFORMATION:
            self._index_making(fact)
        for thing, lot in fact.lots.items():
            self.members[lot].append((thing, fact))
            self.lots[thing].append((lot, fact))
        for _, paper in fact.papers:
            self.under[paper].append(fact)

    def _index_making(self, fact: Fact) -> None:
        for name in fact.consumed:
            self.consuming[name].append(fact)
        for name in fact.produced:
            self.producing[name].append(fact)
        self.runs[fact.run or fact.event_id].append(fact)

    def stays(self, thing: str) -> list[Stay]:
        """Where a thing was inside or tied to; its own facts and those of its parents must be here."""
        if thing not in self._stays:
            named = self.within.get(thing, [])
            parents = {fact.parent for fact in named if fact.parent is not None}
            clears = [fact for parent in sorted(parents) for fact in self.around[parent] if fact.clears]
            ends = [fact for fact in self.of.get(thing, []) if fact.type == "ObjectEvent"]
            self._stays[thing] = fold_stays(thing, [*named, *clears, *ends]) if named else []
        return self._stays[thing]

    def parents(self, thing: str) -> set[str]:
        """What it was ever said to be in or on."""
        return {fact.parent for fact in self.within.get(thing, []) if fact.parent not in (None, thing)}  # type: ignore[misc]

    def children(self, parent: str) -> set[str]:
        """What was ever said to be in or on it."""
        return {
            name
            for fact in self.around.get(parent, [])
            for name in (*fact.things, *(amount.name for amount in fact.amounts))
            if name != parent
        }

    def run_of(self, fact: Fact) -> list[Fact]:
        """The events that are one transformation with this one: those of its transformationID, or it alone."""
        return self.runs[fact.run] if fact.run is not None else [fact]
