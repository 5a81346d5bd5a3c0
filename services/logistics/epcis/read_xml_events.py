"""Reads one event of EPCIS XML, of any version, into the form that JSON gives.

The ``extension`` and ``baseExtension`` wrappers of EPCIS 1.x are taken off; a QuantityEvent of 1.0 becomes the
ObjectEvent that it always meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from services.logistics.epcis.contexts import expand_curie, plain_space
from services.logistics.epcis.fields import (
    EPC_LISTS,
    EPCIS_SPACES,
    FIELDS,
    NUMBERS,
    PAIRS,
    PLACES,
    QUANTITY_LISTS,
    Event,
)
from services.logistics.epcis.safe_xml import Node
from services.logistics.epcis.vocabulary import PREFIXES
from services.logistics.epcis.words import read_words

_WITHOUT_SECONDS = re.compile(r"(T\d\d:\d\d)(Z|[+-]\d\d:\d\d)$")
_WRAPPERS = ("extension", "baseExtension")
_NOT_HINTS = (*EPCIS_SPACES, "http://www.w3.org/2001/XMLSchema-instance", "http://www.w3.org/2001/XMLSchema")


def read_event(node: Node, prefixes: dict[str, str], unhashed: frozenset[str]) -> Event:
    """The event of an element."""
    declared = dict(_all_declared(node))
    hints = prefixes | read_hints(declared) if declared else prefixes
    reader = _Reader(prefixes | read_hints(node.prefixes) | PREFIXES)
    fields: dict[str, Any] = {}
    for child in unwrap(node):
        name = standard_name(child.name)
        value = _READERS.get(name, _Reader.scalar if name in _SCALARS else _Reader.extension)(reader, child)
        add(fields, name, value)
    read_words(fields)
    kind = standard_name(node.name)
    return Event(*_upgrade(kind, fields), hints, unhashed)


@lru_cache(4_096)
def standard_name(name: str) -> str:
    """The name of an element as the standard has it: without the standard's own namespace."""
    space, mark, local = name.rpartition("}")
    if not mark or space[1:] in EPCIS_SPACES:
        return local
    return f"{{{plain_space(space[1:])}}}{local}"


def find(node: Node, name: str) -> Node | None:
    """The first child of that name."""
    return next((child for child in node.children if standard_name(child.name) == name), None)


def unwrap(node: Node) -> Iterator[Node]:
    """The children, those of the wrappers of EPCIS 1.x among them."""
    for child in node.children:
        if standard_name(child.name) in _WRAPPERS:
            yield from unwrap(child)
        else:
            yield child


