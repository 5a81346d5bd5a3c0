"""What an EPCIS event means for a shipment, and what that is called by the DCSA where it is about a container (RFID.md 4.5)."""

from __future__ import annotations

from enum import StrEnum

from services.logistics.epcis.fields import Event, split_name


class Code(StrEnum):
    """What has happened, or will, to a delivery or to a container of it."""

    PICKED = "picked"
    PACKED = "packed"
    LOADED = "loaded"
    SEALED = "sealed"
    GATE_OUT = "gate_out"
    GATE_IN = "gate_in"
    UNLOADED = "unloaded"
    UNSEALED = "unsealed"
    UNPACKED = "unpacked"
    REMOVED = "removed"
    INSPECTED = "inspected"
    HELD = "held"
    CLEARED = "cleared"
    RECEIVED = "received"
    DISCREPANCY = "discrepancy"


class Classifier(StrEnum):
    """Whether it is planned, estimated, or has happened (PLN, EST and ACT of the DCSA)."""

    PLANNED = "planned"
    ESTIMATED = "estimated"
    ACTUAL = "actual"


_BY_STEP = {
    "picking": Code.PICKED,
    "collecting": Code.PICKED,
    "packing": Code.PACKED,
    "unpacking": Code.UNPACKED,
    "loading": Code.LOADED,
    "unloading": Code.UNLOADED,
    "departing": Code.GATE_OUT,
    "shipping": Code.GATE_OUT,
    "arriving": Code.GATE_IN,
    "receiving": Code.RECEIVED,
    "accepting": Code.RECEIVED,
    "removing": Code.REMOVED,
    "inspecting": Code.INSPECTED,
    "holding": Code.HELD,
}
_BY_DISPOSITION = {"container_closed": Code.SEALED, "container_open": Code.UNSEALED}
_DCSA = {
    Code.PACKED: "STUF",
    Code.UNPACKED: "STRP",
    Code.LOADED: "LOAD",
    Code.UNLOADED: "DISC",
    Code.SEALED: "RSEA",
    Code.GATE_OUT: "GTOT",
    Code.GATE_IN: "GTIN",
    Code.REMOVED: "RMVD",
    Code.INSPECTED: "INSP",
    Code.CLEARED: "CUSR",
}
_CUSTOMS = {"selected_for_scan": "CUSS", "selected_for_inspection": "CUSI", "released": "CUSR"}
"""What the extension ``customsStatus`` says, by the DCSA's codes."""


def code_of(event: Event) -> Code | None:
    """What an event means; None for one that is no milestone of a shipment, or is not about what has happened to things.

    Seals are associations, whatever their business step; what customs have released is cleared, not received.
    """
    fields = event.fields
    if fields.get("disposition") == "returned":
        return None
    if event.type == "AssociationEvent":
        return {"ADD": Code.SEALED, "DELETE": Code.UNSEALED}.get(fields.get("action", ""))
    if (sealed := _BY_DISPOSITION.get(fields.get("disposition", ""))) is not None:
        return sealed
    if fields.get("bizStep") == "accepting" and customs_status(event) is not None:
        return Code.CLEARED
    return _BY_STEP.get(fields.get("bizStep", ""))


def customs_status(event: Event) -> str | None:
    """What an event says of customs, in an extension ``customsStatus`` under anybody's namespace."""
    for name, value in event.fields.items():
        if split_name(name)[1] == "customsStatus" and isinstance(value, str):
            return value
    return None


def dcsa_code(code: Code, customs: str | None) -> str | None:
    """The DCSA's equipment event type of a milestone of a container; None where it has none."""
    if code in (Code.INSPECTED, Code.HELD) and customs in _CUSTOMS:
        return _CUSTOMS[customs]
    return _DCSA.get(code)
