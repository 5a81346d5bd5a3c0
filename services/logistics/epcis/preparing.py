"""An event made ready for the repository: its id, its hash, its two forms as JSON, and all that it names. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec

from services.logistics.epcis.event_hash import hash_event
from services.logistics.epcis.fields import PAIRS, PLACES, Event, is_extension, split_name
from services.logistics.epcis.findings import Finding
from services.logistics.epcis.identifiers import canonical
from services.logistics.epcis.lots import name_lots
from services.logistics.epcis.times import read_time
from services.logistics.epcis.translate import rewrite_identifiers
from services.logistics.epcis.words import mappings
from services.logistics.epcis.write_json import write_event

MOST_KEY_BYTES = 1_000
"""A key that is longer is kept as its digest: an entry of an index is a third of a page at most."""
MOST_NAME_BYTES = 1_000
"""An eventID, a place or a word that is longer is refused."""
KINDS = {
    "epcList": "epc",
    "childEPCs": "childEPC",
    "parentID": "parentID",
    "inputEPCList": "inputEPC",
    "outputEPCList": "outputEPC",
    "quantityList": "epcClass",
    "childQuantityList": "childEPCClass",
    "inputQuantityList": "inputEPCClass",
    "outputQuantityList": "outputEPCClass",
    "transformationID": "transformationID",
    "bizTransactionList": "bizTransaction",
    "sourceList": "source",
    "destinationList": "destination",
}
"""Field to ``EpcisKey.kind``; ``lot`` is another, which no field has (``lots.name_lots``)."""
_SINGLE = ("parentID", "transformationID")
_CLASSES = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
_json = msgspec.json.Encoder()


class Prepared(msgspec.Struct, frozen=True):
    """What is written of one event; ``keys`` are (kind, key) pairs, each once. ``fields`` and ``document`` are JSON texts."""

    event_id: str
    is_error: bool
    event_time: datetime
    type: str
    action: str | None
    biz_step: str | None
    disposition: str | None
    read_point: str | None
    biz_location: str | None
    transformation_id: str | None
    document: str
    fields: str
    namespaces: str
    unhashed: tuple[str, ...]
    hash: str
    error_time: datetime | None
    error_reason: str | None
    corrective_event_ids: tuple[str, ...]
    keys: tuple[tuple[str, str], ...]

    @property
    def thing(self) -> str:
        """What the event is about, as one key: its parent, else its smallest EPC, else its smallest class, else itself."""
        return name_thing(self.keys) or self.event_id


def prepare_event(event: Event) -> Prepared:
    """A valid event made ready. One without an eventID gets its hash id; a recordTime is dropped, as ours is told instead."""
    hash = hash_event(event)
    given = {name: value for name, value in event.fields.items() if name != "recordTime"}
    given["eventID"] = given.get("eventID") or hash
    kept = _drop_unused(msgspec.structs.replace(event, fields=given))
    fields = rewrite_identifiers(kept, canonical).fields
    declared = fields.get("errorDeclaration") or {}
    return Prepared(
        event_id=given["eventID"],
        is_error="errorDeclaration" in fields,
        event_time=_read_utc(fields["eventTime"]),
        type=event.type,
        action=fields.get("action"),
        biz_step=fields.get("bizStep"),
        disposition=fields.get("disposition"),
        read_point=fields["readPoint"]["id"] if "readPoint" in fields else None,
        biz_location=fields["bizLocation"]["id"] if "bizLocation" in fields else None,
        transformation_id=fields.get("transformationID"),
        document=_json.encode(write_event(kept)).decode(),
        fields=_json.encode(fields).decode(),
        namespaces=_json.encode(kept.namespaces).decode(),
        unhashed=tuple(sorted(kept.unhashed)),
        hash=hash,
        error_time=_read_utc(declared["declarationTime"]) if declared else None,
        error_reason=declared.get("reason"),
        corrective_event_ids=tuple(declared.get("correctiveEventIDs") or ()),
        keys=tuple(dict.fromkeys((kind, write_key(key)) for kind, key in list_keys(fields))),
    )


def _drop_unused(event: Event) -> Event:
    """The event without the prefixes and unhashed names of its document that it has no use for: each event keeps its own copy."""
    if not event.namespaces and not event.unhashed:
        return event
    names = frozenset(_list_names(event.fields))
    spaces = {split_name(name.removeprefix("@"))[0] for name in names}
    used = {prefix: space for prefix, space in event.namespaces.items() if space in spaces}
    return msgspec.structs.replace(event, namespaces=used, unhashed=event.unhashed & names)


def _list_names(value: Any) -> Iterator[str]:
    """The names of extensions in a value, at any depth."""
    if isinstance(value, dict):
        for name, one in value.items():
            if is_extension(name.removeprefix("@")):
                yield name
            if isinstance(one, (dict, list)):
                yield from _list_names(one)
    elif isinstance(value, list):
        for one in value:
            yield from _list_names(one)


def list_keys(fields: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every (kind, value) that canonical fields name, in the order of ``KINDS``, then the lots that items were made in."""
    for name, kind in KINDS.items():
        if (value := fields.get(name)) is None:
            continue
        if name in _SINGLE:
            yield kind, value
        elif name in _CLASSES:
            yield from ((kind, one["epcClass"]) for one in mappings(value))
        elif what := PAIRS.get(name):
            yield from ((kind, one[what]) for one in mappings(value))
        else:
            yield from ((kind, epc) for epc in value)
    if isinstance(made := fields.get("ilmd"), dict):
        items = [*fields.get("epcList", ()), *fields.get("outputEPCList", ())]
        yield from (("lot", lot) for lot in dict.fromkeys(name_lots(made, items).values()))


