"""The parameters about extension fields: at the top of an event, in its ILMD, error declaration, sensor data or places, and
anywhere below (``INNER_``)."""

from __future__ import annotations

import re

from services.logistics.epcis.query.conditions import (
    Compares,
    Condition,
    Flag,
    Holds,
    Instant,
    Number,
    Operand,
    Written,
)
from services.logistics.epcis.query.given import Asked, Given, find_number, mend_offset, read_flag, read_list, read_text
from services.logistics.epcis.query.names import Prefixes, expand, read_name
from services.logistics.epcis.query.refusing import refuse
from services.logistics.epcis.times import read_time

SCOPES = {
    "": "@",
    "ILMD_": "@.ilmd",
    "ERROR_DECLARATION_": "@.errorDeclaration",
    "SENSORELEMENT_": "@.sensorElementList[*]",
    "SENSORMETADATA_": "@.sensorElementList.sensorMetadata",
    "SENSORREPORT_": "@.sensorElementList.sensorReport[*]",
    "readPoint_": "@.readPoint",
    "bizLocation_": "@.bizLocation",
}
"""Where a field stands, by what the parameter says in front of its name."""
_PATTERN = re.compile(
    rf"(?P<op>EQ|GT|GE|LT|LE|EXISTS)_(?P<inner>INNER_)?(?P<scope>{'|'.join(filter(None, SCOPES))})?(?P<field>.+)"
)
_INNER = '.keyvalue() ? (@.key starts with "{").value.**.%'


def parse_extension(parameter: str, given: Given, prefixes: Prefixes) -> Condition | None:
    """The condition of a parameter about an extension field. Raises QueryParameterException for what is none."""
    found = _PATTERN.fullmatch(parameter)
    if found is None or not (":" in found["field"] or (found["inner"] and found["field"].startswith("#"))):
        refuse(parameter, "is no parameter of the query language")
    name = read_name(parameter, found["field"], prefixes)
    base = SCOPES[found["scope"] or ""]
    place = base + (_INNER if found["inner"] else ".%")
    if found["op"] == "EXISTS":
        return Holds((place,), None, name) if read_flag(parameter, given) else None
    if found["op"] == "EQ":
        operands = tuple(_read_equal(parameter, value, prefixes) for value in read_list(parameter, given))
    else:
        operands = (_read_ordered(parameter, given),)
    places = (place, f'{place}."#text"')
    return Holds(places, Compares(found["op"], operands), name) if operands else None  # type: ignore[arg-type]


def _read_equal(parameter: str, value: object, prefixes: Prefixes) -> Operand:
    if isinstance(value, bool):
        return Flag(value)
    if isinstance(value, (int, float)) and (number := find_number(value)) is not None:
        return Number(number)
    text = read_text(parameter, value)
    return Written(tuple(dict.fromkeys((text, expand(text, prefixes)))))


def _read_ordered(parameter: str, given: Given) -> Operand:
    value = given.text if isinstance(given, Asked) else given
    if (number := find_number(value)) is not None:
        return Number(number)
    if (at := read_time(mend_offset(value) if isinstance(given, Asked) else value)) is None:
        refuse(parameter, "takes a number or a time with its offset")
    return Instant(at)
