"""Writes events and documents as EPCIS 2.0 JSON, which is JSON-LD as it stands."""

from __future__ import annotations

from typing import Any

from services.logistics.epcis.contexts import OWN_PREFIXES, STANDARD
from services.logistics.epcis.fields import FIELDS, Document, Event, creation_time
from services.logistics.epcis.prefixes import Prefixes

_STANDARD_PREFIXES = set(OWN_PREFIXES.items())


def write_event(event: Event) -> dict[str, Any]:
    """One event with its own context."""
    prefixes = Prefixes([], [event])
    told = _write_event(event, prefixes)
    return {"@context": _write_context(prefixes), **told}


def write_document(document: Document) -> dict[str, Any]:
    """The whole document; an EPCISQueryDocument where ``kind`` says so."""
    prefixes = Prefixes([document.namespaces], document.events)
    events = [_write_event(event, prefixes) for event in document.events]
    unhashed = sorted({name for event in document.events for name in event.unhashed})
    ignored = {}
    if unhashed:
        holder = unhashed[0].rpartition("}")[0]
        ignored = {prefixes.write(holder + "}ignoreFields"): [prefixes.write(name) for name in unhashed]}
    asked = document.kind == "EPCISQueryDocument"
    listed: dict[str, Any] = {"eventList": events}
    header = {"epcisHeader": {"epcisMasterData": {"vocabularyList": document.master_data}}}
    return {
        "@context": _write_context(prefixes),
        **({"id": document.id} if document.id else {}),
        "type": document.kind or "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": creation_time(document),
        **document.header,
        **ignored,
        **(header if document.master_data else {}),
        "epcisBody": {"queryResults": {**document.query, "resultsBody": listed}} if asked else listed,
    }


def _write_event(event: Event, prefixes: Prefixes) -> dict[str, Any]:
    fields = event.fields
    order = [name for name in FIELDS.get(event.type, ()) if name in fields]
    rest = [name for name in fields if name not in FIELDS.get(event.type, ())]
    return {"type": event.type} | {prefixes.write(name): _write(fields[name], prefixes) for name in (*order, *rest)}


def _write(value: Any, prefixes: Prefixes) -> Any:
    if isinstance(value, dict):
        return {prefixes.write(name): _write(one, prefixes) for name, one in value.items()}
    if isinstance(value, list):
        return [_write(one, prefixes) for one in value]
    return value


def _write_context(prefixes: Prefixes) -> list[Any]:
    own = {name: space for space, name in prefixes.used.items() if (name, space) not in _STANDARD_PREFIXES}
    return [STANDARD, own] if own else [STANDARD]
