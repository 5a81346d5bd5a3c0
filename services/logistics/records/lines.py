"""What an event moved of each lot: the lines that records are made of. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

import msgspec

from services.logistics.epcis.digital_links import take_apart, write_link
from services.logistics.trace.facts import Amount, Fact
from services.logistics.trace.known import Known
from services.logistics.trace.naming import name_kind
from services.logistics.trace.past import Past
from services.logistics.trace.places import Place


class Line(msgspec.Struct, frozen=True):
    """An event with one lot: ``lot`` is its traceability lot code's link, or the thing itself where no lot is known.

    ``unit`` is a code of UN/ECE Recommendation 20, empty for pieces; ``quantity`` None where the event does not say.
    """

    fact: Fact
    lot: str
    product: str | None
    quantity: float | None
    unit: str
    things: tuple[str, ...] = ()

    @property
    def has_lot(self) -> bool:
        """Whether a lot is known."""
        return name_kind(self.lot) == "lot"


def list_lines(known: Known, things: Collection[str], *, since: datetime, until: datetime) -> list[Line]:
    """The lines of the events of things and lots, their own and those of what they lay in, from a time until before another.

    Serialised items of one lot in one event are one line with their number.
    """
    past, pieces = Past(known), defaultdict(list)
    facts: dict[str, Fact] = {}
    lines: list[Line] = []
    for thing in sorted(things):
        is_single = name_kind(thing) not in ("lot", "class")
        for fact in past.list_all(thing):
            if not since <= fact.at < until:
                continue
            facts[fact.id] = fact
            if is_single:
                pieces[fact.id, lot_of(known, thing)].append(thing)
            else:
                lines.extend(_amount_lines(known, fact, thing))
    for (id, lot), found in pieces.items():
        lines.append(Line(facts[id], lot, product_of(lot), float(len(found)), "", tuple(found)))
    return sorted(lines, key=lambda line: (line.fact.order, line.lot))


def _amount_lines(known: Known, fact: Fact, name: str) -> Iterator[Line]:
    amounts = [one for one in (*fact.amounts, *fact.input_amounts, *fact.output_amounts) if one.name == name]
    for amount in amounts or _carried(known, fact, name):
        yield Line(fact, name, product_of(name), amount.quantity, amount.uom or "")


def _carried(known: Known, fact: Fact, name: str) -> list[Amount]:
    """Of a lot that went along inside something: that it did, not how much, unless one event put it there."""
    put = [
        amount
        for stay in known.stays(name)
        if stay.covers(fact.at) and stay.parent in set(fact.named) and len(stay.by) <= 2
        for amount in known.facts[stay.by[0]].amounts
        if amount.name == name
    ]
    return put[:1] or [Amount(name)]


def lot_of(known: Known, thing: str) -> str:
    """The lot of a single thing by the first event that names one; the thing itself where none does."""
    found = known.lots.get(thing)
    return min(found, key=lambda pair: pair[1].order)[0] if found else thing


def product_of(name: str) -> str | None:
    """The GTIN of an item, a lot or a class; None for what has none."""
    parts = take_apart(name)
    return parts[1] if parts is not None and parts[0] == "01" else None


def lot_number(name: str) -> str | None:
    """The lot number in a link."""
    parts = take_apart(name)
    return parts[2].get("10") if parts is not None else None


def write_product(gtin: str) -> str:
    """The canonical link of a product."""
    return write_link("01", gtin, {})


def describe_place(places: Mapping[str, Place], uri: str | None) -> str:
    """A place or company as far as anybody has described it: name, address, telephone and identifier (21 CFR 1.1310)."""
    if uri is None:
        return ""
    place = places.get(uri)
    if place is None:
        return uri
    address = (place.street, place.city, place.region, place.postal_code, place.country)
    told = ", ".join(part for part in (place.name, *address, place.telephone) if part)
    return f"{told} ({uri})" if told else uri


def find_making(known: Known, lot: str) -> Fact | None:
    """The event in which a lot code was given: where it was made, or its items were."""
    made = [fact for fact in known.of.get(lot, []) if fact.action == "ADD" and fact.type == "ObjectEvent"]
    made += known.producing.get(lot, [])
    made += [fact for _, fact in known.members.get(lot, [])]
    return min(made, key=lambda fact: fact.order, default=None)
