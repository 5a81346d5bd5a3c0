"""T5: XML says what its JSON twin says; XML 1.2 is taken, and any document survives every syntax."""

from __future__ import annotations

import pytest

from services.logistics.epcis.read_xml import read_document
from services.logistics.epcis.vocabulary import write_uri
from services.logistics.epcis.write_xml import write_document
from tests.conformance.epcis.files import DATA, HASHES, OPEN, find_wrong, hash_all, list_files, names_only, read_file

OLD = list_files(f"{OPEN}/1.2/EPCIS/XML/**/*.xml", without=("/Invalid/", "/Queries/"))
NEW = list_files(f"{OPEN}/2.0/EPCIS/XML/**/*.xml", without=("/Invalid/", "/Queries/"))
JSON = list_files(f"{OPEN}/2.0/EPCIS/JSON/**/*.json", without=("/Invalid/", "/Queries/"))
EXAMPLES = list_files(f"{HASHES}/examples/*.jsonld", f"{HASHES}/examples/*.xml")


@pytest.mark.parametrize("name", names_only(NEW))
def test_twin_hashes(name: str) -> None:
    twin = name.replace("/XML/", "/JSON/").removesuffix(".xml") + ".json"
    if not (DATA / twin).exists():
        pytest.skip(f"its twin {twin} is not in ../shared/data")
    assert hash_all(read_file(name)) == hash_all(read_file(twin))


@pytest.mark.parametrize("name", OLD + NEW)
def test_accepted(name: str) -> None:
    document = read_file(name)
    assert document.events
    assert find_wrong(document) == []


@pytest.mark.parametrize("name", names_only(OLD) + names_only(NEW) + names_only(JSON) + names_only(EXAMPLES))
def test_written_as_xml_and_read_back(name: str) -> None:
    document = read_file(name)
    hashes = hash_all(document)
    assert hash_all(read_document(write_document(document))) == hashes
    assert hash_all(read_document(write_document(document, word=write_uri))) == hashes
    assert hash_all(read_document(write_document(document, version="1.2"))) == hashes


@pytest.mark.parametrize("name", names_only(OLD))
def test_upgraded_from_1_2(name: str) -> None:
    upgraded = read_document(write_document(read_file(name)))
    assert upgraded.version == "2.0"
    assert find_wrong(upgraded) == []
