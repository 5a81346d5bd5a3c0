"""T8: whatever GS1's own description of the REST binding allows, and does not allow, to be sent: all of its 63 operations.

The description lacks some answers that the standard's text wants, and ours that every service has: they are in ``ALSO`` with their
reasons in docs/epcis-conformance.md. Half of the requests ask about things that are there.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS
from schemathesis.generation import GenerationMode

from chassis.access import kid_of
from chassis.auth import Caller, sign_token
from tests.conformance.epcis.files import DATA
from tests.services.logistics.epcis_client import SGTIN, Partner, write_event

FILE = DATA / "gs1-rest" / "openapi.json"
EXAMPLES = int(os.environ.get("HAIHE_FUZZ_EXAMPLES", "8"))
ASKED = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
METHODS = ("get", "post", "delete", "options")
ALSO = {
    "400": "a value, a parameter or a body that is wrong: the standard's text wants it everywhere",
    "404": "a path that no identifier has",
    "405": "a method that is not the path's",
    "413": "a query that wants less than it would get, and a body beyond the limits",
    "415": "a body of another media type",
    "429": "too many requests",
    "503": "busy",
}
FORMS = ("application/json", "application/ld+json", "application/xml", "text/xml")
PROBLEMS = ("application/problem+json", "application/problem+xml")


def read_description() -> dict[str, Any]:
    """GS1's description, less what cannot be read, with the answers that it lacks."""
    document = json.loads(FILE.read_bytes())
    drop_bad_patterns(document)
    document["servers"] = [{"url": "/epcis/v2"}]
    for methods in document["paths"].values():
        for method in METHODS & methods.keys():
            answers = methods[method]["responses"]
            answers |= {status: {"description": why} for status, why in ALSO.items() if status not in answers}
    for answer in document["components"]["responses"].values():
        mend_problem(answer)
        give_every_form(answer)
    for methods in document["paths"].values():
        for method in METHODS & methods.keys():
            for answer in methods[method]["responses"].values():
                give_every_form(answer)
    job = document["components"]["schemas"]["CaptureJob"]["allOf"][1]
    job["anyOf"] = job.pop("oneOf")  # errors or errorFile, neither of them required: what has one fits both
    named = document["paths"]["/queries/{queryName}"]["get"]["responses"]["200"]["content"]
    for form in named.values():
        form["schema"] = {"$ref": "#/components/schemas/QueryDefinition"}
    return document


def drop_bad_patterns(part: Any) -> None:
    """Takes out what is no regular expression here (six schedules, written for another engine)."""
    if isinstance(part, dict):
        if isinstance(part.get("pattern"), str):
            try:
                re.compile(part["pattern"])
            except re.error:
                del part["pattern"]
        for one in part.values():
            drop_bad_patterns(one)
    elif isinstance(part, list):
        for one in part:
            drop_bad_patterns(one)


def mend_problem(answer: dict[str, Any]) -> None:
    """A thing that is not there is NoSuchResource, as the example beside the schema says; a conflict is 409 and not 406; and a
    wrong perPage is a wrong parameter in a list of subscriptions too."""
    for content in answer.get("content", {}).values():
        for part in content.get("schema", {}).get("allOf", ()):
            kinds, statuses = (part.get("properties", {}).get(name, {}).get("enum", []) for name in ("type", "status"))
            if "epcisException:NoSuchNameException" in kinds:
                kinds.append("epcisException:NoSuchResourceException")
            if "epcisException:SubscriptionControlsException" in kinds:
                kinds.append("epcisException:QueryParameterException")
            if "epcisException:ResourceAlreadyExistsException" in kinds:
                statuses[:] = [409]


def give_every_form(answer: dict[str, Any]) -> None:
    """An answer that is described as JSON alone comes as JSON-LD and XML too, a problem as a problem in either."""
    content = answer.get("content")
    if not content:
        return
    told = content.get("application/json") or next(iter(content.values()))
    is_problem = "RFC7807" in json.dumps(told)
    forms = PROBLEMS if is_problem else FORMS
    answer["content"] = {form: told if form.endswith("json") else {} for form in (*forms, *content)}


if FILE.exists():
    SCHEMA = schemathesis.openapi.from_dict(read_description())
    OPERATIONS = {f"{one.ok().method.upper()} {one.ok().path}": one.ok() for one in SCHEMA.get_all_operations()}
    NAMES: list[Any] = sorted(OPERATIONS)
else:
    NAMES = [pytest.param("GET /", marks=pytest.mark.skip(reason="there is no gs1-rest in ../shared/data"))]


def find_known(partner: Partner) -> dict[str, list[str]]:
    """Names of things that are there, by the names of path parameters."""
    captured = partner.capture(write_event(1, bizLocation={"id": "urn:epc:id:sgln:0614141.07346.0"}), write_event(2))
    partner.job(captured)
    query = {"name": "myQuery", "query": {"EQ_bizStep": ["shipping"]}}
    assert partner.ask("POST", "/queries", query).status_code == 201
    listed = partner.ask("GET", "/events").json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return {
        "captureID": [captured.headers["Location"].rpartition("/")[2]],
        "eventID": [event["eventID"] for event in listed],
        "eventType": ["ObjectEvent"],
        "epc": [SGTIN.format(1), "https://id.gs1.org/01/10614141073464/21/2"],
        "bizStep": ["shipping", "https://ref.gs1.org/cbv/BizStep-shipping"],
        "bizLocation": ["https://id.gs1.org/414/0614141073467"],
        "readPoint": ["urn:epc:id:sgln:0614141.07346.1234"],
        "disposition": ["in_transit"],
        "queryName": ["myQuery"],
        "token": ["abc"],
    }


def test_the_description_has_every_operation() -> None:
    if not FILE.exists():
        pytest.skip("there is no gs1-rest in ../shared/data")
    assert len(NAMES) == 63


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_is_sent_breaks_the_repository(partner: Partner, name: str) -> None:
    operation, known = OPERATIONS[name], find_known(partner)
    checks: Any = [CHECKS.get_one(check) for check in ASKED]
    key = partner.stand.signing_key
    caller = Caller("user_mill", partner.party, frozenset({"warehouse", "admin"}))
    token = sign_token(key, kid_of(key.public_key().public_bytes_raw()), caller)
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
    @given(case=cases, number=st.integers(0, 10**9), ask_known=st.booleans(), ask_plainly=st.booleans())
    def send(case: Any, number: int, ask_known: bool, ask_plainly: bool) -> None:
        if ask_known:
            for parameter in set(case.path_parameters or ()) & set(known):
                case.path_parameters[parameter] = quote(known[parameter][number % len(known[parameter])], safe="")
        if ask_plainly:
            case.query, case.headers = {}, {}
        answer = case.call(app=partner.stand.app, headers={"Authorization": f"Bearer {token}"})
        case.validate_response(answer, checks=checks)

    send()
