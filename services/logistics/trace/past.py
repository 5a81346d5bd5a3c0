"""Where things were last, and in whose hands, by their own events and by those of what they were in or tied to then: pure.

What is packed in a thing, or tied to one, is where that is for as long as it lasts (EPCIS 2.0, 7.4.3 and 7.4.6).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from services.logistics.trace.facts import Fact
from services.logistics.trace.graph import BEGIN, END
from services.logistics.trace.known import Known

_DEEPEST = 16
_ON_THE_WAY = frozenset({"shipping", "departing", "staging_outbound", "loading", "transporting"})
_PARTIES = ("possessing_party", "owning_party")
_OVER = frozenset({"retail_selling", "dispensing", "destroying", "killing"})


class Custody(msgspec.Struct, frozen=True):
    """In whose hands a thing is: a company of this platform by its id, or by its name (URI) what an event calls it.

    ``state`` is held, on_the_way (then ``holder`` is who it goes to) or over: sold to a consumer, dispensed, destroyed,
    used up.
    """

    holder: str
    state: str
    since: datetime
    fact: str


class Past:
    """Asks known facts for the last of a thing, its own or those of what carried it; what was found once is remembered."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._last: dict[tuple[str, datetime, Callable[[Fact], bool]], Fact | None] = {}

    def last_seen(self, thing: str) -> Fact | None:
        """The last event that says where it is or was."""
        return self._find(thing, END, _has_place, 0)

    def list_seen(self, thing: str) -> list[Fact]:
        """Every event that says where it was, in order of time."""
        return [fact for fact in self.list_all(thing) if _has_place(fact)]

    def list_all(self, thing: str) -> list[Fact]:
        """Every event of its own and of what it was in or tied to at the time, in order of time."""
        found: dict[str, Fact] = {}
        self._gather(thing, BEGIN, END, found, set(), 0)
        return sorted(found.values(), key=lambda fact: fact.order)

    def _find(self, thing: str, before: datetime, wanted: Callable[[Fact], bool], depth: int) -> Fact | None:
        key = (thing, before, wanted)
        if key not in self._last:
            self._last[key] = None  # a thing that lies in itself is met here
            own = [fact for fact in self._known.of.get(thing, []) if fact.at < before and wanted(fact)]
            found = own + [fact for fact in self._inherited(thing, before, wanted, depth) if fact is not None]
            self._last[key] = max(found, key=lambda fact: fact.order, default=None)
        return self._last[key]

    def _inherited(self, thing: str, before: datetime, wanted: Callable[[Fact], bool], depth: int) -> list[Fact | None]:
        found = []
        for stay in self._known.stays(thing) if depth < _DEEPEST else []:
            if stay.since < before:
                last = self._find(stay.parent, min(before, stay.until or END), wanted, depth + 1)
                found.append(last if last is not None and last.at >= stay.since else None)
        return found

    def _gather(
        self,
        thing: str,
        since: datetime,
        until: datetime,
        found: dict[str, Fact],
        asked: set[tuple[str, datetime, datetime]],
        depth: int,
    ) -> None:
        if (thing, since, until) in asked:
            return  # things may be tied to many that are tied to the same
        asked.add((thing, since, until))
        for fact in self._known.of.get(thing, []):
            if since <= fact.at < until:
                found[fact.id] = fact
        for stay in self._known.stays(thing) if depth < _DEEPEST else []:
            if stay.since < until and (stay.until is None or stay.until > since):
                start, end = max(since, stay.since), min(until, stay.until or END)
                self._gather(stay.parent, start, end, found, asked, depth + 1)


def _has_place(fact: Fact) -> bool:
    return fact.place is not None


def read_custody(fact: Fact, thing: str) -> Custody:
    """In whose hands an event leaves a thing: its destination's where it names one, else of whoever captured it.

    What is sold, dispensed or destroyed is so with all that is in it; that a carrier is taken out of use ends no more than that.
    """
    named = {kind: uri for kind, uri in reversed(fact.destinations)}
    to = next((named[kind] for kind in _PARTIES if kind in named), None)
    is_ended = fact.biz_step == "decommissioning" or (fact.type == "ObjectEvent" and fact.action == "DELETE")
    if fact.biz_step in _OVER or thing in fact.inputs or (is_ended and thing in fact.things):
        return Custody(fact.owner_id, "over", fact.at, fact.id)
    if to is None:
        return Custody(fact.owner_id, "held", fact.at, fact.id)
    return Custody(to, "on_the_way" if fact.biz_step in _ON_THE_WAY else "held", fact.at, fact.id)
