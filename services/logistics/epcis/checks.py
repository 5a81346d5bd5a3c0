"""Whether an event is one: the rules of EPCIS 2.0 and CBV 2.0, those that a schema can say and those that it cannot.

Each finding has a path and a rule. The rules in ``ADVICE`` are told but do not refuse an event: published documents
break them, and a repository that refused those would refuse what others accept (docs/epcis-conformance.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from services.logistics.epcis.check_sensors import check_sensors
from services.logistics.epcis.check_shapes import check_shapes
from services.logistics.epcis.fields import (
    ACTIONS,
    EPC_LISTS,
    FIELDS,
    PAIRS,
    PLACES,
    QUANTITY_LISTS,
    UNWRITABLE,
    Document,
    Event,
    is_extension,
)
from services.logistics.epcis.findings import MOST_FINDINGS, Finding
from services.logistics.epcis.identifiers import check_identifier, is_uri
from services.logistics.epcis.times import OFFSET, read_time
from services.logistics.epcis.vocabulary import DISPOSITION, ERROR_REASON, Vocabulary, is_own_form
from services.logistics.epcis.words import PAIR_TYPES, TOP

ADVICE = frozenset({"sensor_time", "sensor_twice", "ilmd"})
_ASKED = "EPCISQueryDocument"
KINDS = ("EPCISDocument", _ASKED, "EPCISMasterDataDocument", "")
VERSIONS = ("2.0", "2.0.0", "2.0.1", "2", "1", "1.0", "1.1", "1.2")


def check_placed(document: Document, place: int) -> list[Finding]:
    """Everything that is wrong with an event of a document; in XML 2.0 the order of its fields too."""
    event, path = document.events[place], write_path(document, place)
    findings = check_event(event, path)
    if document.ordered and document.kind != _ASKED and document.version.startswith("2"):
        findings += _check_order(event, path)
    return findings


def write_path(document: Document, place: int) -> str:
    """Where an event stands in its document."""
    if not document.kind:
        return "$"
    return f"$.epcisBody{'.queryResults.resultsBody' if document.kind == _ASKED else ''}.eventList[{place}]"


def check_event(event: Event, path: str = "$") -> list[Finding]:
    """What is wrong with an event: the first that refuse it, and the first of ``ADVICE``."""
    if event.type not in FIELDS:
        return [Finding(f"{path}.type", f"{event.type[:100]!r} is no type of event", "type")]
    findings = check_shapes(event, path)
    if findings:
        return findings
    fields = event.fields
    for check in (_check_times, _check_what, _check_action, _check_words, _check_identifiers):
        check(event.type, fields, path, findings)
    return [*findings, *_list_first(check_sensors(fields, path))]


def refusals(findings: Iterable[Finding], *, advice: frozenset[str] = ADVICE, most: int | None = None) -> list[Finding]:
    """The findings for which an event is refused, ``most`` at most; with no ``advice`` at all, by the letter of the standard."""
    return list(islice((one for one in findings if one.rule not in advice), most))


def _list_first(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The first that refuse and the first that advise, as many of each as need be told: neither hides the other."""
    told = Counter[bool]()
    for one in findings:
        told[one.rule in ADVICE] += 1
        if told[one.rule in ADVICE] <= MOST_FINDINGS:
            yield one
        if told[False] == MOST_FINDINGS:
            return


def check_envelope(document: Document) -> list[Finding]:
    """What is wrong around the events of a document."""
    findings = []
    if document.kind not in KINDS:
        findings.append(Finding("$.type", f"{document.kind[:100]!r} is no EPCIS document", "type"))
    if document.version not in VERSIONS and document.kind != "EPCISMasterDataDocument":
        findings.append(Finding("$.schemaVersion", f"{document.version[:50]!r} is no version of EPCIS", "version"))
    if document.created is not None and read_time(document.created) is None:
        findings.append(Finding("$.creationDate", "is no time with an offset", "time"))
    for name, text in (*document.header.items(), *document.query.items(), ("id", document.id or "")):
        if UNWRITABLE.search(text):
            findings.append(Finding(f"$.{name}", "has characters that XML cannot carry", "shape"))
    if document.kind == "EPCISDocument" and document.created is None:
        findings.append(Finding("$.creationDate", "is missing", "required"))
    return findings


def _check_order(event: Event, path: str) -> list[Finding]:
    ranks = {name: place for place, name in enumerate(FIELDS.get(event.type, ()))}
    last, before = -1, ""
    for name in event.fields:
        rank = ranks.get(name, len(ranks) if is_extension(name) else last)
        if rank < last:
            return [Finding(f"{path}.{name}", f"stands after {before}, in XML it comes before", "order")]
        last, before = rank, name
    return []


def _check_times(kind: str, fields: dict[str, Any], path: str, findings: list[Finding]) -> None:
    for name in ("eventTime", "recordTime"):
        if name in fields and read_time(fields[name]) is None:
            findings.append(Finding(f"{path}.{name}", f"{fields[name][:50]!r} is no time with an offset", "time"))
    offset = fields["eventTimeZoneOffset"]
    if not OFFSET.fullmatch(offset):
        findings.append(Finding(f"{path}.eventTimeZoneOffset", f"{offset[:20]!r} is no offset like +01:00", "time"))
    declared = fields.get("errorDeclaration", {}).get("declarationTime")
    if "errorDeclaration" in fields and read_time(declared) is None:
        findings.append(Finding(f"{path}.errorDeclaration.declarationTime", "is no time with an offset", "time"))


