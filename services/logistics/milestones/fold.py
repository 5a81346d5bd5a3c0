"""Folds a timeline from EPCIS events: a pure function of their set, so that the order in which they came plays no part.

Events count in the order of (eventTime, eventID). A thing of the delivery that is packed takes its parent along, for as long as it
is in there; so do the parents of that. What happened to one kind of thing at one place is one milestone, however many events
told it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from services.logistics.epcis.fields import EPC_LISTS, Event
from services.logistics.milestones.codes import Code, code_of, customs_status, dcsa_code
from services.logistics.milestones.containers import container_of

DELIVERY = "urn:haihe:delivery:"
AFTERMATH = timedelta(days=1)
"""Events of things without the delivery's papers count so long after it was received; later ones are somebody's next trip."""
MOST_LEVELS = 4
_TRIP = frozenset({Code.GATE_OUT, Code.GATE_IN, Code.UNLOADED, Code.REMOVED, Code.RECEIVED})
"""What happens on the way: before the truck was loaded, and without the delivery's papers, it is of an earlier trip."""


class Told(msgspec.Struct, frozen=True):
    """An event as somebody captured it."""

    at: datetime
    event_id: str
    owner_id: str
    event: Event


class Scope(msgspec.Struct, frozen=True):
    """A delivery: its paper, the names of its pieces (with the piece of each), its containers, when its truck was loaded and when
    it was received.
    """

    delivery_id: str
    pieces: Mapping[str, str]
    containers: Collection[str] = ()
    started_at: datetime | None = None
    received_at: datetime | None = None

    @property
    def paper(self) -> str:
        """The delivery as a business transaction."""
        return DELIVERY + self.delivery_id


class Milestone(msgspec.Struct, frozen=True):
    """Something that has happened: first and last at those times, at a place, to a container or to pieces."""

    code: Code
    at: datetime
    until: datetime
    place: str | None
    container: str | None
    dcsa_code: str | None
    piece_ids: tuple[str, ...]
    event_ids: tuple[str, ...]
    told_by: tuple[str, ...]
    detail: str | None = None


class _Inside(msgspec.Struct):
    """Things of the delivery by their names, and what is in each: the pieces that move when it moves."""

    pieces: dict[str, frozenset[str]]
    packed: dict[str, set[str]]

    def pieces_in(self, name: str, level: int = 0) -> frozenset[str]:
        own = self.pieces.get(name, frozenset())
        if level == MOST_LEVELS:
            return own
        return own.union(*(self.pieces_in(child, level + 1) for child in self.packed.get(name, ())))

    def is_of_it(self, name: str) -> bool:
        return name in self.pieces or bool(self.packed.get(name))


def fold(events: Iterable[Told], scope: Scope) -> list[Milestone]:
    """The milestones of a delivery, in order of time."""
    inside = _Inside({name: frozenset({piece}) for name, piece in scope.pieces.items()}, {})
    inside.pieces |= {name: frozenset() for name in scope.containers}
    found: dict[tuple[Code, str, str], list[tuple[Told, frozenset[str]]]] = {}
    received_at = scope.received_at
    for told in sorted(events, key=lambda one: (one.at, one.event_id)):
        if not _may_count(told, scope, received_at):
            continue
        _open(told.event, inside)
        named = [name for name in names_in(told.event) if inside.is_of_it(name)]
        pieces = frozenset().union(*(inside.pieces_in(name) for name in named))
        is_its = bool(named) or scope.paper in papers_in(told.event)
        if is_its and (code := code_of(told.event)) is not None and not _is_earlier_trip(code, told, scope):
            container = next(filter(None, map(container_of, sorted(named))), None)
            found.setdefault((code, container or "", place_of(told.event) or ""), []).append((told, pieces))
            received_at = told.at if code == Code.RECEIVED else received_at
        _close(told.event, inside)
    made = [
        _milestone(code, container or None, place or None, group) for (code, container, place), group in found.items()
    ]
    return sorted(made, key=lambda one: (one.at, one.event_ids))


def names_in(event: Event) -> list[str]:
    """The things that an event names: its parent and its EPCs."""
    fields = event.fields
    parent = [fields["parentID"]] if fields.get("parentID") else []
    return [*parent, *(epc for name in EPC_LISTS for epc in fields.get(name) or ())]


def papers_in(event: Event) -> set[str]:
    """The business transactions that an event names."""
    return {paper.get("bizTransaction", "") for paper in event.fields.get("bizTransactionList") or ()}


def place_of(event: Event) -> str | None:
    """Where an event was captured, else where the things are from then on."""
    fields = event.fields
    return (fields.get("readPoint") or {}).get("id") or (fields.get("bizLocation") or {}).get("id")


def parents_in(event: Event, names: Collection[str]) -> list[str]:
    """The parent that an event packs one of the names into."""
    fields = event.fields
    if event.type != "AggregationEvent" or fields.get("action") == "DELETE" or not fields.get("parentID"):
        return []
    return [fields["parentID"]] if set(fields.get("childEPCs") or ()) & set(names) else []


def _may_count(told: Told, scope: Scope, received_at: datetime | None) -> bool:
    papers = papers_in(told.event)
    if scope.paper in papers:
        return True
    if any(paper.startswith(DELIVERY) for paper in papers):
        return False
    return received_at is None or told.at <= received_at + AFTERMATH


def _is_earlier_trip(code: Code, told: Told, scope: Scope) -> bool:
    is_before = scope.started_at is not None and told.at < scope.started_at
    return code in _TRIP and is_before and scope.paper not in papers_in(told.event)


def _open(event: Event, inside: _Inside) -> None:
    """What is packed is in its parent from now on."""
    for parent in parents_in(event, [name for name in event.fields.get("childEPCs") or () if inside.is_of_it(name)]):
        children = {name for name in event.fields["childEPCs"] if inside.is_of_it(name)}
        inside.packed.setdefault(parent, set()).update(children)


def _close(event: Event, inside: _Inside) -> None:
    """What is unpacked is not in its parent any more; without a list of children, nothing is."""
    fields = event.fields
    if event.type == "AggregationEvent" and fields.get("action") == "DELETE":
        children = set(fields.get("childEPCs") or ())
        packed = inside.packed.get(fields.get("parentID", ""), set())
        packed.difference_update(children or set(packed))


def _milestone(
    code: Code, container: str | None, place: str | None, group: list[tuple[Told, frozenset[str]]]
) -> Milestone:
    customs = next((status for told, _ in group if (status := customs_status(told.event))), None)
    return Milestone(
        code=code,
        at=group[0][0].at,
        until=group[-1][0].at,
        place=place,
        container=container,
        dcsa_code=dcsa_code(code, customs) if container else None,
        piece_ids=tuple(sorted(frozenset().union(*(pieces for _, pieces in group)))),
        event_ids=tuple(told.event_id for told, _ in group),
        told_by=tuple(sorted({told.owner_id for told, _ in group})),
    )
