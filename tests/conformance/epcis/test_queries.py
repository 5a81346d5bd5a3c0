"""T6: the queries of the EPCglobal interoperability scenario, asked over REST, find the events that their answers hold.

Polls (and subscriptions that an answer with events belongs to) become query strings: the parameters are named alike. What was a
QuantityEvent is an ObjectEvent with quantities. Each event is captured when it happened, as its answers say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from chassis import clock
from services.logistics.epcis import write_json
from services.logistics.epcis.event_hash import hash_event
from services.logistics.epcis.fields import FIELDS, Event
from services.logistics.epcis.read_json import document_of
from services.logistics.epcis.read_poll import Poll, read_poll
from services.logistics.epcis.read_xml_events import read_event, standard_name
from services.logistics.epcis.safe_xml import Node, parse_xml
from tests.conformance.epcis.files import DATA, OPEN, list_files, read_file
from tests.services.logistics.conftest import open_stand
from tests.services.logistics.epcis_client import Partner

HOME = "fosstrak-interop"
ANSWERS = [
    one
    for one in list_files(f"{HOME}/queries/webservice/responses/*.xml")
    if not isinstance(one, str) or b"<EventList" in (DATA / one).read_bytes() or "SE3-" in one
]
REFUSED = [
    pytest.param(
        "Test-EPCIS10-SE71-Request-1-Poll.xml",
        "QueryParameterException",
        marks=pytest.mark.xfail(
            reason="a quantity was a whole number in EPCIS 1.0 and is a decimal since 1.1", strict=True
        ),
    ),
    ("Test-EPCIS10-SE41-Request-1-poll.xml", "QueryParameterException"),
    ("Test-EPCIS10-SE7-Request.xml", "NoSuchNameException"),
]


@pytest.fixture(scope="module")
def scenario(databases: Any) -> Iterator[Partner]:
    """A repository that holds the scenario's events and master data."""
    files = sorted((DATA / HOME).glob("events/*.xml"))
    if not files:
        pytest.skip(f"there is no {HOME} in ../shared/data")
    events = [event for path in files for event in read_file(str(path.relative_to(DATA))).events]
    with clock.frozen(datetime.fromisoformat("2006-06-24T00:00:00Z")) as frozen:
        partner = Partner(open_stand(databases, frozen))
        for event in sorted(events, key=happened):
            frozen.at = max(frozen.at, happened(event))
            answer = partner.ask("POST", "/events", write_json.write_event(event))
            assert answer.status_code == 201, answer.text
        for path in (DATA / HOME).glob("masterdata/*.xml"):
            answer = partner.ask("POST", "/capture", path.read_bytes(), Content_Type="application/xml")
            assert partner.job(answer)["success"]
        yield partner


@pytest.mark.parametrize("name", ANSWERS)
def test_finds_what_the_answer_holds(scenario: Partner, name: str) -> None:
    path = DATA / name
    found = ask_all(scenario, to_query(read_poll(find_request(path).read_bytes())))
    assert sorted(map(describe, found)) == sorted(map(describe, read_answer(path)))


@pytest.mark.parametrize(("request_name", "exception"), REFUSED)
def test_refuses_as_the_answer_says(scenario: Partner, request_name: str, exception: str) -> None:
    path = DATA / HOME / "queries/webservice/requests" / request_name
    poll = read_poll(path.read_bytes())
    if poll.query_name == "SimpleEventQuery":
        answer = scenario.ask("GET", f"/events?{urlencode(to_query(poll))}")
    else:
        answer = scenario.ask("GET", f"/queries/{poll.query_name}/events")
    assert answer.status_code == (404 if exception == "NoSuchNameException" else 400)
    assert answer.json["type"] == f"epcisException:{exception}"


@pytest.mark.parametrize("name", list_files(f"{OPEN}/2.0/EPCIS/JSON/Query/Queries/*.json"))
def test_published_queries_are_taken(partner: Partner, name: str) -> None:
    query = msgspec.json.decode((DATA / name).read_bytes())
    assert partner.ask("POST", "/queries", {"name": "q", "query": query}).status_code == 201
    assert partner.ask("GET", "/queries/q").json == {"name": "q", "query": query}
    assert partner.ask("GET", "/queries/q/events").status_code == 200


@pytest.mark.parametrize("name", list_files(f"{OPEN}/2.0/EPCIS/JSON/Query/Queries/Invalid/*.json"))
def test_published_wrong_queries_are_refused(partner: Partner, name: str) -> None:
    query = msgspec.json.decode((DATA / name).read_bytes())
    answer = partner.ask("POST", "/queries", {"name": "q", "query": query})
    assert (answer.status_code, answer.json["type"]) == (400, "epcisException:QueryParameterException")
    assert answer.json["parameter"] in query
    assert partner.ask("GET", "/queries").json == []


@pytest.mark.parametrize("name", list_files(f"{OPEN}/2.0/EPCIS/XML/Query/Queries/*.xml"))
def test_published_polls_can_be_asked(partner: Partner, name: str) -> None:
    poll = read_poll((DATA / name).read_bytes())
    assert partner.ask("GET", f"/events?{urlencode(to_query(poll))}").status_code == 200


def happened(event: Event) -> datetime:
    """When an event was."""
    return datetime.fromisoformat(event.fields["eventTime"])


def find_request(answer: Path) -> Path:
    """The request that an answer belongs to."""
    number = re.search(r"10-((?:SE|MD)\d+)-", answer.name)
    assert number is not None
    return next((answer.parents[1] / "requests").glob(f"Test-EPCIS10-{number[1]}-Request*.xml"))


def to_query(poll: Poll) -> list[tuple[str, str]]:
    """The parameters of a poll as a query string has them."""
    params = dict(poll.params)
    if params.get("eventType") == ["QuantityEvent"]:
        params |= {"eventType": ["ObjectEvent"], "GE_quantity": "0"}
    texts = {name: "|".join(value) if isinstance(value, list) else value for name, value in params.items()}
    return [(name, value.strip()) for name, value in texts.items()]


def ask_all(partner: Partner, params: list[tuple[str, str]]) -> list[Event]:
    """Every event that answers, over pages of 30."""
    found: list[Event] = []
    path: str | None = f"/events?{urlencode(params)}"
    while path is not None:
        answer = partner.ask("GET", path)
        assert answer.status_code == 200, answer.text
        found += document_of(answer.json).events
        link = answer.headers.get("Link")
        path = link[1 : link.index(">")].removeprefix("/epcis/v2") if link else None
    return found


def read_answer(path: Path) -> list[Event]:
    """The events of an answer."""
    return [read_event(node, {}, frozenset()) for node in walk(parse_xml(path.read_bytes()))]


def walk(node: Node) -> Iterator[Node]:
    """Every element that is an event."""
    if standard_name(node.name) in (*FIELDS, "QuantityEvent"):
        yield node
        return
    for child in node.children:
        yield from walk(child)


def describe(event: Event) -> str:
    """What an event is told by: the hash of what is not only the repository's."""
    own = {name: value for name, value in event.fields.items() if name not in ("eventID", "recordTime")}
    return hash_event(msgspec.structs.replace(event, fields=own))
