"""The catalog against whatever its document allows, and does not allow, to be sent: no server error, no undocumented answer.

Requests are made by schemathesis from the OpenAPI document; half of them ask about things that are there.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS
from schemathesis.generation import GenerationMode

from chassis.openapi import write_document
from services.catalog import SERVICE
from tests.services.catalog.conftest import MILL, Catalog, row, sheet

EXAMPLES = int(os.environ.get("HAIHE_FUZZ_EXAMPLES", "8"))
ASKED = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
DOCUMENT = write_document([SERVICE], version="0")
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = {f"{each.ok().method.upper()} {each.ok().path}": each.ok() for each in SCHEMA.get_all_operations()}


@schemathesis.serializer("application/toml", "application/x-ndjson")
def write_as_it_is(_context: Any, value: Any) -> bytes:
    """A body that is sent as bytes, whatever is in it."""
    return value if isinstance(value, bytes) else str(value).encode()


def find_known(catalog: Catalog) -> dict[str, list[str]]:
    """Ids of things that are there, by the names of path parameters."""
    catalog.certify(("H26-118",)).ok()
    catalog.upload(sheet(row("C-1"), row("C-2"))).ok()
    return {
        "market": ["steel", "chemicals"],
        "piece_id": [piece["id"] for piece in catalog.pieces().values()],
        "code": ["HRC-TJ"],
        "day": ["2026-03-02"],
    }


@pytest.mark.parametrize("name", OPERATIONS)
def test_nothing_that_is_sent_breaks_the_catalog(catalog: Catalog, name: str) -> None:
    operation, known = OPERATIONS[name], find_known(catalog)
    checks: Any = [CHECKS.get_one(check) for check in ASKED]
    tokens = [
        catalog.world.token("seller", "purchaser", "warehouse", "reader", "admin", party_id=MILL, user_id="user_mill"),
        catalog.world.token("operator", party_id="platform", user_id="user_operator", kind="operator"),
    ]
    cases = st.one_of(
        *(operation.as_strategy(generation_mode=mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE))
    )

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, token=st.sampled_from(tokens), number=st.integers(0, 10**9), ask_known=st.booleans())
    def send(case: Any, token: str, number: int, ask_known: bool) -> None:
        if ask_known:
            for parameter in set(case.path_parameters or ()) & set(known):
                case.path_parameters[parameter] = known[parameter][number % len(known[parameter])]
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"fuzz-{number}"}
        answer = case.call(app=catalog.world.application, headers=headers)
        case.validate_response(answer, checks=checks)

    send()
    assert catalog.world.broken() == {}
