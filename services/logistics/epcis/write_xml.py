"""Writes documents as EPCIS XML 2.0, and as 1.2 for partners who have not moved (their wrappers put back on)."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from services.logistics.epcis.fields import Document, creation_time
from services.logistics.epcis.prefixes import Prefixes
from services.logistics.epcis.vocabulary import write_urn
from services.logistics.epcis.write_xml_events import EventWriter, Version, WriteWord, escape
from services.logistics.epcis.write_xml_header import write_header


def write_document(document: Document, *, version: Version = "2.0", word: WriteWord = write_urn) -> bytes:
    """The document in UTF-8. ``word`` writes the words of the CBV: ``write_urn`` (the default) or ``write_uri``."""
    prefixes = Prefixes([document.namespaces], document.events)
    writer = EventWriter(prefixes, word, version)
    events = "".join(writer.event(event) for event in document.events)
    ignored = writer.ignored(sorted({name for event in document.events for name in event.unhashed}))
    asked = document.kind == "EPCISQueryDocument"
    space = f"urn:epcglobal:epcis{'-query' if asked else ''}:xsd:{version[0]}"
    declared = "".join(f" xmlns:{name}={quoteattr(space)}" for space, name in prefixes.used.items())
    root = "epcisq:EPCISQueryDocument" if asked else "epcis:EPCISDocument"
    created = quoteattr(creation_time(document))
    body = f"<EventList>{events}</EventList>"
    if asked:
        told = "".join(f"<{name}>{escape(document.query[name])}</{name}>" for name in document.query)
        body = f"<epcisq:QueryResults>{told}<resultsBody>{body}</resultsBody></epcisq:QueryResults>"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<{root} xmlns:{root.partition(":")[0]}="{space}" xmlns:gs1="https://gs1.org/voc/" '
        f'xmlns:cbv="https://ref.gs1.org/cbv/"{declared} schemaVersion="{version}" creationDate={created}>'
        f"{write_header(document)}{ignored}<EPCISBody>{body}</EPCISBody></{root}>"
    ).encode()
