"""T3: published documents are accepted, and come back from JSON with the same hashes."""

from __future__ import annotations

import json

import pytest

from services.logistics.epcis.read_json import read_document
from services.logistics.epcis.write_json import write_document, write_event
from tests.conformance.epcis.files import HASHES, OPEN, find_wrong, hash_all, list_files, names_only, read_file

FILES = list_files(f"{OPEN}/2.0/EPCIS/JSON/**/*.json", without=("/Invalid/", "/Queries/"))
EXAMPLES = list_files(f"{HASHES}/examples/*.jsonld")


@pytest.mark.parametrize("name", FILES + EXAMPLES)
def test_accepted(name: str) -> None:
    document = read_file(name)
    assert document.events
    assert find_wrong(document) == []


@pytest.mark.parametrize("name", names_only(FILES) + names_only(EXAMPLES))
def test_returned_equal_by_hash(name: str) -> None:
    document = read_file(name)
    again = read_document(json.dumps(write_document(document)).encode())
    alone = [read_document(json.dumps(write_event(event)).encode()).events[0] for event in document.events]
    assert hash_all(again) == hash_all(document)
    assert [event.fields for event in again.events] == [event.fields for event in document.events]
    assert [event.fields for event in alone] == [event.fields for event in document.events]
