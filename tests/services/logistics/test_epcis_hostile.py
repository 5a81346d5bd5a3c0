"""Hostile documents over HTTP: refused with a problem, nothing fetched, nothing kept, and the service goes on."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from services.logistics.epcis.contexts import STANDARD
from tests.services.logistics.conftest import Stand
from tests.services.logistics.epcis_client import Partner, write_document, write_event

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
DEEP = 50_000
XML = (
    '<?xml version="1.0"?>{}<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:2" schemaVersion="2.0" '
    'creationDate="2026-01-01T00:00:00Z"><EPCISBody><EventList><ObjectEvent><eventTime>2026-01-01T00:00:00Z</eventTime>'
    "<eventTimeZoneOffset>+00:00</eventTimeZoneOffset><epcList><epc>urn:x:1</epc></epcList><action>OBSERVE</action>{}"
    "</ObjectEvent></EventList></EPCISBody></epcis:EPCISDocument>"
)
XML_BODIES = {
    "billion laughs": XML.format(f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>', "<a xmlns='urn:a'>&l11;</a>"),
    "external entity": XML.format('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', "<a xmlns='urn:a'>&e;</a>"),
    "external subset": XML.format('<!DOCTYPE x SYSTEM "http://attacker.example/x.dtd">', ""),
    "deep": XML.format("", "<a xmlns='urn:a'>" + "<b>" * DEEP + "</b>" * DEEP + "</a>"),
    "rubbish": "\x00\x01<",
    "json": "{}",
    "nothing": "",
}


def outward(context: Any) -> str:
    return json.dumps(write_document(write_event(1)) | {"@context": [STANDARD, context]})


JSON_BODIES = {
    "outward context": outward("http://169.254.169.254/latest/meta-data"),
    "context of a file": outward("file:///etc/passwd"),
    "import": outward({"@import": "http://attacker.example/context.jsonld"}),
    "vocab": outward({"@vocab": "http://attacker.example/"}),
    "deep list": f'{{"@context":"{STANDARD}","type":"ObjectEvent","x":{"[" * DEEP + "]" * DEEP}}}',
    "deep object": '{"a":' * DEEP + "1" + "}" * DEEP,
    "not a number": '{"type":"ObjectEvent","eventTime":NaN}',
    "lone surrogate": '{"type":"ObjectEvent","eventTime":"\\ud800"}',
    "a list": "[]",
    "null": "null",
    "xml": "<a/>",
    "nothing": "",
    "events that are none": json.dumps(write_document(*[7] * 10)),  # type: ignore[arg-type]
    "no list": json.dumps(write_document() | {"epcisBody": {"eventList": {"a": 1}}}),
    "control characters": json.dumps(write_document(write_event(1, bizStep="\x00"))),
}
EVENTS = {
    "an id that fills an index page": {"eventID": "urn:x:" + "a" * 9_000},
    "a place that fills an index page": {"readPoint": {"id": "https://example.com/" + "é" * 3_000}},
    "the first year": {"eventTime": "0001-01-01T00:00:00+14:00"},
    "the last year": {"eventTime": "9999-12-31T23:59:59-14:00"},
    "a quantity beyond all": {"quantityList": [{"epcClass": "urn:x:1", "quantity": 10**400}]},
}


@pytest.fixture
def partner(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> Partner:
    connect = socket.socket.connect

    def refuse(self: socket.socket, address: Any) -> None:
        assert isinstance(address, str), f"the network was asked for: {address}"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", refuse)
    return Partner(stand)


def assert_refused(partner: Partner, path: str, body: bytes, media_type: str) -> None:
    answer = partner.ask("POST", path, body, Content_Type=media_type)
    assert answer.status_code in (400, 413), answer.text
    assert answer.json["type"] in ("epcisException:ValidationException", "epcisException:CaptureLimitExceededException")
    assert "passwd" not in answer.text.replace("file:///etc/passwd", "") and len(answer.text) < 200_000
    assert partner.stand.rows("SELECT (SELECT count(*) FROM epcis_event), (SELECT count(*) FROM epcis_capture)") == [
        (0, 0)
    ]


@pytest.mark.parametrize("path", ["/capture", "/events"])
@pytest.mark.parametrize("name", XML_BODIES)
def test_hostile_xml(partner: Partner, name: str, path: str) -> None:
    assert_refused(partner, path, XML_BODIES[name].encode(), "application/xml")


@pytest.mark.parametrize("path", ["/capture", "/events"])
@pytest.mark.parametrize("name", JSON_BODIES)
def test_hostile_json(partner: Partner, name: str, path: str) -> None:
    assert_refused(partner, path, JSON_BODIES[name].encode(), "application/json")


@pytest.mark.parametrize("name", EVENTS)
def test_events_that_the_repository_has_no_room_for(partner: Partner, name: str) -> None:
    body = json.dumps(write_document(write_event(1, **EVENTS[name])))
    assert_refused(partner, "/capture", body.encode(), "application/json")


@pytest.mark.parametrize(
    "changed",
    [
        {"epcList": ["https://example.com/" + "a" * 9_000]},
        {"bizTransactionList": [{"type": "po", "bizTransaction": "https://example.com/" + "b" * 9_000}]},
        {"ex:deep": {f"ex:a{n}": n for n in range(2_000)}},
        {"ex:long": "x" * 9_000},
        {"ex:number": 1e15},
        {"ex:number": 10**30},
        {'ex:quote": "': "a"},
        {"epcList": ["https://example.com/'; DROP TABLE epcis_event; --", "https://example.com/%s%b{}"]},
    ],
)
def test_what_is_only_strange_is_kept_and_comes_back(partner: Partner, changed: dict[str, Any]) -> None:
    answer = partner.capture(write_event(1, eventID="urn:uuid:1", **changed))
    if answer.status_code == 400:
        assert answer.json["errors"]
        return
    assert partner.job(answer)["success"]
    for form in ("Always_GS1_Digital_Link", "Never_Translates"):
        assert partner.hashes("urn:uuid:1", GS1_EPC_Format=form) == [
            hash for (hash,) in partner.stand.rows("SELECT hash FROM epcis_event")
        ]


@pytest.mark.parametrize(
    "path", ["/events/%00", "/events/" + "a" * 3_000, "/events/..%2F..%2Fetc", "/events/%F0%9F%90%9F", "/capture/%27"]
)
def test_hostile_names(partner: Partner, path: str) -> None:
    answer = partner.ask("GET", path)
    assert (answer.status_code, answer.json["type"]) == (404, "epcisException:NoSuchResourceException")


@pytest.mark.parametrize("name", ["GS1-EPCIS-Min", "GS1-EPCIS-Version", "GS1-CBV-Max", "GS1-EPC-Format", "Accept"])
@pytest.mark.parametrize("value", ["x" * 5_000, "-1", "1e9", "..", "２", "999999999999999999999"])
def test_hostile_headers(partner: Partner, name: str, value: str) -> None:
    partner.job(partner.capture(write_event(1, eventID="urn:uuid:1")))
    answer = partner.event("urn:uuid:1", **{name: value.encode().decode("latin-1")})
    assert answer.status_code in (200, 406)
    assert answer.status_code == 200 or answer.json["type"] == "epcisException:NotAcceptableException"


def test_many_ids_in_one_document_are_told_of_boundedly(partner: Partner) -> None:
    answer = partner.capture(*(write_event(n, bizStep="nonsense" * 50) for n in range(2_000)))
    assert answer.status_code == 400
    assert len(answer.json["errors"]) == 100
    assert len(answer.data) < 100_000
