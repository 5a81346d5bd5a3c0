"""How the EPCIS 2.0 REST binding is spoken: media types, versions, formats, problems, and what OPTIONS answers.

A topic mounts its part by a blueprint of its own: ``Blueprint(name, __name__, url_prefix=PREFIX)`` with ``dialect = EPCIS``.
Its routes return a ``Reply`` made by ``write_events``, ``write_view`` or ``write_created``, which choose its form by the
request's headers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args
from urllib.parse import quote

import msgspec
from werkzeug.datastructures import Headers, MIMEAccept
from werkzeug.http import parse_accept_header

from chassis import clock
from chassis.http import Reply
from chassis.problems import Problem
from chassis.wire import Dialect, Headings
from chassis.wire import write_problem as write_problem_json
from services.logistics.epcis import write_json, write_xml
from services.logistics.epcis.exceptions import LIMIT_HEADERS, NotAcceptableException, rename_problem
from services.logistics.epcis.fields import Document, Event
from services.logistics.epcis.object_event import write_time
from services.logistics.epcis.plain_xml import write_plain_xml
from services.logistics.epcis.translate import EpcFormat
from services.logistics.epcis.vocabulary import write_uri, write_urn

PREFIX = "/epcis/v2"
JSON, JSON_LD, XML, OLD_XML = "application/json", "application/ld+json", "application/xml", "text/xml"
PROBLEM_JSON, PROBLEM_XML = "application/problem+json", "application/problem+xml"
TAKEN = (JSON, JSON_LD, XML, OLD_XML)
VERSION, OLD_VERSION = "2.0.0", "1.2"
"""What is spoken, and the XML in which events are told to those who take nothing newer (``GS1-EPCIS-Max``)."""
OLDEST_DOCUMENT = "1.0"
LONGEST_ID = 1_000
WordFormat = Literal["No_Preference", "Always_Web_URI", "Always_URN", "Never_Translates"]
VERSION_HEADERS: tuple[tuple[str, str], ...] = (
    ("GS1-EPCIS-Version", VERSION),
    ("GS1-CBV-Version", VERSION),
    ("GS1-Extensions", "haihe=urn:haihe"),
)
_encode = msgspec.json.Encoder(decimal_format="number").encode


def write_events(
    headers: Headers,
    events: Sequence[Event],
    *,
    query_name: str = "SimpleEventQuery",
    subscription_id: str | None = None,
    extra: Sequence[tuple[str, str]] = (),
) -> Reply:
    """Events as an EPCISQueryDocument in the form that the caller accepts. Raises NotAcceptableException."""
    query = {"subscriptionID": subscription_id} if subscription_id else {}
    document = Document(
        kind="EPCISQueryDocument",
        version="2.0",
        created=write_time(clock.now()),
        events=list(events),
        query={**query, "queryName": query_name},
    )
    media_type = choose_media_type(headers)
    if media_type in (XML, OLD_XML):
        body = _write_xml(headers, document)
    else:
        _refuse_old(headers)
        body = _encode(write_json.write_document(document))
    return Reply(200, [("Content-Type", media_type), *extra], body)


def _write_xml(headers: Headers, document: Document) -> bytes:
    word_format = read_word_format(headers)
    if _speak(headers) == OLD_VERSION:
        return write_xml.write_document(document, version="1.2")
    return write_xml.write_document(document, word=write_uri if word_format == "Always_Web_URI" else write_urn)


def write_view(
    headers: Headers, view: Any, *, name: str = "Collection", status: int = 200, extra: Sequence[tuple[str, str]] = ()
) -> Reply:
    """Anything else, a struct, mapping or list, as JSON, or as XML whose root is ``name``. Raises NotAcceptableException."""
    _refuse_old(headers)
    media_type = choose_media_type(headers)
    is_xml = media_type in (XML, OLD_XML)
    body = write_plain_xml(name, msgspec.to_builtins(view)) if is_xml else _encode(view)
    return Reply(status, [("Content-Type", media_type), *extra], body)


def write_created(path: str, *, status: int = 201) -> Reply:
    """That something is there now, or will be, at a path below the prefix."""
    return Reply(status, [("Location", f"{PREFIX}/{path}")])


def quote_id(id: str) -> str:
    """An id as one step of a path."""
    return quote(id, safe="")


def choose_media_type(headers: Headers) -> str:
    """The form that a caller likes best; JSON when it has no wish. Raises NotAcceptableException."""
    accept = headers.get("Accept", "")
    found = parse_accept_header(accept, MIMEAccept).best_match(TAKEN) if accept.strip() else JSON
    if found is None:
        raise NotAcceptableException(f"there is {', '.join(TAKEN)}", accept=list(TAKEN))
    return found


def read_format(headers: Headers) -> EpcFormat:
    """How the caller wants identifiers (``GS1-EPC-Format``). Raises NotAcceptableException."""
    return _choose(headers, "GS1-EPC-Format", get_args(EpcFormat), "Always_GS1_Digital_Link")


def read_word_format(headers: Headers) -> WordFormat:
    """How the caller wants the words of the CBV in XML. Raises NotAcceptableException."""
    return _choose(headers, "GS1-CBV-XML-Format", get_args(WordFormat), "No_Preference")


def _choose(headers: Headers, name: str, options: tuple[str, ...], default: str) -> Any:
    value = headers.get(name, default).strip()
    if value not in options:
        raise NotAcceptableException(f"{name} is one of {', '.join(options)}")
    return value


def _speak(headers: Mapping[str, str]) -> str:
    """The version that a caller is answered in."""
    most = headers.get("GS1-EPCIS-Max")
    is_old = most is not None and _read_version(most, fill=99) < _read_version(VERSION)
    return OLD_VERSION if is_old else VERSION


def _refuse_old(headers: Headers) -> None:
    if _speak(headers) == OLD_VERSION:
        raise NotAcceptableException(f"in EPCIS {OLD_VERSION} there are events as XML only")


def _admit(headers: Mapping[str, str]) -> None:
    """Version negotiation: what we speak must lie within what the caller takes, or documents within what we read."""
    spoken = _speak(headers)
    for name in ("EPCIS", "CBV"):
        least, most = headers.get(f"GS1-{name}-Min"), headers.get(f"GS1-{name}-Max")
        if least is not None and _read_version(least) > _read_version(spoken):
            raise NotAcceptableException(f"this is {name} {spoken}, older than {least[:20]}")
        if most is not None and _read_version(most, fill=99) < _read_version(spoken):
            raise NotAcceptableException(f"this is {name} {spoken}, newer than {most[:20]}")
        given = headers.get(f"GS1-{name}-Version")
        if given is not None and not _read_version(OLDEST_DOCUMENT) <= _read_version(given) < (2, 1):
            raise NotAcceptableException(f"documents of {name} {OLDEST_DOCUMENT} to {VERSION} are read")


def _read_version(text: str, *, fill: int = 0) -> tuple[int, ...]:
    parts = text.strip().split(".")
    if len(text) > 20 or not all(part.isascii() and part.isdigit() for part in parts):
        raise NotAcceptableException(f"{text[:20]!r} is no version")
    return tuple([int(part) for part in parts] + [fill] * (3 - len(parts)))


def _options(path: str) -> Headings:
    told: Headings = [
        *((f"GS1-{name}-{end}", version) for name in ("EPCIS", "CBV") for end, version in _ENDS),
        ("GS1-EPC-Format", ", ".join(get_args(EpcFormat))),
        ("GS1-CBV-XML-Format", ", ".join(get_args(WordFormat))),
        ("GS1-Vendor-Version", "haihe"),
    ]
    if path in (f"{PREFIX}/capture", f"{PREFIX}/events"):
        told += [*LIMIT_HEADERS.items(), ("GS1-Capture-Error-Behaviour", "rollback, proceed")]
    if path.startswith(f"{PREFIX}/queries"):
        told.append(("GS1-Query-Min-Record-Time", "1970-01-01T00:00:00Z"))
    return told


_ENDS = (("Min", OLDEST_DOCUMENT), ("Max", VERSION))


def _choose_problem(accept: str) -> tuple[str, Any]:
    kinds = [PROBLEM_JSON, JSON, JSON_LD, PROBLEM_XML, XML, OLD_XML]
    found = parse_accept_header(accept, MIMEAccept).best_match(kinds, PROBLEM_JSON)
    return (PROBLEM_XML, _write_problem_xml) if "xml" in str(found) else (PROBLEM_JSON, write_problem_json)


def _write_problem_xml(problem: Problem, request_id: str | None) -> bytes:
    document = problem.document()
    if request_id:
        document["instance"] = f"urn:haihe:request:{request_id}"
    return write_plain_xml("EPCISException", document)


def _is_id(text: str) -> bool:
    return 0 < len(text) <= LONGEST_ID and text.isprintable()


EPCIS = Dialect(
    prefix=PREFIX,
    accept=TAKEN,
    problem_media_type=PROBLEM_JSON,
    gives=TAKEN,
    admit=_admit,
    headers=VERSION_HEADERS,
    is_id=_is_id,
    rename=rename_problem,
    choose_problem=_choose_problem,
    options=_options,
)
