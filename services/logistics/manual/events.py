"""EPCIS events on somebody's word, as they would have been by a gate, but marked as manual: pure functions.

CBV 2.0 has no word for who noticed a thing, so the mark is an extension: ``entry`` is ``manual``, ``method`` says how it was
entered, and ``reason`` why, where somebody gave one. They are part of what is hashed: a gate's event of the same moment is another.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from services.logistics.epcis.event_hash import hash_event
from services.logistics.epcis.fields import EPC_LISTS, Event
from services.logistics.epcis.object_event import write_time

SPACE = "urn:haihe:epcis"
NAMESPACES = {"haihe": SPACE}
ENTRY, METHOD, REASON, REPLACES = (f"{{{SPACE}}}{name}" for name in ("entry", "method", "reason", "replaces"))
MANUAL = "manual"


class Method(StrEnum):
    """How something was entered: by a handheld reader, a tag put on by hand, a barcode, a piece's number, or in words."""

    HANDHELD = "handheld"
    TAG = "tag"
    BARCODE = "barcode"
    NUMBER = "number"
    WORD = "word"


class Step(msgspec.Struct, frozen=True):
    """What happens to things: the CBV's business step and disposition."""

    biz_step: str
    disposition: str | None = None
    action: str = "OBSERVE"


DEPARTING = Step("departing", "in_transit")
ARRIVING = Step("arriving", "in_progress")
FOUND = Step("inspecting")
RETURNED = Step("receiving", "returned")
LOST = Step("inspecting", "unknown")
STOLEN = Step("inspecting", "stolen")
TAGGED = Step("commissioning", "active", "ADD")
UNTAGGED = Step("decommissioning", "inactive", "DELETE")


def name_gate(gate_id: str) -> str:
    """A gate as a read point."""
    return f"urn:haihe:gate:{gate_id}"


def name_warehouse(party_id: str) -> str:
    """The place of a warehouse as a business location."""
    return f"urn:haihe:warehouse:{party_id}"


def name_zone(zone_id: str) -> str:
    """A zone of a warehouse, as a read point or a business location."""
    return f"urn:haihe:zone:{zone_id}"


def write_manual(
    step: Step,
    *,
    at: datetime,
    epcs: Collection[str],
    method: Method,
    read_point: str | None = None,
    biz_location: str | None = None,
    transactions: Collection[tuple[str, str]] = (),
    reason: str | None = None,
    extensions: Mapping[str, str] = {},  # noqa: B006
) -> Event:
    """An ObjectEvent about ``epcs`` (URIs) that no gate has seen; ``transactions`` are (type, URI) pairs, the type empty where
    CBV has no word for it.
    """
    fields: dict[str, Any] = {
        **_when(at),
        "epcList": sorted(epcs),
        "action": step.action,
        "bizStep": step.biz_step,
        "disposition": step.disposition,
        "readPoint": {"id": read_point} if read_point else None,
        "bizLocation": {"id": biz_location} if biz_location else None,
        "bizTransactionList": [_write_paper(kind, uri) for kind, uri in sorted(transactions)],
        **extensions,
    }
    return _finish("ObjectEvent", fields, method, reason)


def write_packing(
    action: str,
    *,
    at: datetime,
    parent: str,
    children: Collection[str],
    method: Method,
    read_point: str | None = None,
    biz_location: str | None = None,
    transactions: Collection[tuple[str, str]] = (),
    reason: str | None = None,
) -> Event:
    """An AggregationEvent: ``ADD`` packs the children into the parent, ``DELETE`` takes them out; ``transactions`` as above."""
    fields: dict[str, Any] = {
        **_when(at),
        "parentID": parent,
        "childEPCs": sorted(children),
        "action": action,
        "bizStep": "packing" if action == "ADD" else "unpacking",
        "readPoint": {"id": read_point} if read_point else None,
        "bizLocation": {"id": biz_location} if biz_location else None,
        "bizTransactionList": [_write_paper(kind, uri) for kind, uri in sorted(transactions)],
    }
    return _finish("AggregationEvent", fields, method, reason)


def write_replacement(
    event: Event, *, without: str | None = None, step: Step | None = None, place: str | None
) -> Event | None:
    """What should have been captured instead of an event: the same ``without`` an EPC, or with another ``step``.

    ``place`` is where the things are after that step; None where it takes them away. None when nothing is left of the event.
    """
    fields = {
        name: value for name, value in event.fields.items() if name not in ("eventID", "recordTime", "errorDeclaration")
    }
    if without is not None:
        fields = _drop_epc(fields, without)
        if not any(fields.get(name) for name in (*EPC_LISTS, "quantityList")):
            return None
    if step is not None:
        fields |= {
            "bizStep": step.biz_step,
            "disposition": step.disposition,
            "bizLocation": {"id": place} if place else None,
        }
    namespaces = event.namespaces | NAMESPACES
    return _finish(event.type, fields, Method.WORD, None, namespaces, event.unhashed)


def only_about(event: Event, epc: str) -> Event:
    """An event as far as it is about one EPC, which it lists."""
    fields = {name: [epc] if name in EPC_LISTS else value for name, value in event.fields.items()}
    return msgspec.structs.replace(event, fields=fields)


def names(event: Event, epc: str) -> bool:
    """Whether an event lists an EPC."""
    return any(epc in (event.fields.get(name) or ()) for name in EPC_LISTS)


def _write_paper(kind: str, uri: str) -> dict[str, str]:
    return {"type": kind, "bizTransaction": uri} if kind else {"bizTransaction": uri}


def _when(at: datetime) -> dict[str, Any]:
    return {"eventTime": write_time(at), "eventTimeZoneOffset": "+00:00"}


def _drop_epc(fields: dict[str, Any], epc: str) -> dict[str, Any]:
    kept = {name: [one for one in fields[name] if one != epc] for name in EPC_LISTS if fields.get(name)}
    return {name: value for name, value in (fields | kept).items() if value != []}


def _finish(
    kind: str,
    fields: dict[str, Any],
    method: Method,
    reason: str | None,
    namespaces: dict[str, str] = NAMESPACES,
    unhashed: frozenset[str] = frozenset(),
) -> Event:
    marks = {ENTRY: MANUAL, METHOD: method.value, REASON: reason}
    told = {name: value for name, value in (fields | marks).items() if value not in (None, [])}
    event = Event(kind, told, dict(namespaces), unhashed)
    event.fields["eventID"] = hash_event(event)
    return event
