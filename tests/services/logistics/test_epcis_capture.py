"""Capturing over the REST binding of EPCIS 2.0: what comes in, what is refused, and what is told of it."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event as sqlalchemy_event

from events.logistics import EpcisEventCaptured
from services.logistics.epcis import read_json
from services.logistics.epcis.contexts import STANDARD
from services.logistics.epcis.event_hash import hash_event
from services.logistics.epcis.limits import JOBS_KEPT, MOST_BYTES, MOST_EVENTS
from services.logistics.epcis.write_xml import write_document as write_xml
from tests.services.logistics.conftest import Stand
from tests.services.logistics.epcis_client import SGTIN, Partner, write_document, write_event

LINK = "https://id.gs1.org/01/10614141073464/21/{}"
PLACE = "https://id.gs1.org/414/0614141073467/254/1234"
CAPTURED = "logistics.epcis.events.v1"


@pytest.fixture
def partner(stand: Stand) -> Partner:
    return Partner(stand)


def hash_of(event: dict[str, Any]) -> str:
    return hash_event(read_json.read_event({"@context": STANDARD} | event, {}, "$"))


def count(stand: Stand) -> int:
    ((events,),) = stand.rows("SELECT count(*) FROM epcis_event")
    return events


# --- documents --------------------------------------------------------------------------------------------------------


def test_a_document_is_kept_with_the_job_that_says_so(partner: Partner) -> None:
    answer = partner.capture(write_event(1), write_event(2, eventID="urn:uuid:2"))
    assert partner.job(answer) == {
        "captureID": answer.headers["Location"].rpartition("/")[2],
        "createdAt": "2026-03-02T08:00:00Z",
        "finishedAt": "2026-03-02T08:00:00Z",
        "running": False,
        "success": True,
        "captureErrorBehaviour": "rollback",
        "errors": [],
    }
    (event,) = partner.event("urn:uuid:2").json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert event == write_event(
        2,
        eventID="urn:uuid:2",
        recordTime="2026-03-02T08:00:00.000Z",
        epcList=[LINK.format(2)],
        readPoint={"id": PLACE},
    )
    assert partner.hashes(hash_of(write_event(1))) == [hash_of(write_event(1))]


def test_each_event_is_told_once_with_what_it_is_about(partner: Partner) -> None:
    first = write_event(1, epcList=[SGTIN.format(9), SGTIN.format(7)], eventID="urn:uuid:1")
    partner.job(partner.capture(first))
    (told,) = partner.stand.told(CAPTURED)
    assert isinstance(told, EpcisEventCaptured)
    assert (told.thing, told.owner_id, told.event_id, told.is_error) == (LINK.format(7), "mill", "urn:uuid:1", False)
    assert told.document["epcList"] == first["epcList"]
    partner.job(partner.capture(first))
    assert partner.stand.told(CAPTURED) == []


def test_a_document_sent_again_changes_nothing_and_succeeds(partner: Partner) -> None:
    events = [write_event(n) for n in range(5)]
    partner.job(partner.capture(*events))
    again = partner.job(partner.capture(*events[2:], write_event(9)))
    assert (again["success"], count(partner.stand)) == (True, 6)


def test_two_who_send_the_same_at_once_keep_it_once(partner: Partner) -> None:
    events = [write_event(n) for n in range(200)]
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda order=order: answers.append(partner.capture(*order)))
        for order in (events, events[::-1], events[100:], events[:150])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [202] * 4
    assert count(partner.stand) == 200


@pytest.mark.parametrize(
    "wrong", [{"bizStep": "nonsense"}, {"eventTime": "yesterday"}, {"epcList": "x"}, {"type": "Event"}]
)
def test_one_wrong_event_refuses_the_document(partner: Partner, wrong: dict[str, Any]) -> None:
    answer = partner.capture(write_event(1), write_event(2, **wrong))
    assert (answer.status_code, answer.json["type"]) == (400, "epcisException:ValidationException")
    assert answer.json["errors"][0]["path"].startswith("$.epcisBody.eventList[1]")
    assert (count(partner.stand), partner.stand.told(CAPTURED), partner.ask("GET", "/capture").json) == (0, [], [])


def test_however_much_is_only_advised_what_is_wrong_behind_it_refuses_the_document(partner: Partner) -> None:
    advised = write_event(1, ilmd={"ex:a": 1})
    assert partner.job(partner.capture(advised))["success"]
    answer = partner.capture(*[advised] * 101, write_event(2, bizStep="nonsense"))
    assert [error["path"] for error in answer.json["errors"]] == ["$.epcisBody.eventList[101].bizStep"]


def test_proceed_keeps_what_is_right(partner: Partner) -> None:
    answer = partner.capture(
        write_event(1), write_event(2, bizStep="nonsense"), write_event(3), GS1_Capture_Error_Behaviour="proceed"
    )
    job = partner.job(answer)
    assert (job["success"], job["captureErrorBehaviour"], count(partner.stand)) == (False, "proceed", 2)
    (error,) = job["errors"]
    assert (error["type"], error["status"]) == ("epcisException:ValidationException", 400)
    assert error["errors"][0]["path"] == "$.epcisBody.eventList[1].bizStep"
    assert len(error["errors"]) == 1


def test_what_a_job_says_of_wrong_events_has_an_end(partner: Partner) -> None:
    wrong = write_event(1, epcList=["no uri"] * 50)
    job = partner.job(partner.capture(*[wrong] * 150, GS1_Capture_Error_Behaviour="proceed"))
    assert (job["success"], len(job["errors"])) == (False, 100)
    assert {len(error["errors"]) for error in job["errors"]} == {10}


def test_proceed_does_not_take_what_is_no_document(partner: Partner) -> None:
    body = write_document(write_event(1), schemaVersion="7")
    answer = partner.ask("POST", "/capture", body, GS1_Capture_Error_Behaviour="proceed")
    assert (answer.status_code, count(partner.stand)) == (400, 0)


def test_an_id_that_stands_for_something_else_fails_the_job_and_keeps_nothing(partner: Partner) -> None:
    partner.job(partner.capture(write_event(1, eventID="urn:uuid:1")))
    job = partner.job(partner.capture(write_event(2), write_event(3, eventID="urn:uuid:1")))
    assert (job["success"], count(partner.stand)) == (False, 1)
    assert [error["type"] for error in job["errors"]] == ["epcisException:ResourceAlreadyExistsException"]
    wrong, taken = write_event(4, bizStep="nonsense"), write_event(3, eventID="urn:uuid:1")
    job = partner.job(partner.capture(wrong, write_event(2), taken, GS1_Capture_Error_Behaviour="proceed"))
    assert (job["success"], count(partner.stand)) == (False, 2)
    assert [error["detail"].partition(":")[0] for error in job["errors"]] == [
        "$.epcisBody.eventList[0].bizStep",
        "$.epcisBody.eventList[2]",
    ]
    assert partner.hashes("urn:uuid:1") == [hash_of(write_event(1))]


def test_one_id_twice_in_a_document(partner: Partner) -> None:
    job = partner.job(partner.capture(write_event(1, eventID="urn:uuid:1"), write_event(2, eventID="urn:uuid:1")))
    assert (job["success"], count(partner.stand)) == (False, 0)


def test_an_error_declaration_stands_beside_its_event(partner: Partner) -> None:
    event = write_event(1, eventID="urn:uuid:1")
    declared = event | {"errorDeclaration": {"declarationTime": "2026-03-02T07:30:00Z", "reason": "did_not_occur"}}
    partner.job(partner.capture(event))
    assert partner.job(partner.capture(declared))["success"]
    events = partner.event("urn:uuid:1").json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert ["errorDeclaration" in one for one in events] == [False, True]
    assert partner.hashes("urn:uuid:1") == [hash_of(event)] * 2
    assert partner.stand.rows("SELECT error_reason FROM epcis_event WHERE is_error") == [("did_not_occur",)]


def test_our_record_time_counts_not_theirs(partner: Partner) -> None:
    partner.job(partner.capture(write_event(1, eventID="urn:uuid:1", recordTime="1999-01-01T00:00:00Z")))
    (event,) = partner.event("urn:uuid:1").json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert event["recordTime"] == "2026-03-02T08:00:00.000Z"


def test_xml_and_a_query_document_are_taken_too(partner: Partner) -> None:
    document = read_json.document_of(write_document(write_event(1, eventID="urn:uuid:1")))
    answer = partner.ask("POST", "/capture", write_xml(document), Content_Type="application/xml; charset=utf-8")
    assert partner.job(answer)["success"]
    shown = partner.event("urn:uuid:1", GS1_EPC_Format="Never_Translates")
    assert partner.ask("POST", "/capture", shown.data).status_code == 202
    old = write_xml(document, version="1.2")
    assert partner.job(partner.ask("POST", "/capture", old, Content_Type="text/xml"))["success"]
    told = partner.event(
        "urn:uuid:1", Accept="application/xml", GS1_EPCIS_Max="1.2", GS1_EPC_Format="Never_Translates"
    ).data
    assert b'="urn:epcglobal:epcis-query:xsd:1"' in told and b'schemaVersion="1.2"' in told
    assert partner.job(partner.ask("POST", "/capture", told, Content_Type="application/xml"))["success"]
    assert count(partner.stand) == 1


def test_master_data_is_kept_and_replaced(partner: Partner) -> None:
    def header(name: str) -> dict[str, Any]:
        element = {
            "id": "urn:epc:id:sgln:0614141.07346.1234",
            "attributes": [{"id": "cbvmda:name", "attribute": name}],
            "children": ["urn:epc:id:sgln:0614141.07346.1235"],
        }
        vocabulary = {"type": "urn:epcglobal:epcis:vtype:ReadPoint", "vocabularyElementList": [element]}
        return {"epcisHeader": {"epcisMasterData": {"vocabularyList": [vocabulary]}}}

    for name in ("Dock", "Dock 2"):
        assert partner.ask("POST", "/capture", write_document(write_event(1), **header(name))).status_code == 202
    ((owner, id, attributes, children),) = partner.stand.rows(
        "SELECT owner_id, id, attributes, children FROM epcis_master"
    )
    assert (owner, id, children) == ("mill", PLACE, [PLACE.replace("1234", "1235")])
    assert attributes[0]["attribute"] == "Dock 2"


def test_an_attribute_of_master_data_is_kept_as_it_was_said(partner: Partner) -> None:
    attributes = [
        {"id": "cbvmda:name", "attribute": {"line": ["a", "b"], "none": None}},
        {"id": "urn:x:a", "attribute": 7},
    ]
    elements = [{"id": "b urn:x:c", "attributes": attributes}, {"id": "urn:x:c"}]
    vocabularies = [{"type": kind, "vocabularyElementList": elements} for kind in ("urn:a", "urn:a b")]
    header = {"epcisHeader": {"epcisMasterData": {"vocabularyList": vocabularies}}}
    partner.job(partner.ask("POST", "/capture", write_document(write_event(1), **header)))
    rows = partner.stand.rows("SELECT attributes FROM epcis_master ORDER BY vocabulary, id")
    kept = [{"id": "cbvmda:name", "attribute": {"line": ["a", "b"], "none": ""}}, {"id": "urn:x:a", "attribute": 7}]
    assert rows == [(kept,), ([],)] * 2


# --- single events ----------------------------------------------------------------------------------------------------


def test_one_event_is_created_once(partner: Partner) -> None:
    event = {"@context": STANDARD} | write_event(1, eventID="urn:uuid:1")
    made = partner.ask("POST", "/events", event)
    assert (made.status_code, made.headers["Location"]) == (201, "/epcis/v2/events/urn%3Auuid%3A1")
    assert made.json["eventID"] == "urn:uuid:1"
    assert partner.ask("GET", made.headers["Location"].removeprefix("/epcis/v2")).status_code == 200
    again = partner.ask("POST", "/events", event)
    assert (again.status_code, again.json["type"]) == (409, "epcisException:ResourceAlreadyExistsException")
    other = partner.ask("POST", "/events", event | {"bizStep": "receiving"})
    assert (other.status_code, other.json["same"], count(partner.stand)) == (409, False, 1)


def test_one_event_is_one_event(partner: Partner) -> None:
    two = partner.ask("POST", "/events", write_document(write_event(1), write_event(2)))
    wrong = partner.ask("POST", "/events", {"@context": STANDARD} | write_event(1, action="LOOK"))
    assert (two.status_code, wrong.status_code, count(partner.stand)) == (400, 400, 0)


# --- what the binding says around it ------------------------------------------------------------------------------------


def test_jobs_are_listed_by_pages(partner: Partner) -> None:
    made = [partner.job(partner.capture(write_event(n)))["captureID"] for n in range(5)]
    first = partner.ask("GET", "/capture?perPage=2")
    found, links = first.json, [first.headers["Link"]]
    while "Link" in first.headers:
        first = partner.ask("GET", first.headers["Link"].partition("<")[2].partition(">")[0].removeprefix("/epcis/v2"))
        found += first.json
        links += first.headers.getlist("Link")
    assert [job["captureID"] for job in found] == made[::-1]
    assert len(links) == 2
    assert all('rel="next"' in link for link in links)
    assert partner.ask("GET", "/capture?nextPageToken=****").status_code == 400
    assert partner.ask("GET", "/capture?perPage=1000").json["type"] == "epcisException:QueryParameterException"


def test_jobs_are_forgotten_and_what_they_captured_is_not(partner: Partner) -> None:
    jobs = [partner.job(partner.capture(write_event(n)))["captureID"] for n in range(3)]
    partner.stand.frozen.advance(JOBS_KEPT + timedelta(seconds=1))
    last = partner.job(partner.capture(write_event(9)))["captureID"]
    assert [job["captureID"] for job in partner.ask("GET", "/capture").json] == [last]
    assert partner.ask("GET", f"/capture/{jobs[0]}").status_code == 404
    assert count(partner.stand) == 4


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/", "GET, HEAD, OPTIONS"),
        ("/capture", "GET, HEAD, OPTIONS, POST"),
        ("/capture/capture_1", "GET, HEAD, OPTIONS"),
        ("/events/urn%3Auuid%3A1", "GET, HEAD, OPTIONS"),
    ],
)
def test_options_say_what_there_is(partner: Partner, path: str, allowed: str) -> None:
    answer = partner.ask("OPTIONS", path)
    assert (answer.status_code, answer.headers["Allow"], answer.data) == (204, allowed, b"")
    said = {name: answer.headers[name] for name, _ in answer.headers if name.startswith("GS1-")}
    limits = {
        "GS1-EPCIS-Capture-Limit": str(MOST_EVENTS),
        "GS1-EPCIS-Capture-File-Size-Limit": str(MOST_BYTES),
        "GS1-Capture-Error-Behaviour": "rollback, proceed",
    }
    assert said == {
        "GS1-EPCIS-Version": "2.0.0",
        "GS1-EPCIS-Min": "1.0",
        "GS1-EPCIS-Max": "2.0.0",
        "GS1-CBV-Version": "2.0.0",
        "GS1-CBV-Min": "1.0",
        "GS1-CBV-Max": "2.0.0",
        "GS1-EPC-Format": "No_Preference, Always_GS1_Digital_Link, Always_EPC_URN, Never_Translates",
        "GS1-CBV-XML-Format": "No_Preference, Always_Web_URI, Always_URN, Never_Translates",
        "GS1-Extensions": "haihe=urn:haihe",
        "GS1-Vendor-Version": "haihe",
    } | (limits if path == "/capture" else {})


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"GS1_EPCIS_Min": "1.2", "GS1_EPCIS_Max": "2"}, 200),
        ({"GS1_EPCIS_Min": "2.0.1"}, 406),
        ({"GS1_EPCIS_Max": "1.2"}, 406),
        ({"GS1_EPCIS_Max": "1.2", "GS1_CBV_Max": "1", "Accept": "text/xml"}, 200),
        ({"GS1_EPCIS_Max": "1.2", "GS1_EPCIS_Min": "2.0", "Accept": "application/xml"}, 406),
        ({"GS1_EPCIS_Max": "1.1", "Accept": "application/xml"}, 406),
        ({"GS1_CBV_Max": "1.2", "Accept": "application/xml"}, 406),
        ({"GS1_CBV_Min": "3"}, 406),
        ({"GS1_EPCIS_Max": "new"}, 406),
        ({"Accept": "text/csv"}, 406),
        ({"Accept": "application/xml;q=0.5, application/ld+json"}, 200),
        ({"GS1_EPC_Format": "Sometimes"}, 406),
    ],
)
def test_versions_and_forms_are_negotiated(partner: Partner, headers: dict[str, str], status: int) -> None:
    partner.job(partner.capture(write_event(1, eventID="urn:uuid:1")))
    answer = partner.event("urn:uuid:1", **headers)
    assert answer.status_code == status
    assert status == 200 or "epcisException:NotAcceptableException" in answer.text
    assert answer.headers["GS1-EPCIS-Version"] == "2.0.0"


def test_problems_are_told_in_xml_to_those_who_read_it(partner: Partner) -> None:
    answer = partner.event("urn:uuid:404", Accept="application/xml")
    assert (answer.status_code, answer.content_type) == (404, "application/problem+xml")
    assert "<type>epcisException:NoSuchResourceException</type>" in answer.text


@pytest.mark.parametrize(
    ("form", "epc"),
    [
        ("Always_GS1_Digital_Link", LINK.format(1)),
        ("No_Preference", SGTIN.format(1)),
        ("Never_Translates", SGTIN.format(1)),
        ("Always_EPC_URN", SGTIN.format(1)),
    ],
)
def test_identifiers_come_in_the_form_that_was_asked_for(partner: Partner, form: str, epc: str) -> None:
    partner.job(partner.capture(write_event(1, eventID="urn:uuid:1")))
    (event,) = partner.event("urn:uuid:1", GS1_EPC_Format=form).json["epcisBody"]["queryResults"]["resultsBody"][
        "eventList"
    ]
    assert event["epcList"] == [epc]


@pytest.mark.parametrize(
    ("form", "word"),
    [
        ("Always_Web_URI", "https://ref.gs1.org/cbv/BizStep-shipping"),
        ("Always_URN", "urn:epcglobal:cbv:bizstep:shipping"),
    ],
)
def test_words_come_in_the_form_that_was_asked_for(partner: Partner, form: str, word: str) -> None:
    partner.job(partner.capture(write_event(1, eventID="urn:uuid:1")))
    answer = partner.event("urn:uuid:1", Accept="application/xml", GS1_CBV_XML_Format=form)
    assert f"<bizStep>{word}</bizStep>" in answer.text


# --- limits and roles -------------------------------------------------------------------------------------------------


def test_too_many_events_and_bytes_are_too_many(partner: Partner) -> None:
    many = partner.ask("POST", "/capture", write_document(*[{}] * (MOST_EVENTS + 1)))
    large = partner.ask("POST", "/capture", b" " * (MOST_BYTES + 1))
    for answer in (many, large):
        assert (answer.status_code, answer.json["type"]) == (413, "epcisException:CaptureLimitExceededException")
        assert answer.headers["GS1-EPCIS-Capture-Limit"] == str(MOST_EVENTS)
    assert count(partner.stand) == 0


def test_other_media_types_are_not_taken(partner: Partner) -> None:
    answer = partner.ask("POST", "/capture", b"a,b", Content_Type="text/csv")
    assert (answer.status_code, answer.json["type"]) == (415, "epcisException:UnsupportedMediaTypeException")


def test_readers_do_not_capture_and_nobody_captures_without_a_token(stand: Stand) -> None:
    for role in ("reader", "finance", "operator"):
        answer = Partner(stand, role=role).capture(write_event(1))
        assert (answer.status_code, answer.json["type"]) == (403, "epcisException:SecurityException")
    nobody = stand.app.test_client().post("/epcis/v2/capture", json=write_document(write_event(1)))
    assert (nobody.status_code, nobody.json["type"]) == (401, "epcisException:SecurityException")
    assert nobody.headers["WWW-Authenticate"] == "Bearer"
    assert count(stand) == 0


def test_a_document_of_500_events_takes_a_bounded_number_of_statements(partner: Partner) -> None:
    def statements(*events: dict[str, Any]) -> int:
        seen: list[str] = []

        def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
            seen.append(statement)

        sqlalchemy_event.listen(partner.stand.database.engine, "before_cursor_execute", note)
        try:
            assert partner.capture(*events).status_code == 202
        finally:
            sqlalchemy_event.remove(partner.stand.database.engine, "before_cursor_execute", note)
        return len(seen)

    few = statements(*(write_event(n) for n in range(2)))
    many = statements(*(write_event(n) for n in range(100, 600)))
    assert max(few, many) <= 13
