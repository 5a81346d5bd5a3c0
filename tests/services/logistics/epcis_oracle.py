"""Which events answer a query, said as naively as can be: an oracle that shares nothing with what it judges.

It reads the parameters themselves and events as they were captured, and knows only the few things that the tests are made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from fractions import Fraction
from typing import Any

SPACE = "https://example.com/"
THINGS = {
    "urn:epc:id:sgtin:0614141.107346.1": "https://id.gs1.org/01/10614141073464/21/1",
    "urn:epc:id:sgtin:0614141.107346.2": "https://id.gs1.org/01/10614141073464/21/2",
    "urn:epc:id:sgtin:0614141.207346.2": "https://id.gs1.org/01/20614141073461/21/2",
    "urn:epc:id:sscc:0614141.1234567890": "https://id.gs1.org/00/106141412345678908",
    "urn:epc:id:gid:95100000.12345.400": "urn:epc:id:gid:95100000.12345.400",
    "urn:example:thing": "urn:example:thing",
}
CLASSES = {
    "urn:epc:class:lgtin:0614141.107346.A1": "https://id.gs1.org/01/10614141073464/10/A1",
    "urn:epc:idpat:sgtin:0614141.107346.*": "https://id.gs1.org/01/10614141073464",
    "urn:epc:class:lgtin:4012345.012345.B": "https://id.gs1.org/01/04012345123456/10/B",
}
PATTERNS: dict[str, Callable[[str], bool]] = {
    "urn:epc:idpat:sgtin:0614141.107346.*": lambda link: (
        link
        in (
            "https://id.gs1.org/01/10614141073464/21/1",
            "https://id.gs1.org/01/10614141073464/21/2",
            "https://id.gs1.org/01/10614141073464",
        )
    ),
    "urn:epc:idpat:sgtin:0614141.*.*": lambda link: "/21/" in link or link == "https://id.gs1.org/01/10614141073464",
    "https://id.gs1.org/01/10614141073464": lambda link: link.startswith("https://id.gs1.org/01/10614141073464"),
    "urn:epc:idpat:gid:95100000.*.*": lambda link: link.startswith("urn:epc:id:gid"),
    "urn:epc:idpat:sscc:0614141.*": lambda link: "/00/" in link,
}
PLACES = {
    "urn:epc:id:sgln:0614141.07346.0": "https://id.gs1.org/414/0614141073467",
    "urn:epc:id:sgln:0614141.07346.12": "https://id.gs1.org/414/0614141073467/254/12",
    "urn:epc:id:sgln:0614141.07346.34": "https://id.gs1.org/414/0614141073467/254/34",
    "urn:example:yard": "urn:example:yard",
}
CHILDREN = {
    "https://id.gs1.org/414/0614141073467": {"https://id.gs1.org/414/0614141073467/254/12"},
    "https://id.gs1.org/414/0614141073467/254/12": {"urn:example:yard"},
}
ATTRIBUTES = {
    "https://id.gs1.org/414/0614141073467": {"urn:epcglobal:cbv:mda:city": "Tianjin"},
    "urn:example:yard": {"urn:epcglobal:cbv:mda:city": "Hamburg", "urn:example:size": "12"},
}
LISTS = {
    "MATCH_epc": ("epcList", "childEPCs"),
    "MATCH_parentID": ("parentID",),
    "MATCH_inputEPC": ("inputEPCList",),
    "MATCH_outputEPC": ("outputEPCList",),
    "MATCH_anyEPC": ("epcList", "childEPCs", "parentID", "inputEPCList", "outputEPCList"),
    "MATCH_epcClass": ("quantityList", "childQuantityList"),
    "MATCH_inputEPCClass": ("inputQuantityList",),
    "MATCH_outputEPCClass": ("outputQuantityList",),
    "MATCH_anyEPCClass": ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"),
}
QUANTITIES = LISTS["MATCH_anyEPCClass"]
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": lambda a, b: a == b,
    "GT": lambda a, b: a > b,
    "GE": lambda a, b: a >= b,
    "LT": lambda a, b: a < b,
    "LE": lambda a, b: a <= b,
}
TO_KELVIN = {
    "KEL": lambda value: value,
    "CEL": lambda value: value + Fraction("273.15"),
    "FAH": lambda value: (value + Fraction("459.67")) * 5 / 9,
}
TO_KILOGRAMS = {"KGM": Fraction(1), "GRM": Fraction(1, 1000), "TNE": Fraction(1000)}


def answers(params: dict[str, Any], event: dict[str, Any], record_time: datetime) -> bool:
    """Whether an event meets every parameter. Lists of a parameter are lists."""
    return all(_meets(name, value, event, record_time) for name, value in params.items())


def _meets(name: str, value: Any, event: dict[str, Any], record_time: datetime) -> bool:
    op, _, rest = name.partition("_")
    if op in ("HASATTR", "EQATTR"):
        return _described(name, value, event)
    match rest:
        case "eventTime":
            return COMPARE[op](datetime.fromisoformat(event["eventTime"]), datetime.fromisoformat(value))
        case "recordTime":
            return COMPARE[op](record_time, datetime.fromisoformat(value))
        case "errorDeclarationTime":
            declared = event.get("errorDeclaration", {}).get("declarationTime")
            return declared is not None and COMPARE[op](datetime.fromisoformat(declared), datetime.fromisoformat(value))
        case "errorDeclaration":
            return "errorDeclaration" in event
        case "sensorElementList":
            return "sensorElementList" in event
        case "errorReason":
            return event.get("errorDeclaration", {}).get("reason") in value
        case "action" | "bizStep" | "disposition":
            return event.get(rest) in value
        case "readPoint" | "bizLocation":
            return rest in event and _within(PLACES[event[rest]["id"]], value, deep=op == "WD")
        case "persistentDisposition_set" | "persistentDisposition_unset":
            return bool(set(event.get("persistentDisposition", {}).get(rest.rpartition("_")[2], ())) & set(value))
        case "time" | "startTime" | "endTime":
            return any(COMPARE[op](_time(one), _time(value)) for one in _sensed(event, rest))
        case "type" | "deviceID" | "stringValue":
            return any(one in value for one in _sensed(event, rest))
        case "booleanValue":
            return any(one is value for one in _sensed(event, rest))
    if name == "eventType":
        return event["type"] in value
    if name in LISTS:
        return any(_matches(link, one) for link in _links(event, LISTS[name]) for one in value)
    if name.startswith(("EQ_bizTransaction_", "EQ_source_", "EQ_destination_")):
        field, _, kind = rest.partition("_")
        return any(one.get("type") == kind and one[field] in value for one in event.get(f"{field}List", ()))
    if rest.startswith("quantity") or rest.partition("_")[0] in ("value", "minValue", "sDev", "percRank"):
        return _measured(op, rest, value, event)
    return _extended(op, rest, value, event)


def _links(event: dict[str, Any], fields: tuple[str, ...]) -> Iterator[str]:
    for field in fields:
        value = event.get(field, ())
        for one in [value] if isinstance(value, str) else value:
            text = one["epcClass"] if isinstance(one, dict) else one
            yield (THINGS | CLASSES)[text]


def _matches(link: str, wanted: str) -> bool:
    if wanted in PATTERNS:
        return PATTERNS[wanted](link)
    return (THINGS | CLASSES).get(wanted, wanted) == link


def _within(place: str, wanted: list[str], *, deep: bool) -> bool:
    found = {PLACES.get(one, one) for one in wanted}
    while deep and (more := {child for one in found for child in CHILDREN.get(one, ())} - found):
        found |= more
    return place in found


def _described(name: str, value: list[str], event: dict[str, Any]) -> bool:
    _, field, attribute = [*name.split("_", 2), ""][:3]
    if field not in event:
        return False
    known = ATTRIBUTES.get(PLACES[event[field]["id"]], {})
    return any(one in known for one in value) if not attribute else known.get(attribute) in value


def _sensed(event: dict[str, Any], field: str) -> Iterator[Any]:
    for element in event.get("sensorElementList", ()):
        for holder in (element.get("sensorMetadata", {}), *element.get("sensorReport", ())):
            if field in holder:
                yield holder[field]


def _measured(op: str, rest: str, value: Any, event: dict[str, Any]) -> bool:
    field, _, unit = rest.partition("_")
    holders = [one for name in QUANTITIES for one in event.get(name, ())]
    if field != "quantity":
        holders = [one for element in event.get("sensorElementList", ()) for one in element.get("sensorReport", ())]
    wanted = value if isinstance(value, list) else [value]
    pairs = [(one[field], one.get("uom")) for one in holders if field in one]
    return any(_compare_measured(op, field, found, uom, one, unit) for found, uom in pairs for one in wanted)


def _compare_measured(op: str, field: str, found: Any, uom: str | None, wanted: Any, unit: str) -> bool:
    left, right = Fraction(str(found)), Fraction(str(wanted))
    if not unit:
        return COMPARE[op](left, right)
    if uom in TO_KILOGRAMS and unit in TO_KILOGRAMS:
        return COMPARE[op](left * TO_KILOGRAMS[uom], right * TO_KILOGRAMS[unit])
    if uom in TO_KELVIN and unit in TO_KELVIN:
        zero = Fraction(0) if field != "sDev" else None
        left, right = TO_KELVIN[uom](left), TO_KELVIN[unit](right)
        if zero is None:
            left, right = left - TO_KELVIN[uom](Fraction(0)), right - TO_KELVIN[unit](Fraction(0))
        return COMPARE[op](left, right)
    return uom == unit and COMPARE[op](left, right)


def _extended(op: str, rest: str, value: Any, event: dict[str, Any]) -> bool:
    inner, rest = rest.startswith("INNER_"), rest.removeprefix("INNER_")
    holders, field = [event], rest
    if rest.startswith("ILMD_"):
        holders, field = [event.get("ilmd", {})], rest.removeprefix("ILMD_")
    elif rest.startswith("ERROR_DECLARATION_"):
        holders, field = [event.get("errorDeclaration", {})], rest.removeprefix("ERROR_DECLARATION_")
    elif rest.startswith("SENSORREPORT_"):
        holders = [one for element in event.get("sensorElementList", ()) for one in element.get("sensorReport", ())]
        field = rest.removeprefix("SENSORREPORT_")
    field = field.replace(f"{SPACE}#", "ex:").replace(SPACE, "ex:")
    if inner:
        found = [one for holder in holders for key, top in holder.items() if ":" in key for one in _below(top, field)]
    else:
        found = [one for holder in holders if field in holder for one in _listed(holder[field])]
    if op == "EXISTS":
        return bool(found)
    return any(_compare(op, one, each) for one in found for each in (value if isinstance(value, list) else [value]))


def _below(value: Any, field: str) -> Iterator[Any]:
    for one in _listed(value):
        if isinstance(one, dict):
            for key, inside in one.items():
                if key == field:
                    yield from _listed(inside)
                yield from _below(inside, field)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _compare(op: str, found: Any, wanted: Any) -> bool:
    if isinstance(found, dict):
        return False
    for read in (_number, _time):
        left, right = read(found), read(wanted)
        if left is not None and right is not None:
            return COMPARE[op](left, right)
    return op == "EQ" and str(found) == str(wanted)


def _number(value: Any) -> Fraction | None:
    try:
        return None if isinstance(value, bool) else Fraction(str(value))
    except ValueError:
        return None


def _time(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) and "T" in value else None
    except ValueError:
        return None
