"""Reads a query in EPCIS XML: a ``Poll`` or ``Subscribe``, alone, in an EPCISQueryDocument or in a SOAP envelope."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from services.logistics.epcis.findings import refuse
from services.logistics.epcis.read_xml_events import find, standard_name
from services.logistics.epcis.safe_xml import Node, parse_xml

_ASKING = ("Poll", "Subscribe")


class Poll(msgspec.Struct, frozen=True):
    """A query by its name (``SimpleEventQuery``) and its parameters, in their order: one text, or a list of them."""

    query_name: str
    params: list[tuple[str, str | list[str]]]


def read_poll(body: bytes) -> Poll:
    """The first query in a document. Raises NotReadable when there is none, or it lacks a name or a value."""
    node = next(_find_all(parse_xml(body)), None)
    if node is None:
        raise refuse("$", "there is no query in the document")
    name = find(node, "queryName")
    if name is None or not name.text:
        raise refuse("$.queryName", "is missing", "required")
    params = find(node, "params")
    return Poll(name.text, [_read_param(one, place) for place, one in enumerate(params.children if params else ())])


def _find_all(node: Node) -> Iterator[Node]:
    if standard_name(node.name) in _ASKING:
        yield node
    for child in node.children:
        yield from _find_all(child)


def _read_param(node: Node, place: int) -> tuple[str, str | list[str]]:
    name, value = find(node, "name"), find(node, "value")
    if name is None or not name.text:
        raise refuse(f"$.params[{place}].name", "is missing", "required")
    if value is None:
        raise refuse(f"$.params[{place}].value", f"{name.text[:100]} has no value", "required")
    return name.text, [child.text for child in value.children] if value.children else value.text
