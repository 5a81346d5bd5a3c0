"""Properties: however an event is said, its hash is the same; and no syntax loses anything that is hashed."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.logistics.epcis import read_json, read_xml
from services.logistics.epcis.event_hash import hash_event, write_prehash
from services.logistics.epcis.fields import Document, Event
from services.logistics.epcis.identifiers import canonical
from services.logistics.epcis.translate import rewrite_identifiers, translate
from services.logistics.epcis.vocabulary import write_curie, write_uri, write_urn
from services.logistics.epcis.words import rewrite_words
from services.logistics.epcis.write_json import write_document, write_event
from services.logistics.epcis.write_xml import write_document as write_xml
from tests.conformance.epcis.events import SPACES, events, say_numbers_otherwise, shuffle
from tests.conformance.epcis.files import find_wrong


def read(told: dict[str, Any]) -> Document:
    return read_json.read_document(json.dumps(told).encode())


def read_one(told: dict[str, Any]) -> Event:
    (event,) = read(told).events
    return event


@given(events())
@settings(max_examples=80, deadline=None)
def test_json_to_xml_to_json(told: dict[str, Any]) -> None:
    document = read(told)
    assert find_wrong(document) == []
    wanted = write_prehash(document.events[0])
    for version in ("2.0", "1.2"):
        there = read_xml.read_document(write_xml(document, version=version))
        assert find_wrong(there) == []
        assert write_prehash(there.events[0]) == wanted
        back = read(write_document(there))
        assert write_prehash(back.events[0]) == wanted
        assert find_wrong(back) == []


@given(events(), st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None)
def test_any_order_and_number_form_hash_alike(told: dict[str, Any], chance: random.Random) -> None:
    wanted = hash_event(read_one(told))
    assert hash_event(read_one(shuffle(told, chance))) == wanted
    assert hash_event(read_one(say_numbers_otherwise(told))) == wanted
    known = {
        "eventID": "urn:uuid:1",
        "recordTime": "2026-01-01T00:00:00Z",
        "errorDeclaration": {"declarationTime": "x"},
    }
    assert hash_event(read_one(told | known)) == wanted


@given(events(), st.sampled_from([write_uri, write_urn, write_curie]))
@settings(max_examples=60, deadline=None)
def test_any_form_of_words_prefixes_and_identifiers_hashes_alike(told: dict[str, Any], form: Any) -> None:
    event = read_one(told)
    wanted = hash_event(event)
    assert hash_event(rewrite_identifiers(event, canonical)) == wanted
    assert hash_event(translate(event, "Always_EPC_URN", lambda digits: 7)) == wanted
    renamed = Event(event.type, event.fields, {f"x{n}": space for n, space in enumerate(SPACES.values())})
    told_again = write_event(renamed)
    rewrite_words(told_again, form)
    assert hash_event(read_one(told_again)) == wanted


@given(events(), events())
@settings(max_examples=30, deadline=None)
def test_what_happened_changes_the_hash(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = read_one(one), read_one(other)
    same = write_prehash(first) == write_prehash(second)
    assert (hash_event(first) == hash_event(second)) == same
    assert hash_event(read_one(one | {"acme:added": "something else"})) != hash_event(first)
