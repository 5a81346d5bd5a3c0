"""Reads EPCIS XML: 2.0, and 1.0 to 1.2, whose ``extension`` and ``baseExtension`` wrappers are taken off."""

from __future__ import annotations

from itertools import islice

from services.logistics.epcis.fields import FIELDS, Document, is_extension
from services.logistics.epcis.findings import TooLarge, refuse
from services.logistics.epcis.limits import MOST_EVENTS
from services.logistics.epcis.read_xml_events import find, read_event, read_hints, standard_name, unwrap
from services.logistics.epcis.read_xml_header import read_header, read_master_data
from services.logistics.epcis.safe_xml import Node, parse_xml


def read_document(body: bytes) -> Document:
    """The document, or the single event as a document of one. Raises NotReadable; shapes are ``checks``'s to judge."""
    return document_of(parse_xml(body))


def document_of(root: Node) -> Document:
    """The document of a tree. Raises NotReadable."""
    kind, prefixes = standard_name(root.name), read_hints(root.prefixes)
    if kind in FIELDS:
        event = read_event(root, prefixes, frozenset())
        return Document(
            "", root.attributes.get("schemaVersion", "2.0"), root.attributes.get("creationDate"), [event], ordered=True
        )
    body = find(root, "EPCISBody") or root
    results = find(body, "QueryResults") or body
    holder = find(results, "resultsBody") or results
    listed = find(holder, "EventList")
    if kind == "EPCISMasterDataDocument":
        created = root.attributes.get("creationDate")
        return Document(kind, root.attributes.get("schemaVersion", ""), created, [], master_data=read_master_data(root))
    if listed is None:
        raise refuse("$.EPCISBody", "there is no EventList")
    events = list(islice(unwrap(listed), MOST_EVENTS + 1))
    if len(events) > MOST_EVENTS:
        raise TooLarge(f"there are more than {MOST_EVENTS} events")
    unhashed = _read_unhashed(root, body, results, holder)
    prefixes |= read_hints(
        {name: uri for node in (body, results, holder, listed) for name, uri in node.prefixes.items()}
    )
    header = find(root, "EPCISHeader")
    return Document(
        kind=kind,
        version=root.attributes.get("schemaVersion", ""),
        created=root.attributes.get("creationDate"),
        events=[read_event(node, prefixes, unhashed) for node in events],
        namespaces=prefixes,
        header=read_header(header) if header else {},
        master_data=read_master_data(header) if header else [],
        query={
            name: node.text for name in ("queryName", "subscriptionID") if (node := find(results, name)) is not None
        },
        ordered=True,
    )


def _read_unhashed(*holders: Node) -> frozenset[str]:
    nodes = [child for holder in holders for child in holder.children]
    listed = [node for node in nodes if node.name.endswith("}ignoreFields")]
    names = (standard_name(child.name) for node in listed for child in node.children)
    return frozenset(name for name in names if is_extension(name))