def _check_what(kind: str, fields: dict[str, Any], path: str, findings: list[Finding]) -> None:
    def want(named: bool, detail: str) -> None:
        if not named:
            findings.append(Finding(path, detail, "what"))

    match kind:
        case "ObjectEvent":
            some = any(name in fields for name in ("epcList", "quantityList", "sensorElementList"))
            want(some, "an ObjectEvent has an epcList, a quantityList or a sensorElementList")
        case "TransactionEvent":
            want(bool(fields.get("bizTransactionList")), "a TransactionEvent has a bizTransactionList")
        case "TransformationEvent":
            linked = "transformationID" in fields
            inputs = fields.get("inputEPCList") or fields.get("inputQuantityList")
            outputs = fields.get("outputEPCList") or fields.get("outputQuantityList")
            want(bool(inputs and outputs) or (linked and bool(inputs or outputs)), _TRANSFORMATION)
        case "AggregationEvent" | "AssociationEvent":
            childless = not (fields.get("childEPCs") or fields.get("childQuantityList"))
            want(not childless or fields.get("action") == "DELETE", f"an {kind} has children unless it deletes all")


_TRANSFORMATION = "a TransformationEvent has inputs and outputs, or one of them and a transformationID"


def _check_action(kind: str, fields: dict[str, Any], path: str, findings: list[Finding]) -> None:
    if kind == "TransformationEvent":
        return
    action = fields.get("action")
    if action not in ACTIONS:
        findings.append(Finding(f"{path}.action", f"{str(action)[:50]!r} is none of {', '.join(ACTIONS)}", "action"))
    if kind in ("AggregationEvent", "AssociationEvent") and action in ("ADD", "DELETE") and "parentID" not in fields:
        findings.append(Finding(f"{path}.parentID", f"an {kind} with action {action} names its parent", "parent"))
    if kind == "ObjectEvent" and "ilmd" in fields and action != "ADD":
        findings.append(Finding(f"{path}.ilmd", "an ObjectEvent has ILMD only with action ADD", "ilmd"))


def _check_words(kind: str, fields: dict[str, Any], path: str, findings: list[Finding]) -> None:
    for name, vocabulary in TOP.items():
        if name in fields:
            _check_word(vocabulary, fields[name], f"{path}.{name}", findings)
    for name, vocabulary in PAIR_TYPES.items():
        for place, pair in enumerate(fields.get(name, ())):
            if "type" in pair:
                _check_word(vocabulary, pair["type"], f"{path}.{name}[{place}].type", findings)
            elif name != "bizTransactionList" and len(findings) < MOST_FINDINGS:
                findings.append(Finding(f"{path}.{name}[{place}].type", "is missing", "required"))
    for part, words in fields.get("persistentDisposition", {}).items():
        for word in words:
            _check_word(DISPOSITION, word, f"{path}.persistentDisposition.{part}", findings)
    if reason := fields.get("errorDeclaration", {}).get("reason"):
        _check_word(ERROR_REASON, reason, f"{path}.errorDeclaration.reason", findings)


def _check_word(vocabulary: Vocabulary, word: str, path: str, findings: list[Finding]) -> None:
    if vocabulary.has(word) or len(findings) >= MOST_FINDINGS:
        return
    if is_own_form(vocabulary, word):
        findings.append(Finding(path, f"{word[:100]!r} is no {vocabulary.name} of the CBV", "vocabulary"))
    elif not is_uri(word):
        findings.append(Finding(path, f"{word[:100]!r} is neither a word of the CBV nor a URI", "vocabulary"))


def _check_identifiers(kind: str, fields: dict[str, Any], path: str, findings: list[Finding]) -> None:
    told: list[tuple[str, str]] = [(name, fields[name]) for name in ("parentID", "transformationID") if name in fields]
    for name in EPC_LISTS:
        told += [(f"{name}[{place}]", epc) for place, epc in enumerate(fields.get(name, ()))]
    for name in QUANTITY_LISTS:
        told += [(f"{name}[{place}].epcClass", one["epcClass"]) for place, one in enumerate(fields.get(name, ()))]
    told += [(f"{name}.id", fields[name]["id"]) for name in PLACES if name in fields]
    for name, what in PAIRS.items():
        told += [(f"{name}[{place}].{what}", one[what]) for place, one in enumerate(fields.get(name, ()))]
    for where, uri in told:
        if len(findings) >= MOST_FINDINGS:
            return
        if detail := check_identifier(uri):
            findings.append(Finding(f"{path}.{where}", f"{uri[:200]} {detail}", "identifier"))
    if "eventID" in fields and not is_uri(fields["eventID"]):
        findings.append(Finding(f"{path}.eventID", "is not an absolute URI", "identifier"))
