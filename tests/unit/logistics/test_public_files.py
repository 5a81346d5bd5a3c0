"""A file that nobody here wrote: an event hash as GS1's reference generator gives it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.logistics.epcis.object_event import hash_id

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


def _read(name: str) -> str:
    if not (DATA / name).exists():
        pytest.skip(f"the public file {name} is not in ../shared/data")
    return (DATA / name).read_text()


def test_event_hash_of_a_reference_document() -> None:
    document = json.loads(_read("event-hash/examples/epcisDocWithSingleEvent.jsonld"))
    (event,) = document["epcisBody"]["eventList"]
    event |= {
        "eventTime": "2022-02-17T02:33:31.116Z",
        "epcList": [f"https://id.gs1.org/01/10614141073464/21/{serial}" for serial in (2018, 2017)],
        "readPoint": {"id": "https://id.gs1.org/414/0614141073467/254/1234"},
    }
    assert hash_id(event) == _read("event-hash/examples/epcisDocWithSingleEvent.hashes").strip()
