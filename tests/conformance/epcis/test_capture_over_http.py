"""T3, T4 and T5 over HTTP: published documents are taken in and come back with the same hashes; wrong ones are refused whole."""

from __future__ import annotations

from itertools import chain

import pytest

from services.logistics.epcis import read_json, read_xml
from services.logistics.epcis.event_hash import hash_event
from tests.conformance.epcis.files import DATA, HASHES, OPEN, hash_all, list_files, read_file
from tests.services.logistics.epcis_client import Partner

JSON = list_files(f"{OPEN}/2.0/EPCIS/JSON/**/*.json", without=("/Invalid/", "/Queries/"))
XML = list_files(f"{OPEN}/2.0/EPCIS/XML/**/*.xml", without=("/Invalid/", "/Queries/"))
OLD_XML = list_files(f"{OPEN}/1.2/EPCIS/XML/**/*.xml", without=("/Invalid/", "/Queries/"))
EXAMPLES = list_files(f"{HASHES}/examples/*.jsonld")
WRONG = list_files(f"{OPEN}/2.0/EPCIS/JSON/*/Invalid/*.json", f"{OPEN}/*/EPCIS/XML/*/Invalid/*.xml")
READERS = {"application/json": read_json, "application/ld+json": read_json, "application/xml": read_xml}


def media_type(name: str) -> str:
    """What a file is sent as."""
    return (
        "application/xml"
        if name.endswith(".xml")
        else "application/ld+json"
        if "jsonld" in name
        else "application/json"
    )


@pytest.mark.parametrize("name", JSON + XML + OLD_XML + EXAMPLES)
def test_captured_and_returned_equal_by_hash(partner: Partner, name: str) -> None:
    document = read_file(name)
    answer = partner.ask("POST", "/capture", (DATA / name).read_bytes(), Content_Type=media_type(name))
    job = partner.job(answer)
    assert (job["success"], job["errors"]) == (True, [])
    ids = {event.fields.get("eventID") or hash_event(event) for event in document.events}
    for accept, reader in READERS.items():
        for form in ("Always_GS1_Digital_Link", "Never_Translates", "Always_EPC_URN"):
            found = [partner.event(id, Accept=accept, GS1_EPC_Format=form) for id in sorted(ids)]
            assert all(one.content_type == accept for one in found)
            returned = [hash_all(reader.read_document(one.data)) for one in found]
            assert sorted(chain(*returned)) == sorted(set(hash_all(document)))


@pytest.mark.parametrize("name", WRONG)
def test_refused_and_nothing_kept(partner: Partner, name: str) -> None:
    answer = partner.ask("POST", "/capture", (DATA / name).read_bytes(), Content_Type=media_type(name))
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert answer.json["type"] == "epcisException:ValidationException"
    assert answer.json["errors"]
    assert partner.stand.rows("SELECT (SELECT count(*) FROM epcis_event), (SELECT count(*) FROM epcis_capture)") == [
        (0, 0)
    ]
