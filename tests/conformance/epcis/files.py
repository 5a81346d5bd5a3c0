"""The public test files beside the project, and how tests read them."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import pytest

from services.logistics.epcis import read_json, read_xml
from services.logistics.epcis.checks import check_envelope, check_placed, refusals
from services.logistics.epcis.event_hash import hash_event
from services.logistics.epcis.fields import Document
from services.logistics.epcis.findings import Finding

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
HASHES = "event-hash"
OPEN = "openepcis-test-resources"
SENSOR_REASON = "two sensor reports without a type, and one with a bizRules of its own (docs/epcis-conformance.md)"
NOT_PASSED = {
    f"{OPEN}/2.0/EPCIS/JSON/Query/SensorData_with_combined_events.json": SENSOR_REASON,
    f"{OPEN}/2.0/EPCIS/XML/Query/SensorData_with_combined_events.xml": SENSOR_REASON,
}


def list_files(*patterns: str, without: tuple[str, ...] = ()) -> list[object]:
    """Parameters for every file that matches, by its name below the data folder; one that skips where there are none."""
    found = sorted(str(path.relative_to(DATA)) for pattern in patterns for path in DATA.glob(pattern) if path.is_file())
    names = [name for name in found if not any(part in name for part in without)]
    if not names:
        absent = pytest.mark.skip(reason=f"there is no {patterns[0]} in ../shared/data")
        return [pytest.param(patterns[0], marks=absent)]
    return [
        pytest.param(name, marks=pytest.mark.xfail(reason=NOT_PASSED[name], strict=True))
        if name in NOT_PASSED
        else name
        for name in names
    ]


def names_only(parameters: list[object]) -> list[object]:
    """The same files without the marks of what is not passed: an event that is refused still has a hash."""
    skipped = [one for one in parameters if any(mark.name == "skip" for mark in getattr(one, "marks", ()))]
    return skipped or [getattr(one, "values", (one,))[0] for one in parameters]


def read_file(name: str) -> Document:
    """The document in a public file, JSON or XML by its ending."""
    reader = read_xml if name.endswith(".xml") else read_json
    return reader.read_document((DATA / name).read_bytes())


def hash_all(document: Document) -> list[str]:
    """The hash ids of a document's events."""
    return [hash_event(event) for event in document.events]


def find_wrong(document: Document) -> list[Finding]:
    """Why a document is refused: what is wrong around its events, and with each of them."""
    placed = [check_placed(document, place) for place in range(len(document.events))]
    return refusals(chain(check_envelope(document), *placed))
