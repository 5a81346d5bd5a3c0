"""The parameters about numbers with units (quantities, readings of sensors) and about the times of readings.

``GE_value_KEL=278.15`` finds what was written as 5 CEL: numbers are converted where both units measure the same thing. Each
parameter is met by itself, as the standard says: two of them need not be met by the same reading.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from services.logistics.epcis.query.conditions import Compares, Condition, Holds, Instant, Measures, Op
from services.logistics.epcis.query.given import Given, read_instant, read_list, read_number, read_numbers
from services.logistics.epcis.query.names import Prefixes

Parse = Callable[[str, Given, Prefixes], Condition | None]
PATTERN = re.compile(
    r"(?:(?P<any>EQ|GT|GE|LT|LE)_(?P<counted>quantity|value)|(?P<op>GT|GE|LT|LE)_(?P<sensed>minValue|maxValue|meanValue|sDev|percValue))"
    r"_(?P<unit>[A-Z0-9]{1,4})"
)
_REPORT = ("@.sensorElementList.sensorReport",)
_QUANTITIES = ("@.quantityList", "@.childQuantityList", "@.inputQuantityList", "@.outputQuantityList")
_TIMES = {
    "time": ("@.sensorElementList.sensorMetadata.time", "@.sensorElementList.sensorReport.time"),
    "startTime": ("@.sensorElementList.sensorMetadata.startTime",),
    "endTime": ("@.sensorElementList.sensorMetadata.endTime",),
}
_UNITLESS = ("quantity", "percRank", "sDev", "percValue")
"""What may be asked without a unit; the last two are in GS1's own conformance tests (TCR-53)."""


def parse_measure(found: re.Match[str], given: Given) -> Condition | None:
    """A parameter that ends in a unit, such as ``GE_value_CEL`` or ``LT_quantity_KGM``."""
    return _measure(found[0], found["any"] or found["op"], found["counted"] or found["sensed"], given, found["unit"])  # type: ignore[arg-type]


def _measure(parameter: str, op: Op, field: str, given: Given, unit: str | None) -> Condition | None:
    if op == "EQ":
        values = read_numbers(parameter, given)
    else:
        values = (read_number(parameter, read_list(parameter, given)[0] if _is_list(parameter, given) else given),)
    places = _QUANTITIES if field == "quantity" else _REPORT
    return Holds(places, Measures(field, op, values, unit, is_difference=field == "sDev")) if values else None


def _is_list(parameter: str, given: Given) -> bool:
    return isinstance(given, list) and len(read_list(parameter, given)) == 1


def _parse_unitless(parameter: str, given: Given, _prefixes: Prefixes) -> Condition | None:
    op, _, field = parameter.partition("_")
    return _measure(parameter, op, field, given, None)  # type: ignore[arg-type]


def _parse_time(parameter: str, given: Given, _prefixes: Prefixes) -> Condition:
    op, _, field = parameter.partition("_")
    return Holds(_TIMES[field], Compares(op, (Instant(read_instant(parameter, given)),)))  # type: ignore[arg-type]


FIXED: dict[str, Parse] = {
    "EQ_quantity": _parse_unitless,
    **{f"{op}_{field}": _parse_unitless for op in ("GT", "GE", "LT", "LE") for field in _UNITLESS},
    **{f"{op}_{field}": _parse_time for op in ("GE", "LT") for field in _TIMES},
}
