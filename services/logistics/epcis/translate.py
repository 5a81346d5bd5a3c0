"""Rewrites the identifiers of an event for a reader who wants one form (the header ``GS1-EPC-Format``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from services.logistics.epcis.fields import EPC_LISTS, PAIRS, PLACES, QUANTITY_LISTS, SENSOR_URIS, Event
from services.logistics.epcis.identifiers import PrefixLength, canonical, urn_of_link

EpcFormat = Literal["No_Preference", "Always_GS1_Digital_Link", "Always_EPC_URN", "Never_Translates"]
_SINGLE = ("parentID", "transformationID")


def translate(event: Event, format: EpcFormat, prefix_length: PrefixLength) -> Event:
    """The event with its identifiers in ``format``; one that cannot be translated stays as it was captured."""
    match format:
        case "Always_GS1_Digital_Link":
            return rewrite_identifiers(event, canonical)
        case "Always_EPC_URN":
            return rewrite_identifiers(event, lambda uri: urn_of_link(uri, prefix_length) or uri)
        case _:
            return event


def rewrite_identifiers(event: Event, convert: Callable[[str], str]) -> Event:
    """A copy with ``convert`` applied to every EPC, EPC class, place, source, destination and business transaction, and to what
    sensor data name."""
    fields = dict(event.fields)
    for name in _SINGLE:
        if isinstance(fields.get(name), str):
            fields[name] = convert(fields[name])
    for name in EPC_LISTS:
        if name in fields:
            fields[name] = [convert(epc) for epc in fields[name]]
    for name in QUANTITY_LISTS:
        if name in fields:
            fields[name] = [one | {"epcClass": convert(one["epcClass"])} for one in fields[name]]
    for name in PLACES:
        if name in fields:
            fields[name] = fields[name] | {"id": convert(fields[name]["id"])}
    for name, what in PAIRS.items():
        if name in fields:
            fields[name] = [one | {what: convert(one[what])} for one in fields[name]]
    if "sensorElementList" in fields:
        fields["sensorElementList"] = [_rewrite_sensor(one, convert) for one in fields["sensorElementList"]]
    return msgspec.structs.replace(event, fields=fields)


def _rewrite_sensor(element: dict[str, Any], convert: Callable[[str], str]) -> dict[str, Any]:
    def rewrite(owner: dict[str, Any]) -> dict[str, Any]:
        return owner | {name: convert(owner[name]) for name in SENSOR_URIS if name in owner}

    told = element | {"sensorReport": [rewrite(one) for one in element["sensorReport"]]}
    return told | {"sensorMetadata": rewrite(element["sensorMetadata"])} if "sensorMetadata" in element else told
