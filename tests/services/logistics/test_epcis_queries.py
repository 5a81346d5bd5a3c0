"""What a partner may ask the repository, page by page and under names; and what nobody may."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from werkzeug.test import TestResponse

from services.logistics.epcis import read_xml
from services.logistics.epcis.event_hash import hash_event
from services.logistics.epcis.query import commands, queries
from tests.services.logistics.conftest import Stand
from tests.services.logistics.epcis_client import SGTIN, V2, Partner, write_event

SHIPPING = {"name": "shipped", "query": {"EQ_bizStep": ["shipping"], "eventType": ["ObjectEvent"]}}


@pytest.fixture
def mill(stand: Stand) -> Partner:
    """A company that captured five events, one a minute."""
    partner = Partner(stand)
    events = [
        write_event(number, eventTime=f"2026-03-02T07:0{number}:00Z", **{"ex:lot": str(number)})
        for number in range(1, 6)
    ]
    assert partner.job(partner.capture(*events))["success"]
    return partner


def lots(answer: TestResponse) -> str:
    """The lots of the events of an answer, in its order."""
    assert answer.status_code == 200, answer.text
    listed = answer.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return "".join(event["ex:lot"] for event in listed)


def next_page(answer: TestResponse) -> str | None:
    """Where the link of an answer leads."""
    link = answer.headers.get("Link")
    if link is None:
        return None
    target, _, relation = link.partition(">; ")
    assert relation == 'rel="next"'
    return target.removeprefix(f"<{V2}")


def token_of(answer: TestResponse) -> str:
    """The token in the link of an answer."""
    return dict(parse_qsl(urlsplit(next_page(answer) or "").query))["nextPageToken"]


def problem(answer: TestResponse) -> tuple[int, str]:
    """The status and the short name of a problem."""
    assert answer.content_type == "application/problem+json"
    return answer.status_code, answer.json["type"].removeprefix("epcisException:")


@pytest.mark.parametrize(
    ("asked", "pages"),
    [
        ("", ["54321"]),
        ("perPage=2", ["54", "32", "1"]),
        ("perPage=5", ["54321"]),
        ("perPage=2&orderBy=eventTime&orderDirection=ASC", ["12", "34", "5"]),
        ("perPage=3&orderBy=ex:lot&orderDirection=ASC", ["123", "45"]),
        ("perPage=3&orderBy=https://example.com/lot", ["543", "21"]),
        ("perPage=2&orderBy=eventTime&eventCountLimit=3", ["54", "3"]),
        ("orderBy=eventTime&eventCountLimit=2", ["54"]),
        ("perPage=2&maxEventCount=5", ["54", "32", "1"]),
        ("EQ_bizStep=receiving", [""]),
        ("MATCH_epc=" + quote(SGTIN.format(2) + "|" + SGTIN.format(4)), ["42"]),
        ("GE_eventTime=2026-03-02T08:03:00%2B01:00&LT_eventTime=2026-03-02T07:05:00Z", ["43"]),
        ("GT_ex:lot=2&LE_ex:lot=4", ["43"]),
        ("EQ_bizStep=", ["54321"]),
        ("EQ_bizStep=urn:epcglobal:cbv:bizstep:shipping|cbv:BizStep-receiving", ["54321"]),
    ],
)
def test_pages(mill: Partner, asked: str, pages: list[str]) -> None:
    path: str | None = f"/events?{asked}"
    found = []
    while path is not None:
        answer = mill.ask("GET", path)
        found.append(lots(answer))
        path = next_page(answer)
        assert (path is None) == ("GS1-Next-Page-Token-Expires" not in answer.headers)
    assert found == pages


@pytest.mark.parametrize(
    ("asked", "status", "name"),
    [
        ("EQ_bizstep=shipping", 400, "EQ_bizstep"),
        ("GE_eventDate=2026-01-01T00:00:00Z", 400, "GE_eventDate"),
        ("GE_eventTime=2026-01-01", 400, "GE_eventTime"),
        ("GT_eventTime=2026-01-01T00:00:00Z", 400, "GT_eventTime"),
        ("EQ_action=MOVE", 400, "EQ_action"),
        ("EQ_bizStep=shiping", 400, "EQ_bizStep"),
        ("eventType=QuantityEvent", 400, "eventType"),
        ("MATCH_epc=nothing", 400, "MATCH_epc"),
        ("MATCH_epc=urn:epc:idpat:sgtin:0614141.*", 400, "MATCH_epc"),
        ("EQ_quantity=many", 400, "EQ_quantity"),
        ("GE_quantity=1e9999", 400, "GE_quantity"),
        ("GE_quantity=NaN", 400, "GE_quantity"),
        ("EXISTS_errorDeclaration=perhaps", 400, "EXISTS_errorDeclaration"),
        ("eventCountLimit=3", 400, "eventCountLimit"),
        ("orderBy=eventTime&eventCountLimit=0", 400, "eventCountLimit"),
        ("orderBy=eventTime&eventCountLimit=3&maxEventCount=3", 400, "eventCountLimit"),
        ("orderBy=quantity", 400, "orderBy"),
        ("orderDirection=UP", 400, "orderDirection"),
        ("perPage=0", 400, "perPage"),
        ("perPage=ten", 400, "perPage"),
        ("perPage=2&perPage=3", 400, "perPage"),
        ("EQ_action=ADD&EQ_action=OBSERVE", 400, "EQ_action"),
        ("nextPageToken=abc", 400, "nextPageToken"),
        ("EQ_source_nobody=urn:x:y", 400, "EQ_source_nobody"),
        ("EQ_value=3", 400, "EQ_value"),
        ('EQ_ex:a"b=3', 400, 'EQ_ex:a"b'),
        ("GT_ex:lot=red", 400, "GT_ex:lot"),
        ("maxEventCount=4", 413, "maxEventCount"),
        ("EQ_eventID=" + "|".join(["urn:x:y"] * 1001), 413, "EQ_eventID"),
    ],
)
def test_refused_by_name(mill: Partner, asked: str, status: int, name: str) -> None:
    answer = mill.ask("GET", f"/events?{asked}")
    assert answer.status_code == status, answer.text
    assert answer.json["parameter"] == name
    exceptions = ("QueryParameterException", "QueryTooLargeException", "QueryTooComplexException")
    assert answer.json["type"].removeprefix("epcisException:") in (exceptions[:1] if status == 400 else exceptions[1:])


@pytest.mark.parametrize(
    "hostile",
    [
        "MATCH_epc=urn:x:'; DROP TABLE epcis_event; --",
        "EQ_bizLocation=urn:x:%25_\\",
        "EQ_https://x.example/'||'a=b' OR '1'='1",
        "EQ_https://x.example/a=$v0",
        'EQ_ex:lot="} || true',
        'EQ_stringValue=" || @ != "',
        "orderBy=https://x.example/a'--",
        "EQATTR_bizLocation_a'b=c'd",
    ],
)
def test_what_is_asked_is_never_part_of_the_statement(mill: Partner, hostile: str) -> None:
    name, _, value = hostile.partition("=")
    answer = mill.ask("GET", f"/events?{quote(name)}={quote(value)}")
    if answer.status_code == 400:
        assert problem(answer) == (400, "QueryParameterException")
    else:
        assert lots(answer) == ("54321" if name == "orderBy" else "")
    assert lots(mill.ask("GET", "/events")) == "54321"


def test_a_token_is_for_its_question_its_company_and_its_time(mill: Partner) -> None:
    token = token_of(mill.ask("GET", "/events?perPage=2"))
    path = f"/events?perPage=2&nextPageToken={token}"
    assert lots(mill.ask("GET", path)) == "32"
    others = Partner(mill.stand, "buyer")
    for partner, asked in ((mill, f"{path}&EQ_action=OBSERVE"), (mill, path[:-4]), (others, path)):
        assert problem(partner.ask("GET", asked)) == (400, "QueryParameterException")
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    assert b"2026-03-02" not in raw, "a token tells nothing"
    for place in (0, 12, len(raw) // 2, len(raw) - 1):
        forged = base64.urlsafe_b64encode(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]).decode().rstrip("=")
        assert problem(mill.ask("GET", f"/events?perPage=2&nextPageToken={forged}"))[0] == 400
    mill.stand.frozen.advance(timedelta(minutes=9, seconds=59))
    assert lots(mill.ask("GET", path)) == "32"
    mill.stand.frozen.advance(timedelta(seconds=1))
    assert problem(mill.ask("GET", path)) == (400, "QueryParameterException")


def test_an_ended_token_is_worth_nothing(mill: Partner) -> None:
    token = token_of(mill.ask("GET", "/events?perPage=2"))
    path = f"/events?perPage=2&nextPageToken={token}"
    assert Partner(mill.stand, "buyer").ask("DELETE", f"/nextPageToken/{token}").status_code == 204
    assert lots(mill.ask("GET", path)) == "32"
    for _ in range(2):
        assert mill.ask("DELETE", f"/nextPageToken/{token}").status_code == 204
    assert problem(mill.ask("GET", path)) == (400, "QueryParameterException")
    assert mill.ask("DELETE", "/nextPageToken/nonsense").status_code == 204


def test_a_page_of_large_events_is_shorter(mill: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    """However well they are compressed; and a long text that they are ordered by does not stand in the link."""
    monkeypatch.setattr(queries, "MOST_PAGE_BYTES", 150_000)
    large = [
        write_event(9, eventTime=f"2026-03-02T07:0{n}:00Z", **{"ex:lot": str(n), "ex:a": "x" * 100_000}) for n in (6, 7)
    ]
    assert mill.job(mill.capture(*large))["success"]
    first = mill.ask("GET", "/events?perPage=3")
    assert (lots(first), lots(mill.ask("GET", next_page(first) or ""))) == ("7", "654")
    first = mill.ask("GET", "/events?perPage=1&orderBy=ex:a")
    assert {lots(first), lots(mill.ask("GET", next_page(first) or ""))} == {"6", "7"}
    assert len(first.headers["Link"]) < 1_000


def test_an_event_that_comes_between_pages_neither_repeats_nor_hides_others(mill: Partner) -> None:
    first = mill.ask("GET", "/events?perPage=2")
    late = write_event(9, eventTime="2026-03-02T07:09:00Z", **{"ex:lot": "9"})
    assert mill.job(mill.capture(late))["success"]
    assert lots(mill.ask("GET", next_page(first) or "")) == "32"


def test_others_see_nothing_not_even_in_counts(mill: Partner) -> None:
    stranger = Partner(mill.stand, "stranger")
    assert stranger.ask("POST", "/queries", SHIPPING).status_code == 201
    for path in (
        "/events",
        "/events?maxEventCount=0",
        "/events?MATCH_anyEPC=" + SGTIN.format(1),
        "/queries/shipped/events",
    ):
        answer = stranger.ask("GET", path)
        assert (answer.status_code, answer.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]) == (200, [])
    for path in ("/epcs", "/bizLocations", "/readPoints"):
        assert stranger.ask("GET", path).json["member"] == []
    place = quote("urn:epc:id:sgln:0614141.07346.1234", safe="")
    for path in (f"/epcs/{SGTIN.format(1)}", f"/epcs/{SGTIN.format(1)}/events", f"/readPoints/{place}"):
        assert problem(stranger.ask("GET", path)) == (404, "NoSuchResourceException")
        assert mill.ask("GET", path).status_code == 200
    operator = Partner(mill.stand, "platform", "operator")
    assert lots(operator.ask("GET", "/events")) == "54321"


def test_top_level_resources(mill: Partner) -> None:
    own = write_event(1, bizStep="urn:example:step", eventTime="2026-03-02T07:07:00Z")
    assert mill.job(mill.capture(own))["success"]
    assert mill.ask("GET", "/eventTypes").json["member"] == [
        "AggregationEvent",
        "AssociationEvent",
        "ObjectEvent",
        "TransactionEvent",
        "TransformationEvent",
    ]
    link = "https://id.gs1.org/01/10614141073464/21/{}"
    first = mill.ask("GET", "/epcs?perPage=3")
    assert first.json["member"] == [link.format(number) for number in (1, 2, 3)]
    second = mill.ask("GET", next_page(first) or "")
    assert (second.json["member"], next_page(second)) == ([link.format(4), link.format(5)], None)
    steps = mill.ask("GET", "/bizSteps?perPage=100").json["member"]
    assert (len(steps), "shipping" in steps, "urn:example:step" in steps) == (42, True, True)
    assert mill.ask("GET", "/readPoints").json["member"] == ["https://id.gs1.org/414/0614141073467/254/1234"]
    assert mill.ask("GET", "/bizSteps/shipping").json["member"] == ["events"]
    assert problem(mill.ask("GET", "/bizSteps/sleeping")) == (404, "NoSuchResourceException")
    assert problem(mill.ask("GET", "/bizSteps?EQ_action=ADD")) == (400, "QueryParameterException")


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/eventTypes/ObjectEvent/events?perPage=2", "54"),
        ("/bizSteps/https%3A%2F%2Fref.gs1.org%2Fcbv%2FBizStep-shipping/events", "54321"),
        ("/bizSteps/receiving/events", ""),
        ("/epcs/https:%2F%2Fexample.com%2F01%2F10614141073464%2F21%2F3/events", "3"),
        (f"/epcs/{SGTIN.format(3)}/events?EQ_bizStep=shipping%7Creceiving&GE_eventTime=2026-03-01T00:00:00Z", "3"),
        ("/dispositions/in_transit/events?GT_ex:lot=3", "54"),
        ("/readPoints/urn:epc:id:sgln:0614141.07346.1234/events?MATCH_epc=" + SGTIN.format(2), "2"),
    ],
)
def test_events_of_a_resource(mill: Partner, path: str, found: str) -> None:
    answer = mill.ask("GET", path)
    assert lots(answer) == found
    if next_page(answer):
        assert lots(mill.ask("GET", next_page(answer) or "")) == "32"


def test_answers_in_xml_and_in_the_form_that_is_asked_for(mill: Partner) -> None:
    answer = mill.ask("GET", "/events?perPage=1", Accept="application/xml")
    assert answer.content_type == "application/xml"
    (told,) = read_xml.read_document(answer.data).events
    (same,) = mill.ask("GET", "/events?perPage=1").json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert hash_event(told) == same["eventID"]
    kept = mill.ask("GET", "/events?perPage=1", GS1_EPC_Format="Never_Translates", Accept="application/ld+json")
    assert kept.content_type == "application/ld+json"
    assert kept.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"][0]["epcList"] == [SGTIN.format(5)]
    assert same["epcList"] == ["https://id.gs1.org/01/10614141073464/21/5"]
    assert problem(mill.ask("GET", "/events", GS1_EPC_Format="Backwards")) == (406, "NotAcceptableException")


def test_prefixes_are_declared_or_each_events_own(mill: Partner) -> None:
    assert lots(mill.ask("GET", "/events?EQ_mine:lot=3", GS1_Extensions="mine=https://example.com/")) == "3"
    assert lots(mill.ask("GET", "/events?EQ_mine:lot=3")) == ""
    assert lots(mill.ask("GET", "/events?EQ_ex:lot=3")) == "3"
    assert lots(mill.ask("GET", "/events?EQ_ex:lot=3", GS1_Extensions="ex=https://elsewhere.example/")) == ""


def test_named_queries(mill: Partner) -> None:
    created = mill.ask("POST", "/queries", SHIPPING)
    assert (created.status_code, created.headers["Location"]) == (201, f"{V2}/queries/shipped")
    assert problem(mill.ask("POST", "/queries", SHIPPING)) == (409, "ResourceAlreadyExistsException")
    assert mill.ask("GET", "/queries").json == [SHIPPING]
    assert mill.ask("GET", "/queries/shipped").json == SHIPPING
    answer = mill.ask("GET", "/queries/shipped/events?perPage=3")
    assert (lots(answer), answer.json["epcisBody"]["queryResults"]["queryName"]) == ("543", "shipped")
    assert lots(mill.ask("GET", next_page(answer) or "")) == "21"
    assert problem(mill.ask("GET", "/queries/shipped/events?EQ_action=ADD")) == (400, "QueryParameterException")
    assert problem(mill.ask("GET", "/queries/shipped/events?stream=true")) == (400, "SubscriptionControlsException")
    assert mill.ask("DELETE", "/queries/shipped").status_code == 204
    for method, path in (
        ("GET", "/queries/shipped"),
        ("GET", "/queries/shipped/events"),
        ("DELETE", "/queries/shipped"),
    ):
        assert problem(mill.ask(method, path)) == (404, "NoSuchNameException")


def test_named_queries_are_a_companys_own_and_so_many(mill: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "MOST_OF_A_COMPANY", 1)
    assert mill.ask("POST", "/queries", SHIPPING).status_code == 201
    buyer = Partner(mill.stand, "buyer")
    assert buyer.ask("GET", "/queries").json == []
    for method, path in (
        ("GET", "/queries/shipped"),
        ("GET", "/queries/shipped/events"),
        ("DELETE", "/queries/shipped"),
    ):
        assert problem(buyer.ask(method, path)) == (404, "NoSuchNameException")
    assert buyer.ask("POST", "/queries", SHIPPING).status_code == 201
    assert problem(buyer.ask("POST", "/queries", {**SHIPPING, "name": "more"})) == (400, "ValidationException")
    assert buyer.ask("DELETE", "/queries/shipped").status_code == 204
    assert mill.ask("GET", "/queries").json == [SHIPPING]
    assert problem(Partner(mill.stand, role="reader").ask("DELETE", "/queries/shipped")) == (403, "SecurityException")


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"name": "q", "query": {"EQ_bizstep": ["shipping"]}}, "QueryParameterException"),
        ({"name": "q", "query": {"EQ_bizStep": "shiping"}}, "QueryParameterException"),
        ({"name": "q", "query": {"GE_quantity": "many"}}, "QueryParameterException"),
        ({"name": "q", "query": {"@context": "https://elsewhere.example/context.jsonld"}}, "QueryParameterException"),
        ({"name": "q"}, "ValidationException"),
        ({"name": "a/b", "query": {}}, "ValidationException"),
        ({"name": "", "query": {}}, "ValidationException"),
        ({"name": "q", "query": [], "more": 1}, "ValidationException"),
        ({"name": "q", "query": {"EQ_eventID": "x" * commands.MOST_BYTES}}, "ValidationException"),
        ([], "ValidationException"),
    ],
)
def test_refused_named_queries(stand: Stand, body: Any, refusal: str) -> None:
    mill = Partner(stand)
    assert problem(mill.ask("POST", "/queries", body)) == (400, refusal)
    assert mill.ask("GET", "/queries").json == []


def test_a_named_query_in_json(mill: Partner) -> None:
    query = {
        "@context": [
            "https://ref.gs1.org/standards/epcis/2.0.0/query-schema.json",
            {"own": "https://example.com/"},
        ],
        "eventType": ["ObjectEvent", "AggregationEvent"],
        "GE_eventTime": "2026-03-02T08:02:00+01:00",
        "EQ_bizStep": ["https://ref.gs1.org/cbv/BizStep-shipping"],
        "MATCH_epc": ["urn:epc:idpat:sgtin:0614141.107346.*"],
        "LT_own:lot": 5,
        "EXISTS_errorDeclaration": False,
        "orderBy": "eventTime",
        "orderDirection": "ASC",
        "eventCountLimit": 2,
    }
    assert mill.ask("POST", "/queries", {"name": "mine", "query": query}).status_code == 201
    assert lots(mill.ask("GET", "/queries/mine/events")) == "23"
    assert mill.ask("GET", "/queries/mine").json == {"name": "mine", "query": query}
    told = mill.ask("GET", "/queries/mine", Accept="application/xml").text
    assert "<param><name>LT_own:lot</name><value>5</value></param>" in told
