"""T4: published documents that are wrong are refused, with a problem in the standard's words."""

from __future__ import annotations

import pytest

from services.logistics.epcis.exceptions import refuse_findings
from services.logistics.epcis.findings import NotReadable
from tests.conformance.epcis.files import OPEN, find_wrong, list_files, read_file

JSON = list_files(f"{OPEN}/2.0/EPCIS/JSON/*/Invalid/*.json")
XML = list_files(f"{OPEN}/*/EPCIS/XML/*/Invalid/*.xml")


@pytest.mark.parametrize("name", JSON + XML)
def test_refused(name: str) -> None:
    try:
        findings = find_wrong(read_file(name))
    except NotReadable as error:
        findings = list(error.findings)
    problem = refuse_findings(findings).document()
    assert problem["type"] == "epcisException:ValidationException"
    assert problem["status"] == 400
    assert problem["errors"]
    assert all(one["path"].startswith("$") and one["detail"] for one in problem["errors"])
