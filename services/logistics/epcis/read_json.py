"""Reads EPCIS 2.0 JSON and JSON-LD: documents, query documents and single events."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from services.logistics.epcis.contexts import OWN_PREFIXES, expand_curie, read_context
from services.logistics.epcis.fields import FIELDS, PAIRS, Document, Event, is_extension, is_name, split_name
from services.logistics.epcis.findings import TooLarge, refuse
from services.logistics.epcis.limits import MOST_BYTES, MOST_EVENTS, MOST_VALUES
from services.logistics.epcis.master_data import read_vocabularies
from services.logistics.epcis.vocabulary import PREFIXES
from services.logistics.epcis.words import read_words

DEEPEST = 64
_KEYWORDS = {"@id": "id", "@type": "type"}
_NO_FIELDS = ("@context", "type", "@type")
_TWICE = "something is said twice, under two names that mean the same"
_decoder = msgspec.json.Decoder()


def read_document(body: bytes) -> Document:
    """The document, or the single event as a document of one. Raises NotReadable; shapes are ``checks``'s to judge."""
    if len(body) > MOST_BYTES:
        raise TooLarge(f"there are more than {MOST_BYTES} bytes")
    if sum(map(body.count, (b",", b"{", b"["))) > MOST_VALUES:
        raise TooLarge(f"there are more than {MOST_VALUES} values")
    try:
        return document_of(_decoder.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refuse("$", f"this is not JSON: {str(error)[:200]}") from None


def document_of(given: Any) -> Document:
    """The document in decoded JSON. Raises NotReadable."""
    if not isinstance(given, dict):
        raise refuse("$", "an EPCIS document is an object")
    prefixes = read_context(given.get("@context", []), "$.@context", {})
    if _text(given.get("type", given.get("@type"))) in FIELDS or not isinstance(given.get("epcisBody"), dict):
        return _document_of_one(given, prefixes)
    holder, path = _events_holder(given["epcisBody"])
    unhashed = _read_unhashed(given, prefixes) | _read_unhashed(given["epcisBody"], prefixes)
    unhashed |= _read_unhashed(_object(given["epcisBody"].get("queryResults")), prefixes)
    listed = holder.get("eventList", [holder["event"]] if "event" in holder else None)
    if not isinstance(listed, list):
        raise refuse(f"{path}.eventList", "there is no list of events")
    if len(listed) > MOST_EVENTS:
        raise TooLarge(f"there are {len(listed)} events, at most {MOST_EVENTS} are taken")
    return Document(
        kind=_text(given.get("type", given.get("@type"))),
        version=_text(given.get("schemaVersion")),
        created=_text_if_any(given.get("creationDate")),
        events=[read_event(one, prefixes, f"{path}.eventList[{n}]", unhashed) for n, one in enumerate(listed)],
        id=_text_if_any(given.get("id")),
        namespaces=prefixes,
        header={name: str(given[name]) for name in ("sender", "receiver", "instanceIdentifier") if name in given},
        master_data=_read_master_data(given),
        query=_read_query(given["epcisBody"]),
    )


def read_event(given: Any, prefixes: dict[str, str], path: str, unhashed: frozenset[str] = frozenset()) -> Event:
    """One event. Raises NotReadable when it is no object, or names a context that is not to be had."""
    if not isinstance(given, dict):
        raise refuse(path, "an event is an object")
    if "@context" in given:
        prefixes = read_context(given["@context"], f"{path}.@context", prefixes)
    known = OWN_PREFIXES | prefixes | PREFIXES
    told = {name: value for name, value in given.items() if name not in _NO_FIELDS}
    fields = {_write_name(name, known): _walk(value, known, path, 0) for name, value in told.items()}
    if len(fields) != len(told):
        raise refuse(path, _TWICE, "twice")
    read_words(fields)
    kind = given.get("type", given.get("@type"))
    return Event(_text(kind).removeprefix("epcis:"), fields, prefixes, unhashed)


_PLAIN = frozenset(name for fields in FIELDS.values() for name in fields) | frozenset(PAIRS.values())


def _walk(value: Any, known: dict[str, str], path: str, depth: int) -> Any:
    if isinstance(value, str):
        return expand_curie(value, known) if ":" in value else value
    if depth > DEEPEST:
        raise refuse(path, f"the event is nested deeper than {DEEPEST} levels")
    if isinstance(value, list):
        return [_walk(one, known, path, depth + 1) for one in value]
    if isinstance(value, dict):
        told = {_write_name(name, known): _walk(one, known, path, depth + 1) for name, one in value.items()}
        if len(told) != len(value):
            raise refuse(path, _TWICE, "twice")
        return told
    return value


def _write_name(name: str, known: dict[str, str]) -> str:
    if name in _PLAIN:
        return name
    if name in _KEYWORDS:
        return _KEYWORDS[name]
    if name.startswith("{"):  # ours alone, for what has a namespace
        return f"?{name}"
    if name.startswith("@") and not name.startswith("@@"):  # an attribute of an extension that came as XML
        return "@" + _write_name(name[1:], known)
    prefix, colon, local = name.partition(":")
    if colon and (space := known.get(prefix)) is not None:
        return f"{{{space}}}{local}"
    if not colon and (uri := known.get(name)) is not None and name not in OWN_PREFIXES:
        space, mark, local = re.split(r"([/#:])(?=[^/#:]*$)", uri)
        return f"{{{space}{mark}}}{local}"
    return name


def _document_of_one(given: dict[str, Any], prefixes: dict[str, str]) -> Document:
    own = {name: value for name, value in given.items() if name not in ("schemaVersion", "creationDate")}
    version = _text(given.get("schemaVersion", "2.0"))
    event = read_event(own, prefixes, "$")
    return Document("", version, _text_if_any(given.get("creationDate")), [event], namespaces=prefixes)


def _events_holder(body: dict[str, Any]) -> tuple[dict[str, Any], str]:
    if "queryResults" not in body:
        return body, "$.epcisBody"
    path = "$.epcisBody.queryResults.resultsBody"
    return _object(_object(body["queryResults"]).get("resultsBody")), path


def _read_unhashed(holder: dict[str, Any], prefixes: dict[str, str]) -> frozenset[str]:
    names = [value for name, value in holder.items() if name.rpartition(":")[2] == "ignoreFields"]
    listed = [one for value in names for one in (value if isinstance(value, list) else [value])]
    names = [_write_name(name, OWN_PREFIXES | prefixes) for name in listed if isinstance(name, str)]
    return frozenset(name for name in names if is_extension(name) and is_name(split_name(name)[1]))


def _read_query(body: dict[str, Any]) -> dict[str, str]:
    results = _object(body.get("queryResults"))
    return {name: str(results[name]) for name in ("subscriptionID", "queryName") if name in results}


def _read_master_data(given: dict[str, Any]) -> list[dict[str, Any]]:
    listed = _object(_object(given.get("epcisHeader")).get("epcisMasterData")).get("vocabularyList", [])
    return read_vocabularies(listed, "$.epcisHeader.epcisMasterData.vocabularyList")


def _text_if_any(value: Any) -> str | None:
    return None if value is None else _text(value)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    if isinstance(value, list) and value:
        value = value[0]
    return value if isinstance(value, str) else ""
