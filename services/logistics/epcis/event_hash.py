"""The event hash id of CBV 2.0, section 8.9: the same event gives the same id, whoever wrote it in whichever syntax.

What is hashed is one text: the fields in the standard's order, each ``name=value``; lists sorted bytewise; times in UTC
to the millisecond; numbers without needless zeros; identifiers as canonical Digital Links; words as web URIs; then
business transactions, destinations, sources, ILMD and extensions in alphabetical order. Where the standard's prose and its
published results differ, the results are followed (docs/epcis-conformance.md). Not hashed: eventID, recordTime,
errorDeclaration, comments, and what the document's ``ignoreFields`` names.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from typing import Any

from services.logistics.epcis.fields import COMMENT, METADATA, PAIRS, REPORT, TIMES, Event
from services.logistics.epcis.identifiers import LONGEST, canonical
from services.logistics.epcis.times import write_hashed
from services.logistics.epcis.vocabulary import BIZ_STEP, DISPOSITION, Vocabulary, write_uri
from services.logistics.epcis.words import PAIR_TYPES, REPORT_WORDS, mappings

_BEFORE = ("eventTime", "eventTimeZoneOffset", "certificationInfo", "parentID", "epcList", "inputEPCList", "childEPCs")
_LISTS_BEFORE = ("quantityList", "childQuantityList", "inputQuantityList", "outputEPCList", "outputQuantityList")
_ORDER = (*_BEFORE, *_LISTS_BEFORE, "action", "transformationID", "bizStep", "disposition", "persistentDisposition")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_URN_WORDS = (("bizstep", "BizStep"), ("disp", "Disp"), ("btt", "BTT"), ("sdt", "SDT"), ("er", "ER"))


def hash_event(event: Event) -> str:
    """The event hash id ``ni:///sha-256;…?ver=CBV2.0``."""
    return f"ni:///sha-256;{sha256(write_prehash(event).encode()).hexdigest()}?ver=CBV2.0"


def write_prehash(event: Event) -> str:
    """The text that is hashed."""
    fields, skip = event.fields, event.unhashed
    parts = [f"eventType={event.type}"]
    for name in _ORDER:
        if (value := fields.get(name)) not in (None, "", []):
            parts.append(_FIELD_WRITERS.get(name, _write_values)(name, value, skip))
    for name in ("readPoint", "bizLocation"):
        if isinstance(place := fields.get(name), dict):
            parts.append(_write_struct(name, place, ("id",), skip))
    if elements := mappings(fields.get("sensorElementList")):
        parts += ["sensorElementList", *sorted(_write_sensor(element, skip) for element in elements)]
    tail = [_write_pairs(name, fields[name]) for name in PAIRS if fields.get(name)]
    tail += _write_extensions(fields, skip)
    if isinstance(ilmd := fields.get("ilmd"), dict) and (lines := _write_extensions(ilmd, skip)):
        tail.append("".join(("ilmd", *sorted(lines))))
    return "".join((*parts, *sorted(tail)))


