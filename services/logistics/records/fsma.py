"""Critical tracking events and key data elements of the food traceability rule: 21 CFR part 1, subpart S (FSMA 204).

Sources, by section: 1.1325 harvesting and cooling, 1.1330 initial packing, 1.1335 first land-based receiving, 1.1340
shipping, 1.1345 receiving, 1.1350 transformation; 1.1455(b)(3) asks for them as an electronic sortable spreadsheet. What an
event does not say is listed as missing and never made up. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from services.logistics.records.lines import Line, find_making, lot_number
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
        return LANDING if "vesselCatchInformationList" in fact.made else PACKING
    return None


class Sheet(msgspec.Struct, frozen=True):
    """What the elements are read from: facts, places by name, and what owners say of products: attributes by (owner, link)."""

    known: Known
    places: Mapping[str, Place]
    products: Mapping[tuple[str, str], Mapping[str, str]]


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
    making = find_making(sheet.known, line.lot)
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
    making = find_making(sheet.known, line.lot)
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
        making = find_making(sheet.known, line.lot)
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
    """A location description as far as there is one: name, city, country and identifier (21 CFR 1.1310)."""
    if uri is None:
        return ""
    place = sheet.places.get(uri)
    said = [part for part in (place.name, place.city, place.country) if part] if place is not None else []
    return f"{', '.join(said)} ({uri})" if said else uri


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
    "farm": _made("farmList", "farmIdentification"),
    "field or growing area": _made("growingArea", "fieldName", "harvestArea"),
    "harvester": _made("harvester", "harvesterName"),
    "harvest date": _made("harvestEndDate", "harvestStartDate"),
    "cooling location": _made("coolingLocation"),
    "cooling date": _made("coolingDate"),
    "catch": _made("vesselCatchInformationList"),
    "reference documents": _papers,
}
_ALWAYS = ("product description", "quantity", "unit of measure", "date", "location", "reference documents")
_CODED = (*_ALWAYS, "traceability lot code", "traceability lot code source")
WANTED: dict[str, tuple[str, tuple[str, ...]]] = {
    HARVESTING: ("1.1325(a)", (*_ALWAYS, "immediate subsequent recipient", "field or growing area")),
    COOLING: ("1.1325(b)", (*_ALWAYS, "immediate subsequent recipient", "farm")),
    PACKING: ("1.1330", (*_CODED, "farm", "field or growing area", "harvester", "harvest date")),
    LANDING: ("1.1335", (*_CODED, "catch")),
    SHIPPING: ("1.1340", (*_CODED, "immediate subsequent recipient")),
    RECEIVING: ("1.1345", (*_CODED, "immediate previous source")),
    TRANSFORMING: ("1.1350", (*_CODED, "lots used")),
}
"""Tracking event to its section and the elements that it must have; cooling is named only where there was any."""
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
        told = {name: read(sheet, line) for name, read in ELEMENTS.items()}
        missing = [name for name in wanted if not told[name]]
        role = _role(line) if event == TRANSFORMING else ""
        tail = ["; ".join(missing), role, line.fact.owner_id, line.fact.event_id]
        yield [event, section, line.product or "", *told.values(), *tail]


def _role(line: Line) -> str:
    named = {line.lot, *line.things}
    return (
        "used" if named.intersection(line.fact.consumed) else "made" if named.intersection(line.fact.produced) else "in"
    )
