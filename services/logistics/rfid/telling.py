"""The EPCIS events that a passage is: one for each way that things went, and one for each pallet. Pure; the same passage gives
the same events, and with them the same hash ids, on every machine (RFID.md 4.5).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from services.logistics.epcis.commands import Thing
from services.logistics.epcis.contexts import STANDARD
from services.logistics.epcis.event_hash import hash_event
from services.logistics.epcis.fields import Event
from services.logistics.epcis.object_event import name_transactions, write_time
from services.logistics.epcis.read_json import read_event
from services.logistics.rfid.stages.directions import Direction
from services.logistics.rfid.stages.pallets import Pallet, Verdict
from services.logistics.warehouses.rules import GateRules, Paper


class Passed(msgspec.Struct, frozen=True, order=True):
    """A thing that passed, by its canonical link: which way, and the piece and the papers that it stands for."""

    link: str
    direction: Direction
    piece_id: str | None = None
    delivery_id: str | None = None
    deal_id: str | None = None

    @property
    def thing(self) -> Thing:
        """The thing as the event keeps it."""
        return Thing(self.link, self.piece_id, self.delivery_id, self.deal_id)


class Told(msgspec.Struct, frozen=True):
    """An EPCIS event of a passage, which way it went, and what it is about."""

    event: Event
    direction: Direction
    things: tuple[Thing, ...]

    @property
    def id(self) -> str:
        """Its hash id."""
        return str(self.event.fields["eventID"])


def tell_passage(
    *,
    gate_id: str,
    warehouse_id: str,
    at: datetime,
    rules: GateRules,
    passed: Collection[Passed],
    pallets: Iterable[Pallet],
    kinds: Mapping[str, str],
) -> list[Told]:
    """The events of what passed, closed at ``at``; none when nothing did that has a name.

    ``kinds`` says of a pallet's parent that things of other classes, or more things, came along.
    """
    by_link = {one.link: one for one in passed}
    whole = [one for one in pallets if one.verdict != Verdict.READ_ONLY]
    told = []
    for direction in Direction:
        going = [one for one in by_link.values() if one.direction == direction]
        paper = Paper.DELIVERY if any(one.delivery_id for one in going) else Paper.NONE
        step, disposition = rules.find_meaning(direction, paper)
        where = {
            "eventTime": write_time(at),
            "eventTimeZoneOffset": "+00:00",
            "action": "OBSERVE",
            "bizStep": step,
            "disposition": disposition,
            "readPoint": {"id": f"urn:haihe:gate:{gate_id}"},
            "bizLocation": {"id": f"urn:haihe:warehouse:{warehouse_id}"} if direction == Direction.IN else None,
        }
        packed: set[str] = set()
        for pallet in whole:
            if way_of(pallet, by_link) == direction:
                members = [by_link[link] for link in (pallet.parent, *pallet.moved) if link in by_link]
                told.append(_tell_pallet(pallet, members, where, direction, kinds.get(pallet.parent)))
                packed.update(one.link for one in members)
        if loose := sorted(one for one in going if one.link not in packed):
            told.append(_tell(where | {"epcList": [one.link for one in loose]}, "ObjectEvent", loose, direction))
    return told


def way_of(pallet: Pallet, by_link: Mapping[str, Passed]) -> Direction | None:
    """Which way a pallet went: as its own tag, or else as most of what is on it; None when nothing of it passed."""
    if pallet.parent in by_link:
        return by_link[pallet.parent].direction
    ways = Counter(by_link[link].direction for link in pallet.moved if link in by_link)
    return max(sorted(ways), key=lambda way: ways[way], default=None)


def _tell_pallet(
    pallet: Pallet, members: list[Passed], where: dict[str, Any], direction: Direction, kind: str | None
) -> Told:
    found = [pallet.verdict.value, *([kind] if kind else [])]
    document = where | {
        "parentID": pallet.parent,
        "childEPCs": sorted(pallet.moved),
        "persistentDisposition": {"set": sorted(set(found))},
    }
    return _tell(document, "AggregationEvent", members, direction)


def _tell(document: dict[str, Any], kind: str, things: list[Passed], direction: Direction) -> Told:
    papers = {paper for one in things for paper in name_transactions(one.delivery_id, one.deal_id)}
    listed = [{"type": type_, "bizTransaction": uri} for type_, uri in sorted(papers)]
    given = {"@context": [STANDARD], "type": kind, **document, "bizTransactionList": listed}
    event = read_event({name: value for name, value in given.items() if value not in (None, [])}, {}, "$")
    event.fields["eventID"] = hash_event(event)
    return Told(event, direction, tuple(one.thing for one in sorted(things)))
