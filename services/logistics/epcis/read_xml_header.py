"""Reads the header of an EPCIS XML document: who sent it to whom, and the master data that it brings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.logistics.epcis.read_xml_events import add
from services.logistics.epcis.safe_xml import Node

_HEADER = {
    "sender": ("Sender", "Identifier"),
    "receiver": ("Receiver", "Identifier"),
    "instanceIdentifier": ("DocumentIdentification", "InstanceIdentifier"),
}


def read_header(header: Node) -> dict[str, str]:
    """The sender, receiver and instance identifier of a standard business document header."""
    told = {}
    for name, (outer, inner) in _HEADER.items():
        found = [text for node in _named(header, outer) for leaf in _named(node, inner) if (text := leaf.text)]
        if found:
            told[name] = found[0]
    return told


def read_master_data(header: Node) -> list[dict[str, Any]]:
    """The vocabularies, as the JSON binding shapes them."""
    return [
        {
            "type": vocabulary.attributes.get("type", ""),
            "vocabularyElementList": [_read_element(one) for one in _named(vocabulary, "VocabularyElement")],
        }
        for vocabulary in _named(header, "Vocabulary")
    ]


def _read_element(node: Node) -> dict[str, Any]:
    element: dict[str, Any] = {"id": node.attributes.get("id", "")}
    attributes = [
        {"id": one.attributes.get("id", ""), "attribute": _read_attribute(one)}
        for one in node.children
        if _local(one) == "attribute"
    ]
    children = [leaf.text for one in node.children if _local(one) == "children" for leaf in one.children]
    return element | ({"attributes": attributes} if attributes else {}) | ({"children": children} if children else {})


def _read_attribute(node: Node) -> Any:
    if not node.children:
        return node.text
    told: dict[str, Any] = {}
    for child in node.children:
        add(told, _local(child), _read_attribute(child))
    return told


def _named(node: Node, name: str) -> Iterator[Node]:
    for child in node.children:
        if _local(child) == name:
            yield child
        else:
            yield from _named(child, name)


def _local(node: Node) -> str:
    return node.name.rpartition("}")[2]