class _Reader:
    """Reads the parts of one event, with the prefixes that hold there."""

    def __init__(self, known: dict[str, str]) -> None:
        self._known = known

    def scalar(self, node: Node) -> Any:
        return self.extension(node) if node.children else self._text(node.text)

    def epcs(self, node: Node) -> list[Any]:
        return [self.scalar(child) if _is(child, "epc") else _unknown(child) for child in node.children]

    def quantities(self, node: Node) -> list[dict[str, Any]]:
        return [self._struct(child) if _is(child, "quantityElement") else _unknown(child) for child in node.children]

    def pairs(self, node: Node) -> list[dict[str, Any]]:
        return [
            {name: self._text(text) for name, text in child.attributes.items()}
            | {standard_name(child.name): self._text(child.text)}
            for child in node.children
        ]

    def place(self, node: Node) -> dict[str, Any]:
        return self._struct(node)

    def sensors(self, node: Node) -> list[dict[str, Any]]:
        return [self._sensor(child) if _is(child, "sensorElement") else _unknown(child) for child in node.children]

    def lasting(self, node: Node) -> dict[str, list[str]]:
        told: dict[str, list[str]] = {}
        for child in node.children:
            told.setdefault(standard_name(child.name), []).append(self._text(child.text))
        return told

    def error(self, node: Node) -> dict[str, Any]:
        told = self._struct(node)
        if listed := find(node, "correctiveEventIDs"):
            told["correctiveEventIDs"] = [
                child.text if _is(child, "correctiveEventID") else _unknown(child) for child in listed.children
            ]
        if _WITHOUT_SECONDS.search(when := str(told.get("declarationTime", ""))):  # as EPCIS 1.x documents have it
            told["declarationTime"] = _WITHOUT_SECONDS.sub(r"\1:00\2", when)
        return told

    def ilmd(self, node: Node) -> dict[str, Any]:
        return self._struct(node)

    def extension(self, node: Node) -> Any:
        if not node.children and not node.attributes:
            return self._text(node.text)
        told: dict[str, Any] = {f"@{name}": self._text(text) for name, text in node.attributes.items()}
        if node.text:
            told["#text"] = self._text(node.text)
        self._gather(told, node.children, self.extension)
        return told

    def _sensor(self, node: Node) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for child in unwrap(node):
            name = standard_name(child.name)
            if name == "sensorReport":
                told.setdefault(name, []).append(self._attributes(child))
            elif name == "sensorMetadata":
                told[name] = self._attributes(child)
            else:
                self._gather(told, [child], self.extension)
        return told

    def _attributes(self, node: Node) -> dict[str, Any]:
        told = {standard_name(name): _typed(name, self._text(text)) for name, text in node.attributes.items()}
        self._gather(told, node.children, self.extension)
        return told

    def _struct(self, node: Node) -> dict[str, Any]:
        told: dict[str, Any] = {}
        self._gather(told, list(unwrap(node)), self.extension)
        return {name: _typed(name, value) for name, value in told.items() if value != "" or name not in NUMBERS}

    def _gather(self, told: dict[str, Any], nodes: list[Node], read: Callable[[Node], Any]) -> None:
        for node in nodes:
            add(told, standard_name(node.name), read(node))

    def _text(self, text: str) -> str:
        return expand_curie(text.strip(), self._known) if ":" in text else text


def _is(node: Node, name: str) -> bool:
    return standard_name(node.name) == name


def _unknown(node: Node) -> dict[str, str]:
    """What stands in a list and is none of its items, so that ``checks`` refuses it."""
    return {standard_name(node.name): node.text}


def add(told: dict[str, Any], name: str, value: Any) -> None:
    """Puts a value under a name, or beside those that are there."""
    before = told.get(name)
    if name not in told:
        told[name] = value
    elif isinstance(before, list):
        before.append(value)
    else:
        told[name] = [before, value]


def _typed(name: str, value: Any) -> Any:
    if name == "booleanValue":
        return {"true": True, "1": True, "false": False, "0": False}.get(value, value)
    if name not in NUMBERS or not isinstance(value, str):
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return int(value) if value.lstrip("+-").isdecimal() and len(value) < 16 else number


def _upgrade(kind: str, fields: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if kind != "QuantityEvent":
        return kind, fields
    counted = {name: _typed(name, fields.pop(name)) for name in ("epcClass", "quantity") if name in fields}
    return "ObjectEvent", fields | {"action": "OBSERVE", "quantityList": [counted]}


def read_hints(declared: dict[str, str]) -> dict[str, str]:
    """The prefixes that a document declares for namespaces of its own."""
    return {prefix: plain_space(uri) for prefix, uri in declared.items() if uri not in _NOT_HINTS}


def _all_declared(node: Node) -> Iterator[tuple[str, str]]:
    yield from node.prefixes.items()
    for child in node.children:
        yield from _all_declared(child)


_SCALARS = frozenset(name for fields in FIELDS.values() for name in fields)
_READERS: dict[str, Callable[[_Reader, Node], Any]] = {
    **dict.fromkeys(EPC_LISTS, _Reader.epcs),
    **dict.fromkeys(QUANTITY_LISTS, _Reader.quantities),
    **dict.fromkeys(PAIRS, _Reader.pairs),
    **dict.fromkeys(PLACES, _Reader.place),
    "sensorElementList": _Reader.sensors,
    "persistentDisposition": _Reader.lasting,
    "errorDeclaration": _Reader.error,
    "ilmd": _Reader.ilmd,
}
