"""Critical tracking events and key data elements of the food traceability rule: 21 CFR part 1, subpart S (FSMA 204).

Sources, by section: 1.1325 harvesting and cooling, 1.1330 initial packing, 1.1335 first land-based receiving, 1.1340
shipping, 1.1345 receiving, 1.1350 transformation; 1.1455(c)(3)(ii) asks for them as an electronic sortable spreadsheet. What an
event does not say is listed as missing and never made up; what growers of sprouts keep beside it, 1.1330(b), is not read. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from services.logistics.records.lines import Line, describe_place, find_making, lot_number
from services.logistics.trace.facts import TRANSFORMATION, Fact, Pairs
from services.logistics.trace.known import Known
from services.logistics.trace.places import Place

HARVESTING, COOLING, PACKING = "harvesting", "cooling", "initial packing"
LANDING, SHIPPING, RECEIVING, TRANSFORMING = "first land-based receiving", "shipping", "receiving", "transformation"
_STEPS = {
    "harvesting": HARVESTING,
    "harvest": HARVESTING,
    "cooling": COOLING,
    "initial_packing": PACKING,
    "first_land_based_receiving": LANDING,
    "landing": LANDING,
    "shipping": SHIPPING,
    "departing": SHIPPING,
    "receiving": RECEIVING,
    "accepting": RECEIVING,
}
_CODES = {"commissioning", "creating_class_instance", "packing"}
"""Steps that give a lot its code: of produce that is initial packing, of fish the first receiver on land."""
_CATCH = ("vesselCatchInformationList", "catchZone")


def name_tracking_event(fact: Fact) -> str | None:
    """Which of the seven critical tracking events an event is; None where it is none.

    A business step of the CBV or the last word of somebody's own (``https://…/harvesting``) says so; a transformation is one
    whatever its step; what gives a lot its code is initial packing, or of a catch the first receiving on land.
    """
    step = (fact.biz_step or "").replace("#", "/").replace("-", "_").rpartition("/")[2].rpartition(":")[2].lower()
    if step in _STEPS:
        return _STEPS[step]
    if fact.type == TRANSFORMATION:
        return TRANSFORMING
    if fact.type == "ObjectEvent" and fact.action == "ADD" and step in _CODES and "lotNumber" in fact.made:
        return LANDING if any(name in fact.made for name in _CATCH) else PACKING
    return None


class Sheet(msgspec.Struct, frozen=True):
    """What the elements are read from: facts, places by name, and what owners say of products: attributes by (owner, link).

    What was once looked for of a lot is kept in ``found``, as each of its rows asks for it.
    """

    known: Known
    places: Mapping[str, Place]
    products: Mapping[tuple[str, str], Mapping[str, str]]
    found: dict[tuple[str, str], Any] = {}

    def making_of(self, lot: str) -> Fact | None:
        """The event in which a lot code was given."""
        if ("", lot) not in self.found:
            self.found["", lot] = find_making(self.known, lot)
        return self.found["", lot]

    def events_before(self, lot: str, event: str) -> list[Fact]:
        """The tracking events of one kind of a lot and of what it was packed from, in order of time."""
        if (event, lot) not in self.found:
            making = self.making_of(lot)
            packed = making.consumed if making is not None and name_tracking_event(making) == PACKING else []
            facts = {fact.id: fact for name in (lot, *packed) for fact in self.known.of.get(name, [])}
            named = [fact for fact in facts.values() if name_tracking_event(fact) == event]
            self.found[event, lot] = sorted(named, key=lambda fact: fact.order)
        return self.found[event, lot]


Read = Callable[[Sheet, Line], str]
_NAMES = (
    "descriptionShort",
    "tradeItemDescription",
    "regulatedProductName",
    "functionalName",
    "speciesForFisheryStatisticsPurposesName",
)


def _lot(sheet: Sheet, line: Line) -> str:
    return lot_number(line.lot) or ""


def _product(sheet: Sheet, line: Line) -> str:
    told = sheet.products.get((line.fact.owner_id, line.product or ""), {})
    making = sheet.making_of(line.lot)
    told = told or sheet.products.get((making.owner_id if making else "", line.product or ""), {})
    name = next((told[one] for one in _NAMES if told.get(one)), "")
    return ", ".join(part for part in (name, told.get("varietyName", "")) if part)


def _quantity(sheet: Sheet, line: Line) -> str:
    return "" if line.quantity is None else f"{line.quantity:.15g}"


def _unit(sheet: Sheet, line: Line) -> str:
    return line.unit or ("EA" if line.quantity is not None else "")


def _date(sheet: Sheet, line: Line) -> str:
    return line.fact.at.isoformat()


def _here(sheet: Sheet, line: Line) -> str:
    return _describe(sheet, line.fact.read_point or line.fact.biz_location)


def _recipient(sheet: Sheet, line: Line) -> str:
    return _describe(sheet, _other(line.fact.destinations))


def _source(sheet: Sheet, line: Line) -> str:
    return _describe(sheet, _other(line.fact.sources))


def _other(pairs: Pairs) -> str | None:
    named = dict(reversed(pairs))
    return next((named[kind] for kind in ("location", "possessing_party", "owning_party") if kind in named), None)


def _lot_source(sheet: Sheet, line: Line) -> str:
    making = sheet.making_of(line.lot)
    return _describe(sheet, making.place) if making is not None else ""


def _papers(sheet: Sheet, line: Line) -> str:
    return "; ".join(f"{kind or 'document'} {uri}" for kind, uri in line.fact.papers)


def _used(sheet: Sheet, line: Line) -> str:
    """The lots that went in, with how much of each."""
    amounts = [f"{one.name}{_much(one.quantity, one.uom)}" for one in line.fact.input_amounts]
    lots: dict[str, int] = {}
    for thing in line.fact.inputs:
        known = sheet.known.lots.get(thing)
        name = known[0][0] if known else thing
        lots[name] = lots.get(name, 0) + 1
    return "; ".join([*amounts, *(f"{name} × {count}" for name, count in sorted(lots.items()))])


def _much(quantity: float | None, uom: str | None) -> str:
    return "" if quantity is None else f" × {quantity:.15g}{f' {uom}' if uom else ''}"


def _made(*names: str) -> Read:
    def read(sheet: Sheet, line: Line) -> str:
        making = sheet.making_of(line.lot)
        for fact in (line.fact, making):
            for name in names:
                if fact is not None and name in fact.made:
                    return _write(fact.made[name])
        return ""

    return read


def _write(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(_write(one) for name, one in sorted(value.items()) if name not in ("type", "@type"))
    return "; ".join(_write(one) for one in value) if isinstance(value, list) else str(value)


def _describe(sheet: Sheet, uri: str | None) -> str:
    return describe_place(sheet.places, uri)


def _said_by(event: str, read: Callable[[Sheet, Fact], str], *names: str) -> Read:
    """What the making of a lot says under some names, or else an earlier tracking event of it."""
    told = _made(*names)

    def look(sheet: Sheet, line: Line) -> str:
        if text := told(sheet, line):
            return text
        earlier = (fact for fact in sheet.events_before(line.lot, event) if fact.at <= line.fact.at)
        return next(filter(None, (read(sheet, fact) for fact in earlier)), "")

    return look


def _where(sheet: Sheet, fact: Fact) -> str:
    return _describe(sheet, fact.read_point or fact.biz_location)


def _field(sheet: Sheet, fact: Fact) -> str:
    """GS1 US maps the farm of a harvest to its readPoint and the field to its bizLocation."""
    is_both = fact.read_point is not None and fact.biz_location not in (None, fact.read_point)
    return _describe(sheet, fact.biz_location) if is_both else ""


def _when(sheet: Sheet, fact: Fact) -> str:
    return fact.at.isoformat()


def _received(sheet: Sheet, line: Line) -> str:
    """What was packed, how much of it there was and when it had been received: 1.1330(a)(1)-(3)."""
    if not (used := _used(sheet, line)):
        return ""
    earlier = [fact for fact in sheet.events_before(line.lot, RECEIVING) if fact.at <= line.fact.at]
    return "; ".join([used, *dict.fromkeys(_when(sheet, fact) for fact in earlier)]) if earlier else ""


ELEMENTS: dict[str, Read] = {
    "traceability lot code": _lot,
    "traceability lot code source": _lot_source,
    "product description": _product,
    "quantity": _quantity,
    "unit of measure": _unit,
    "date": _date,
    "location": _here,
    "immediate subsequent recipient": _recipient,
    "immediate previous source": _source,
    "lots used": _used,
    "food received": _received,
    "farm": _said_by(HARVESTING, _where, "farmList", "farmIdentification"),
    "field or growing area": _said_by(HARVESTING, _field, "growingArea", "fieldName", "harvestArea"),
    "harvester": _made("harvester", "harvesterName"),
    "harvest date": _said_by(
        HARVESTING, _when, "harvestEndDate", "harvestDateEnd", "harvestStartDate", "harvestDateStart"
    ),
    "cooling location": _said_by(COOLING, _where, "coolingLocation"),
    "cooling date": _said_by(COOLING, _when, "coolingDate"),
    "catch": _made(*_CATCH),
    "reference documents": _papers,
}
_ALWAYS = ("product description", "quantity", "unit of measure", "date", "location", "reference documents")
_CODED = (*_ALWAYS, "traceability lot code", "traceability lot code source")
WANTED: dict[str, tuple[str, tuple[str, ...]]] = {
    HARVESTING: ("1.1325(a)", (*_ALWAYS, "immediate subsequent recipient", "field or growing area")),
    COOLING: ("1.1325(b)", (*_ALWAYS, "immediate subsequent recipient", "farm")),
    PACKING: ("1.1330", (*_CODED, "food received", "farm", "field or growing area", "harvester", "harvest date")),
    LANDING: ("1.1335", (*_CODED, "catch", "harvest date")),
    SHIPPING: ("1.1340", (*_CODED, "immediate subsequent recipient")),
    RECEIVING: ("1.1345", (*_CODED, "immediate previous source")),
    TRANSFORMING: ("1.1350", (*_CODED, "lots used")),
}
"""Tracking event to its section and the elements that it must have; cooling is named only where there was any."""
_OF_INGREDIENTS = ("traceability lot code", "product description", "quantity", "unit of measure")
"""What 1.1350(a)(1) asks of each lot that went in."""
HEADINGS = (
    "tracking event",
    "21 CFR",
    "GTIN",
    *ELEMENTS,
    "missing",
    "role in transformation",
    "captured by",
    "event id",
)
NUMBERS = tuple(name == "quantity" for name in HEADINGS)


def write_rows(sheet: Sheet, lines: Iterable[Line]) -> Iterable[list[str]]:
    """The rows under ``HEADINGS``: one for each lot of each tracking event."""
    for line in lines:
        event = name_tracking_event(line.fact)
        if event is None:
            continue
        section, wanted = WANTED[event]
        role = _role(line) if line.fact.type == TRANSFORMATION else ""
        if role == "used" and event != TRANSFORMING:
            continue  # what was packed stands in the row of its pack, under what was received
        wanted = _OF_INGREDIENTS if role == "used" else wanted
        told = {name: read(sheet, line) for name, read in ELEMENTS.items()}
        missing = [name for name in wanted if not told[name]]
        tail = ["; ".join(missing), role, line.fact.owner_id, line.fact.event_id]
        yield [event, section, line.product or "", *told.values(), *tail]


def _role(line: Line) -> str:
    named = {line.lot, *line.things}
    return (
        "used" if named.intersection(line.fact.consumed) else "made" if named.intersection(line.fact.produced) else "in"
    )
