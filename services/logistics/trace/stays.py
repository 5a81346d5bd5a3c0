"""Where a thing was inside, folded from events: pure, and by (eventTime, eventID), so the order of arrival plays no part.

The rules, after EPCIS 2.0, 7.4.3 and 7.4.6:

- An AggregationEvent with ADD puts its children into the parent; OBSERVE says that they are there, and so begins a stay
  that nobody told the beginning of.
- A single thing is directly in one parent at a time: the next word moves it. Of a class there is as much in a parent as
  was put in less what was taken out; where an amount is not said, it is there until it is said to be out.
- DELETE takes the named children out of that parent, and all of them where it names none. A thing whose own life ends (an
  ObjectEvent with DELETE) is nowhere from then on.
- An AssociationEvent ties in the same way, but a thing may be tied to several others.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from services.logistics.trace.facts import AGGREGATION, ASSOCIATION, Amount, Fact

INSIDE, ATTACHED = "inside", "attached"
_RELATIONS = {AGGREGATION: INSIDE, ASSOCIATION: ATTACHED}
_NOTHING = 1e-9


class Stay(msgspec.Struct, frozen=True, gc=False):
    """A thing in (or on) a parent from ``since`` until before ``until``, None while it lasts; by the facts of ``by``."""

    thing: str
    parent: str
    relation: str
    since: datetime
    until: datetime | None
    by: tuple[str, ...]

    def covers(self, at: datetime) -> bool:
        """Whether it lasts at a time."""
        return self.since <= at and (self.until is None or at < self.until)


def fold_stays(thing: str, facts: Iterable[Fact]) -> list[Stay]:
    """The stays of a thing or class in order of time, from the facts that name it and those that clear its parents."""
    ordered = sorted({fact.id: fact for fact in facts}.values(), key=lambda fact: fact.order)
    found = [
        stay
        for type, relation in _RELATIONS.items()
        for stay in _Fold(thing, relation).stays([fact for fact in ordered if fact.type in (type, "ObjectEvent")])
    ]
    return sorted(found, key=lambda stay: (stay.since, stay.parent))


class _Open(msgspec.Struct):
    """A stay that lasts; ``left`` is how much of a class is there, None where nobody said."""

    since: datetime
    by: list[str]
    left: float | None = None


class _Fold:
    def __init__(self, thing: str, relation: str) -> None:
        self.thing, self.relation = thing, relation
        self.open: dict[tuple[str, str | None], _Open] = {}
        self.done: list[Stay] = []

    def stays(self, facts: Iterable[Fact]) -> list[Stay]:
        for fact in facts:
            if fact.type == "ObjectEvent":
                if fact.action == "DELETE" and self.thing in fact.things:
                    self._end([*self.open], fact)
            elif fact.parent not in (None, self.thing):
                self._take(fact, fact.parent)
        for (parent, _), held in self.open.items():
            self.done.append(Stay(self.thing, parent, self.relation, held.since, None, tuple(held.by)))
        return self.done

    def _take(self, fact: Fact, parent: Any) -> None:
        if fact.clears:
            self._end([key for key in self.open if key[0] == parent], fact)
        if self.thing in fact.things:
            self._take_thing(fact, parent)
        for amount in fact.amounts:
            if amount.name == self.thing:
                self._take_amount(fact, parent, amount)

    def _take_thing(self, fact: Fact, parent: str) -> None:
        key = (parent, None)
        if fact.action == "DELETE":
            self._end([key], fact)
        elif key not in self.open:
            if self.relation == INSIDE:
                self._end([*self.open], fact)
            self.open[key] = _Open(fact.at, [fact.id])

    def _take_amount(self, fact: Fact, parent: str, amount: Amount) -> None:
        key = (parent, amount.uom or "")
        held = self.open.get(key)
        if held is None:
            if fact.action != "DELETE":
                self.open[key] = _Open(fact.at, [fact.id], amount.quantity)
        elif fact.action == "ADD":
            known = held.left is not None and amount.quantity is not None
            held.left = held.left + amount.quantity if known else None
            held.by.append(fact.id)
        elif fact.action == "DELETE":
            self._take_out(fact, key, held, amount.quantity)

    def _take_out(self, fact: Fact, key: tuple[str, str | None], held: _Open, quantity: float | None) -> None:
        if quantity is None:
            self._end([key], fact)
        elif held.left is not None:
            held.left -= quantity
            if held.left <= _NOTHING:
                self._end([key], fact)

    def _end(self, keys: list[tuple[str, str | None]], fact: Fact) -> None:
        for key in keys:
            held = self.open.pop(key, None)
            if held is not None and held.since < fact.at:
                by = (*held.by, fact.id)
                self.done.append(Stay(self.thing, key[0], self.relation, held.since, fact.at, by))
