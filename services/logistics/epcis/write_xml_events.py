"""Writes one event as an element of EPCIS XML 2.0 or 1.2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal
from xml.sax import saxutils
from xml.sax.saxutils import quoteattr

from services.logistics.epcis.fields import (
    EPC_LISTS,
    FIELDS,
    METADATA,
    PAIRS,
    PLACES,
    QUANTITY_LISTS,
    REPORT,
    Event,
)
from services.logistics.epcis.prefixes import Prefixes
from services.logistics.epcis.vocabulary import (
    COMPONENT,
    DISPOSITION,
    ERROR_REASON,
    EXCEPTION,
    MEASUREMENT,
    Vocabulary,
    write_curie,
)
from services.logistics.epcis.words import PAIR_TYPES, TOP

Version = Literal["2.0", "1.2"]
WriteWord = Callable[[Vocabulary, str], str]

_INNER = ("quantityList", "childQuantityList", "sourceList", "destinationList", "ilmd")
_DEEP = ("certificationInfo", "sensorElementList", "persistentDisposition")
_SENSOR_WORDS = {"type": MEASUREMENT, "exception": EXCEPTION, "component": COMPONENT}


class EventWriter:
    """Writes the parts of events with one set of prefixes."""

    def __init__(self, prefixes: Prefixes, word: WriteWord, version: Version) -> None:
        self._prefixes, self._word, self._version = prefixes, word, version

    def event(self, event: Event) -> str:
        """One event, wrapped as 1.2 wants it where that is the version."""
        told = f"<{event.type}>{self._fields(event)}</{event.type}>"
        if self._version == "2.0":
            return told
        wraps = {"TransformationEvent": 1, "AssociationEvent": 2}.get(event.type, 0)
        return "<extension>" * wraps + told + "</extension>" * wraps

    def ignored(self, names: list[str]) -> str:
        """The element that names the fields that are left out of the hash."""
        if not names:
            return ""
        holder = self._prefixes.write(names[0].rpartition("}")[0] + "}ignoreFields")
        return f"<{holder}>" + "".join(f"<{self._prefixes.write(name)}/>" for name in names) + f"</{holder}>"

    def _fields(self, event: Event) -> str:
        own = FIELDS.get(event.type, ())
        told = {name: self._field(name, event.fields[name]) for name in own if event.fields.get(name) is not None}
        extensions = "".join(self._any(name, value) for name, value in event.fields.items() if name not in own)
        if self._version == "2.0":
            return "".join(told.values()) + extensions
        return _wrap(event.type, told) + extensions

    def _field(self, name: str, value: Any) -> str:
        if name in EPC_LISTS:
            return _element(name, *(_leaf("epc", epc) for epc in value))
        if name in QUANTITY_LISTS:
            return _element(name, *(_element("quantityElement", self._all(one)) for one in value))
        if name in PAIRS:
            return _element(name, *(self._pair(name, one) for one in value))
        if name in TOP:
            return _leaf(name, self._word(TOP[name], value))
        if name in PLACES or name == "ilmd":
            return _element(name, self._all(value))
        if writer := _WRITERS.get(name):
            return writer(self, value)
        return "".join(_leaf(name, one) for one in (value if isinstance(value, list) else [value]))

    def _pair(self, name: str, pair: dict[str, Any]) -> str:
        kind = f" type={quoteattr(self._word(PAIR_TYPES[name], pair['type']))}" if pair.get("type") else ""
        return f"<{PAIRS[name]}{kind}>{escape(str(pair.get(PAIRS[name], '')))}</{PAIRS[name]}>"

    def _lasting(self, value: dict[str, Any]) -> str:
        leaves = [_leaf(part, self._word(DISPOSITION, one)) for part in ("unset", "set") for one in value.get(part, ())]
        return _element("persistentDisposition", *leaves)

    def _error(self, value: dict[str, Any]) -> str:
        told = dict(value)
        listed = told.pop("correctiveEventIDs", [])
        if told.get("reason"):
            told["reason"] = self._word(ERROR_REASON, told["reason"])
        plain = {name: told.pop(name) for name in ("declarationTime", "reason") if name in told}
        ids = _element("correctiveEventIDs", *(_leaf("correctiveEventID", one) for one in listed)) if listed else ""
        return _element("errorDeclaration", self._all(plain), ids, self._all(told))

    def _sensors(self, value: list[dict[str, Any]]) -> str:
        return _element("sensorElementList", *(self._sensor(one) for one in value))

    def _sensor(self, element: dict[str, Any]) -> str:
        rest = {name: one for name, one in element.items() if name not in ("sensorMetadata", "sensorReport")}
        metadata = element.get("sensorMetadata")
        reports = [self._struct("sensorReport", one, REPORT) for one in element.get("sensorReport", ())]
        first = self._struct("sensorMetadata", metadata, METADATA) if metadata else ""
        return _element("sensorElement", first, *reports, self._all(rest))

    def _struct(self, name: str, owner: dict[str, Any], order: tuple[str, ...]) -> str:
        attributes, inner = [], []
        for field in (*(one for one in order if one in owner), *(one for one in owner if one not in order)):
            value = owner[field]
            if isinstance(value, (dict, list)):
                inner.append(self._any(field, value))
            elif value is not None:
                if order is REPORT and field in _SENSOR_WORDS:
                    value = write_curie(_SENSOR_WORDS[field], value)
                attributes.append(f" {self._prefixes.write(field)}={quoteattr(_text(value))}")
        return f"<{name}{''.join(attributes)}>{''.join(inner)}</{name}>"

    def _all(self, owner: dict[str, Any]) -> str:
        return "".join(self._any(name, value) for name, value in owner.items())

    def _any(self, name: str, value: Any) -> str:
        if isinstance(value, list):
            return "".join(self._any(name, one) for one in value)
        tag = self._prefixes.write(name)
        if not isinstance(value, dict):
            return _leaf(tag, value) if value is not None else ""
        attributes = "".join(
            f" {self._prefixes.write(key[1:])}={quoteattr(_text(one))}"
            for key, one in value.items()
            if key.startswith("@")
        )
        inner = "".join(self._any(key, one) for key, one in value.items() if not key.startswith(("@", "#")))
        return f"<{tag}{attributes}>{escape(_text(value.get('#text', '')))}{inner}</{tag}>"


def _wrap(kind: str, told: dict[str, str]) -> str:
    base = "".join(told.pop(name, "") for name in ("eventID", "errorDeclaration"))
    if kind == "ObjectEvent":
        told.setdefault("epcList", "<epcList/>")
    deep = "".join(told.pop(name, "") for name in _DEEP) if kind != "AssociationEvent" else ""
    inner = "" if kind in ("TransformationEvent", "AssociationEvent") else "".join(told.pop(n, "") for n in _INNER)
    if deep and kind != "TransformationEvent":
        deep = _element("extension", deep)
    order = ["eventTime", "recordTime", "eventTimeZoneOffset"]
    parts = [told.pop(name, "") for name in order]
    parts.append(_element("baseExtension", base) if base else "")
    parts += [told[name] for name in FIELDS.get(kind, ()) if name in told]
    return "".join((*parts, _element("extension", inner, deep) if inner or deep else ""))


def escape(text: str) -> str:
    """Text as XML carries it; a carriage return as a reference, or a parser would make a line feed of it."""
    return saxutils.escape(text, {"\r": "&#13;"})


def _element(name: str, *inner: str) -> str:
    return f"<{name}>{''.join(inner)}</{name}>"


def _leaf(name: str, value: Any) -> str:
    return f"<{name}>{escape(_text(value))}</{name}>"


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


_WRITERS: dict[str, Callable[[EventWriter, Any], str]] = {
    "sensorElementList": EventWriter._sensors,
    "persistentDisposition": EventWriter._lasting,
    "errorDeclaration": EventWriter._error,
}
