"""The parameters about master data: ``HASATTR_field`` and ``EQATTR_field_attribute`` (also written ``EQ_ATTR_``)."""

from __future__ import annotations

from services.logistics.epcis.exceptions import QueryParameterException, QueryTooComplexException
from services.logistics.epcis.query.conditions import Condition, Described, Source
from services.logistics.epcis.query.given import Given, read_texts
from services.logistics.epcis.query.names import Prefixes, read_attribute, read_name
from services.logistics.epcis.query.refusing import refuse

_CLASSES = ("epcClass", "childEPCClass", "inputEPCClass", "outputEPCClass")
FIELDS: dict[str, Source] = {
    "bizStep": Source(columns=("biz_step",)),
    "disposition": Source(columns=("disposition",)),
    "readPoint": Source(columns=("read_point",)),
    "bizLocation": Source(columns=("biz_location",)),
    "epcList": Source(kinds=("epc",)),
    "childEPCs": Source(kinds=("childEPC",)),
    "parentID": Source(kinds=("parentID",)),
    "inputEPCList": Source(kinds=("inputEPC",)),
    "outputEPCList": Source(kinds=("outputEPC",)),
    "epcClass": Source(kinds=_CLASSES),
    "quantityList": Source(kinds=("epcClass",)),
    "childQuantityList": Source(kinds=("childEPCClass",)),
    "inputQuantityList": Source(kinds=("inputEPCClass",)),
    "outputQuantityList": Source(kinds=("outputEPCClass",)),
    "transformationID": Source(kinds=("transformationID",)),
    **dict.fromkeys(("bizTransaction", "bizTransactionList"), Source(kinds=("bizTransaction",))),
    **dict.fromkeys(("source", "sourceList"), Source(kinds=("source",))),
    **dict.fromkeys(("destination", "destinationList"), Source(kinds=("destination",))),
}
"""The fields of the standard whose values master data describes."""
MOST_READINGS = 8


def parse_has_attribute(parameter: str, given: Given, prefixes: Prefixes) -> Condition | None:
    """``HASATTR_field``: its values are names of attributes."""
    source = _read_source(parameter, parameter.removeprefix("HASATTR_"), prefixes)
    names = tuple(name for text in read_texts(parameter, given) for name in read_attribute(text, prefixes))
    return Described(((source, names),), None) if names else None


def parse_equal_attribute(parameter: str, given: Given, prefixes: Prefixes) -> Condition | None:
    """``EQATTR_field_attribute``: its values are values of the attribute.

    Names may have underscores themselves; a parameter is then read in each way that makes sense.
    """
    rest = parameter.removeprefix("EQATTR_").removeprefix("EQ_ATTR_")
    places = [place for place, mark in enumerate(rest) if mark == "_" and 0 < place < len(rest) - 1]
    standard = [place for place in places if rest[:place] in FIELDS]
    readings = []
    for place in standard or places:
        try:
            readings.append(
                (_read_source(parameter, rest[:place], prefixes), read_attribute(rest[place + 1 :], prefixes))
            )
        except QueryParameterException:
            continue
    if not readings:
        refuse(parameter, "names no field with an attribute")
    if len(readings) > MOST_READINGS:
        raise QueryTooComplexException(f"{parameter[:200]} can be read in more than {MOST_READINGS} ways")
    values = read_texts(parameter, given)
    return Described(tuple(readings), values) if values else None


def _read_source(parameter: str, field: str, prefixes: Prefixes) -> Source:
    if field in FIELDS:
        return FIELDS[field]
    if ":" not in field:
        refuse(parameter, "names no field that master data describes")
    return Source(name=read_name(parameter, field, prefixes))