def write_value(value: Any) -> str:
    """A value as it is hashed: numbers short, identifiers and words canonical."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value).strip()
    return _write_text(text) if len(text) <= LONGEST else text


@lru_cache(65_536)
def _write_text(text: str) -> str:
    if text.startswith("urn:epcglobal:cbv:"):
        for urn, web in _URN_WORDS:
            text = text.replace(f"urn:epcglobal:cbv:{urn}:", f"https://ref.gs1.org/cbv/{web}-")
    if _NUMBER.fullmatch(text):
        return _write_number(text)
    return canonical(text)


def _write_number(text: str) -> str:
    if text.lstrip("+-").isdecimal():
        return str(int(text))
    number = float(text)
    if number in (float("inf"), float("-inf")):
        return text
    return str(int(number)) if number == int(number) else str(number)


def _write_values(name: str, value: Any, skip: frozenset[str]) -> str:
    values = value if isinstance(value, list) else [value]
    return "".join(sorted(f"{name}={write_value(one)}" for one in values))


def _write_time(name: str, value: Any, skip: frozenset[str]) -> str:
    return f"{name}={write_hashed(str(value).strip())}"


def _write_epcs(name: str, value: Any, skip: frozenset[str]) -> str:
    return name + "".join(sorted(f"epc={write_value(one)}" for one in value))


def _write_quantities(name: str, value: Any, skip: frozenset[str]) -> str:
    fields = ("epcClass", "quantity", "uom")
    return name + "".join(sorted(_write_struct("quantityElement", one, fields, skip) for one in mappings(value)))


def _write_lasting(name: str, value: Any, skip: frozenset[str]) -> str:
    parts = [_write_words(part, value[part], DISPOSITION) for part in ("set", "unset") if value.get(part)]
    return "".join((name, *parts)) if parts else ""


def _write_words(name: str, words: list[str], vocabulary: Vocabulary) -> str:
    return "".join(sorted(f"{name}={write_value(write_uri(vocabulary, str(word)))}" for word in words))


def _write_pairs(name: str, pairs: Any) -> str:
    vocabulary, what = PAIR_TYPES[name], PAIRS[name]
    lines = []
    for pair in mappings(pairs):
        kind = f"type={write_value(write_uri(vocabulary, pair['type']))}" if pair.get("type") else ""
        lines.append(f"{kind}{what}={write_value(pair.get(what, ''))}")
    return name + "".join(sorted(lines))


def _write_sensor(element: dict[str, Any], skip: frozenset[str]) -> str:
    parts = ["sensorElement"]
    if isinstance(metadata := element.get("sensorMetadata"), dict):
        parts.append(_write_struct("sensorMetadata", metadata, METADATA, skip))
    reports = mappings(element.get("sensorReport"))
    parts += sorted(_write_struct("sensorReport", report, REPORT, skip) for report in reports)
    return "".join((*parts, *sorted(_write_extensions(element, skip))))


def _write_struct(name: str, owner: dict[str, Any], order: tuple[str, ...], skip: frozenset[str]) -> str:
    parts = []
    for field in order:
        if (value := owner.get(field)) in (None, ""):
            continue
        if field in TIMES:
            parts.append(f"{field}={write_hashed(str(value).strip())}")
        elif field in REPORT_WORDS and order is REPORT:
            parts.append(f"{field}={write_value(write_uri(REPORT_WORDS[field], str(value)))}")
        else:
            parts.append(f"{field}={write_value(value)}")
    parts += sorted(_write_extensions(owner, skip))
    return "".join((name, *parts)) if parts else ""


def _write_extensions(owner: dict[str, Any], skip: frozenset[str]) -> list[str]:
    return [
        line
        for name, value in owner.items()
        if name[:1] == "{" and name != COMMENT and name not in skip
        for line in _write_extension(name, value, skip)
    ]


def _write_extension(name: str, value: Any, skip: frozenset[str]) -> list[str]:
    if isinstance(value, list):
        return [line for one in value for line in _write_extension(name, one, skip)]
    if not isinstance(value, dict):
        text = "" if value is None else write_value(value)
        return [f"{name}={text}"] if text else []
    text = write_value(value.get("#text", ""))
    inner = sorted(
        line
        for key, one in value.items()
        if key != "#text" and key != COMMENT and key not in skip
        for line in _write_extension(key.removeprefix("@"), one, skip)
    )
    return ["".join((name, f"={text}" if text else "", *inner))] if text or inner else []


_FIELD_WRITERS = {
    "eventTime": _write_time,
    "bizStep": lambda name, value, skip: _write_words(name, [value], BIZ_STEP),
    "disposition": lambda name, value, skip: _write_words(name, [value], DISPOSITION),
    "persistentDisposition": _write_lasting,
    **dict.fromkeys(("epcList", "childEPCs", "inputEPCList", "outputEPCList"), _write_epcs),
    **dict.fromkeys(
        ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"), _write_quantities
    ),
}
