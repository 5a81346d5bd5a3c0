"""The EPCIS 2.0 event model: the fields of the five event types in the standard's order, and what each holds.

Inside, an event is a mapping shaped like the JSON binding, with three differences: an extension's name is written
``{namespace}name`` whatever prefix it had, words of the CBV are bare, and CURIEs are written out. Identifiers stay as
they were captured; ``identifiers.canonical`` says what they equal.
"""

from __future__ import annotations

import re
from typing import Any
from xml.parsers import expat

import msgspec

_WHEN = "eventTime recordTime eventTimeZoneOffset eventID errorDeclaration certificationInfo"
_WHERE = "bizStep disposition readPoint bizLocation"
_HOW = "sourceList destinationList sensorElementList persistentDisposition"

FIELDS: dict[str, tuple[str, ...]] = {
    kind: tuple(fields.split())
    for kind, fields in {
        "ObjectEvent": f"{_WHEN} epcList action {_WHERE} bizTransactionList quantityList {_HOW} ilmd",
        "AggregationEvent": f"{_WHEN} parentID childEPCs action {_WHERE} bizTransactionList childQuantityList {_HOW}",
        "TransactionEvent": f"{_WHEN} bizTransactionList parentID epcList action {_WHERE} quantityList {_HOW}",
        "TransformationEvent": f"{_WHEN} inputEPCList inputQuantityList outputEPCList outputQuantityList "
        f"transformationID {_WHERE} bizTransactionList {_HOW} ilmd",
        "AssociationEvent": f"{_WHEN} parentID childEPCs childQuantityList action {_WHERE} bizTransactionList {_HOW}",
    }.items()
}
"""What each event type may have, in the order of the XML binding."""

ACTIONS = ("ADD", "OBSERVE", "DELETE")
EPC_LISTS = ("epcList", "childEPCs", "inputEPCList", "outputEPCList")
QUANTITY_LISTS = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
PLACES = ("readPoint", "bizLocation")
PAIRS = {"bizTransactionList": "bizTransaction", "sourceList": "source", "destinationList": "destination"}
"""The lists of typed values, with the name of the value."""

METADATA = (
    "time",
    "startTime",
    "endTime",
    "deviceID",
    "deviceMetadata",
    "rawData",
    "dataProcessingMethod",
    "bizRules",
)
REPORT = (
    "type",
    "exception",
    "deviceID",
    "deviceMetadata",
    "rawData",
    "dataProcessingMethod",
    "time",
    "microorganism",
    "chemicalSubstance",
    "value",
    "component",
    "stringValue",
    "booleanValue",
    "hexBinaryValue",
    "uriValue",
    "minValue",
    "maxValue",
    "meanValue",
    "sDev",
    "percRank",
    "percValue",
    "uom",
    "coordinateReferenceSystem",
)
"""The fields of a sensor report, in the order in which they are hashed."""

SENSOR_URIS = ("deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules", "microorganism", "uriValue")
"""The fields of sensor metadata and reports that name something."""
NUMBERS = frozenset({"quantity", "value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue"})
TIMES = frozenset({"time", "startTime", "endTime"})
NAME = re.compile(r"[^\W\d][\w.\-]*")
"""What a name is made of; ``is_name`` says whether XML can carry it."""
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that XML cannot carry."""
COMMENT = "{http://www.w3.org/2000/01/rdf-schema#}comment"
EPCIS_SPACES = (
    "urn:epcglobal:epcis:xsd:1",
    "urn:epcglobal:epcis:xsd:2",
    "urn:epcglobal:epcis-query:xsd:1",
    "urn:epcglobal:epcis-query:xsd:2",
    "urn:epcglobal:epcis-masterdata:xsd:1",
    "urn:epcglobal:epcis-masterdata:xsd:2",
)


class Event(msgspec.Struct):
    """An event: its type, its fields, the prefixes that its author used ({prefix: namespace}), and the names of
    extension fields that its document wants left out of the hash."""

    type: str
    fields: dict[str, Any]
    namespaces: dict[str, str] = {}
    unhashed: frozenset[str] = frozenset()


class Document(msgspec.Struct):
    """An EPCISDocument or EPCISQueryDocument: its events, its header and its master data.

    ``header`` has the text of ``sender``, ``receiver`` and ``instanceIdentifier`` where given; ``query`` has the query's
    ``queryName`` and ``subscriptionID``. ``master_data`` are vocabularies as the JSON binding shapes them. ``ordered``
    says that the order of fields is part of the syntax (XML).
    """

    kind: str
    version: str
    created: str | None
    events: list[Event]
    id: str | None = None
    namespaces: dict[str, str] = {}
    header: dict[str, str] = {}
    master_data: list[dict[str, Any]] = []
    query: dict[str, str] = {}
    ordered: bool = False


def creation_time(document: Document) -> str:
    """When a document was made; for an event that came alone, when it happened."""
    return document.created or next((str(event.fields.get("eventTime", "")) for event in document.events), "")


def split_name(name: str) -> tuple[str, str]:
    """The namespace and the local part of ``{namespace}local``; the namespace of a plain name is empty."""
    if not name.startswith("{"):
        return "", name
    space, _, local = name[1:].rpartition("}")
    return space, local


def is_extension(name: str) -> bool:
    """Whether a field is somebody's own, under a namespace."""
    return name.startswith("{")


def is_name(text: str) -> bool:
    """Whether XML can carry a text as a name, which an extension needs: beyond ASCII that is for the parser to say."""
    if NAME.fullmatch(text) is None:
        return False
    try:
        return text.isascii() or bool(expat.ParserCreate().Parse(f"<{text}/>", True))
    except expat.ExpatError:
        return False
