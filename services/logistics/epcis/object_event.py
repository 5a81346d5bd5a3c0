"""An EPCIS 2.0 ObjectEvent as JSON, and its event hash id by CBV 2.0, section 8.9.

The hash covers what happened and not who recorded it when: the same passage gives the same id on every machine.
Identifiers are Digital Link URIs already, so that canonical form needs no translation. Fields that we do not write
are not hashed here.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
VOCABULARY = "https://ref.gs1.org/cbv"


def write_object_event(
    *,
    at: datetime,
    epcs: Collection[str],
    biz_step: str,
    disposition: str | None,
    read_point: str,
    biz_location: str | None = None,
    transactions: Collection[tuple[str, str]],
) -> dict[str, Any]:
    """An OBSERVE of ``epcs`` (URIs); ``transactions`` are (type, URI) pairs such as ("desadv", …).

    ``biz_location`` is where the things are from now on: none where they leave or where nobody can know it. The times are
    UTC milliseconds.
    """
    event: dict[str, Any] = {
        "@context": [CONTEXT],
        "type": "ObjectEvent",
        "eventTime": write_time(at),
        "eventTimeZoneOffset": "+00:00",
        "epcList": sorted(epcs),
        "action": "OBSERVE",
        "bizStep": biz_step,
        "disposition": disposition,
        "readPoint": {"id": read_point},
        "bizLocation": {"id": biz_location} if biz_location else None,
        "bizTransactionList": [{"type": kind, "bizTransaction": uri} for kind, uri in sorted(transactions)],
    }
    event = {name: value for name, value in event.items() if value not in (None, [])}
    return event | {"eventID": hash_id(event)}


def name_transactions(delivery_id: str | None, deal_id: str | None) -> list[tuple[str, str]]:
    """The papers that goods travel under, by CBV type: the delivery is the despatch advice, the deal the order."""
    papers = (("desadv", "delivery", delivery_id), ("po", "deal", deal_id))
    return [(kind, f"urn:haihe:{noun}:{id}") for kind, noun, id in papers if id is not None]


def write_time(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, as the hash wants it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def hash_id(event: dict[str, Any]) -> str:
    """The event hash id ``ni:///sha-256;…?ver=CBV2.0``."""
    return f"ni:///sha-256;{sha256(write_prehash(event).encode()).hexdigest()}?ver=CBV2.0"


def write_prehash(event: dict[str, Any]) -> str:
    """The text that is hashed: fields in the standard's order, lists sorted bytewise, vocabulary written out."""
    parts = [
        f"eventType={event['type']}",
        f"eventTime={event['eventTime']}",
        f"eventTimeZoneOffset={event['eventTimeZoneOffset']}",
    ]
    if epcs := event.get("epcList"):
        parts += ["epcList", *sorted(f"epc={epc}" for epc in epcs)]
    parts.append(f"action={event['action']}")
    parts += [f"bizStep={VOCABULARY}/BizStep-{event['bizStep']}"] if "bizStep" in event else []
    parts += [f"disposition={VOCABULARY}/Disp-{event['disposition']}"] if "disposition" in event else []
    for place in ("readPoint", "bizLocation"):
        parts += [f"{place}id={event[place]['id']}"] if place in event else []
    if transactions := event.get("bizTransactionList"):
        lines = (f"type={VOCABULARY}/BTT-{one['type']}bizTransaction={one['bizTransaction']}" for one in transactions)
        parts += ["bizTransactionList", *sorted(lines)]
    return "".join(parts)