def write_key(canonical_uri: str) -> str:
    """An identifier as ``EpcisKey.key`` has it: what is asked for is written with this too."""
    raw = canonical_uri.encode()
    return canonical_uri if len(raw) <= MOST_KEY_BYTES else f"sha-256;{sha256(raw).hexdigest()}"


def name_thing(keys: tuple[tuple[str, str], ...]) -> str | None:
    """The one key that keeps events of the same things in order: the parent, else the smallest EPC, else the smallest class."""
    for kinds in _THINGS:
        if found := [key for kind, key in keys if kind in kinds]:
            return min(found)
    return None


_THINGS = (
    ("parentID",),
    ("epc", "childEPC", "inputEPC", "outputEPC"),
    ("epcClass", "childEPCClass", "inputEPCClass", "outputEPCClass"),
)


def check_storable(event: Event, path: str = "$") -> list[Finding]:
    """What of a valid event the repository has no room for: names and times beyond what an index or a calendar takes."""
    fields = event.fields
    declared = fields.get("errorDeclaration") or {}
    names = [
        (name, fields[name]) for name in ("eventID", "bizStep", "disposition", "transformationID") if name in fields
    ]
    names += [(f"{name}.id", fields[name]["id"]) for name in PLACES if name in fields]
    if reason := declared.get("reason"):
        names.append(("errorDeclaration.reason", reason))
    findings = [
        Finding(f"{path}.{name}", f"is longer than {MOST_NAME_BYTES} bytes", "limit")
        for name, text in names
        if len(text) > MOST_NAME_BYTES // 4 and len(text.encode()) > MOST_NAME_BYTES
    ]
    times = [("eventTime", fields["eventTime"]), ("errorDeclaration.declarationTime", declared.get("declarationTime"))]
    for name, text in times:
        if text is not None and not 1 < read_time(text).year < 9999:  # type: ignore[union-attr]
            findings.append(Finding(f"{path}.{name}", f"{text[:50]} is no time of ours", "time"))
    return findings


def _read_utc(text: str) -> datetime:
    at = read_time(text)
    assert at is not None, text
    return at.astimezone(UTC)
