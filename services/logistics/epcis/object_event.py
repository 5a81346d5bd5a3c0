"""The EPCIS 2.0 ObjectEvents that gates make, as JSON with their event hash ids.

The hash covers what happened and not who recorded it when: the same passage gives the same id on every machine.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from services.logistics.epcis import event_hash
from services.logistics.epcis.contexts import STANDARD
from services.logistics.epcis.event_hash import hash_event
from services.logistics.epcis.read_json import read_event


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
        "@context": [STANDARD],
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
    """The event hash id ``ni:///sha-256;…?ver=CBV2.0`` of an event as JSON."""
    return hash_event(read_event(event, {}, "$"))


def write_prehash(event: dict[str, Any]) -> str:
    """The text that is hashed."""
    return event_hash.write_prehash(read_event(event, {}, "$"))
