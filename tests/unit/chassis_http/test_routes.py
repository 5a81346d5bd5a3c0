"""What a route takes, refuses and answers, on the wire."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import pytest
from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.http import Body, Headers, Instant, Paging, View, command, query
from chassis.problems import Conflict, Refused
from chassis.values import Exact, Money, Quantity, ShortText

routes = Blueprint("things", __name__)


class Line(Body):
    sku: ShortText
    amount: Quantity | None = None


class Make(Body):
    name: ShortText
    price: Exact
    paid: Money | None = None
    lines: list[Line] = []
    count: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0
    at: Instant | None = None


class Asked(Paging):
    grade: list[Literal["S235", "S355"]] = []
    thin: Exact | None = None


class Told(View):
    said: str
    by: str | None = None


class Taken(Conflict):
    """The thing is taken."""


@routes.get("/v1/hello")
@query(public=True)
def say_hello() -> Told:
    """Say hello."""
    return Told(said="hello")


@routes.get("/v1/things")
@query(role="seller")
def list_things(session: Session, caller: Caller, params: Asked) -> Told:
    """Say what was asked for."""
    return Told(said=f"{params.grade} {params.thin} {params.limit}", by=caller.user_id)


@routes.get("/v1/things/<thing_id>")
@query()
def show_thing(thing_id: str) -> Told:
    """Say which thing it is."""
    return Told(said=thing_id)


@routes.post("/v1/things")
@command(role=("seller", "admin"), idempotent=False, status=201)
def make_thing(session: Session, caller: Caller, body: Make) -> Told:
    """Say the price."""
    return Told(said=str(body.price), by=caller.party_id)


@routes.post("/v1/things/<thing_id>/drop")
@command(role="seller", idempotent=False)
def drop_thing(session: Session, thing_id: str) -> None:
    """Do nothing, unless it is taken or broken."""
    if thing_id == "taken":
        raise Taken("somebody was faster", things=[thing_id])
    if thing_id == "broken":
        raise ZeroDivisionError("secret detail")


@routes.post("/v1/things/<thing_id>/refuse")
@command(role="seller", idempotent=False)
def refuse_thing(session: Session, thing_id: str) -> Told | Refused:
    """Refuse and leave a trace."""
    return Refused(Taken("too late"))


@routes.post("/v1/files")
@command(role="seller", idempotent=False, accept=("text/csv",), max_bytes=2_000_000)
def send_file(body: bytes, headers: Headers) -> Told:
    """Say how long it is, and who signed it."""
    return Told(said=str(len(body)), by=headers.get("x-signature"))


GOOD: dict[str, Any] = {"name": "coil", "price": "12.50"}


@pytest.fixture
def client(client_of):
    return client_of(routes)


def refused(response, status: int, type: str, **members: Any) -> dict[str, Any]:
    """The problem document, after checking what it says."""
    assert response.status_code == status, response.get_data()
    assert response.content_type == "application/problem+json"
    document = json.loads(response.data)
    assert document["type"] == f"urn:haihe:problem:{type}"
    assert document["status"] == status
    assert document["instance"] == f"urn:haihe:request:{response.headers['X-Request-Id']}"
    assert {name: document.get(name) for name in members} == members
    return document


def test_a_public_query_needs_nothing(client) -> None:
    answer = client.get("/v1/hello", headers={"X-Request-Id": "mine-1"})
    assert (answer.status_code, answer.data) == (200, b'{"said":"hello","by":null}')
    assert answer.headers["X-Request-Id"] == "mine-1"


@pytest.mark.parametrize("odd", ["", "x" * 65, "a b", 'a"b', "é"])
def test_an_odd_request_id_is_replaced(client, odd: str) -> None:
    assert client.get("/v1/hello", headers={"X-Request-Id": odd}).headers["X-Request-Id"] not in ("", odd)


def test_a_query_looks_and_a_command_runs(client_of, signer) -> None:
    from tests.unit.chassis_http.conftest import NoDatabase

    database = NoDatabase()
    client = client_of(routes, database=database)
    client.get("/v1/hello")
    client.get("/v1/things", headers=signer.token("seller"))
    client.post("/v1/things", headers=signer.token("seller"), json=GOOD)
    assert database.ran == ["look", "run"]


def test_a_command_answers_with_its_status_and_view(client, signer) -> None:
    answer = client.post("/v1/things", headers=signer.token("admin"), json=GOOD)
    assert (answer.status_code, answer.json) == (201, {"said": "12.50", "by": "party_1"})


def test_a_command_without_an_answer_is_204(client, signer) -> None:
    for body in (None, {}):
        answer = client.post("/v1/things/x/drop", headers=signer.token("seller"), json=body)
        assert (answer.status_code, answer.data, answer.content_type) == (204, b"", None)


def test_roles(client, signer) -> None:
    assert client.get("/v1/things/a", headers=signer.token()).status_code == 200
    assert client.get("/v1/things", headers=signer.token("reader")).status_code == 200
    assert client.get("/v1/things", headers=signer.token("operator")).status_code == 200
    refused(client.get("/v1/things", headers=signer.token("finance")), 403, "missing_role")
    refused(client.post("/v1/things", headers=signer.token("reader"), json=GOOD), 403, "missing_role")
    refused(client.get("/v1/things"), 401, "not_signed_in")


def test_who_asks_is_looked_at_before_what_is_asked(client, signer) -> None:
    refused(client.post("/v1/things", data=b"{", content_type="application/json"), 401, "not_signed_in")
    headers = signer.token("finance")
    refused(client.post("/v1/things", headers=headers, data=b"{"), 403, "missing_role")


def deep(levels: int) -> bytes:
    return b'{"name":"a","price":"1","lines":' + b"[" * levels + b"]" * levels + b"}"


@pytest.mark.parametrize(
    ("body", "type", "field"),
    [
        (b"", "malformed_body", "$"),
        (b"{", "malformed_body", "$"),
        (b"\xff\xfe", "malformed_body", "$"),
        (b'{"name":"\xed\xa0\x80","price":"1"}', "malformed_body", "$"),
        (b"[]", "invalid_field", "$"),
        (b"{}", "invalid_field", "$.name"),
        ({**GOOD, "extra": 1}, "invalid_field", "$.extra"),
        ({**GOOD, "name": 1}, "invalid_field", "$.name"),
        ({**GOOD, "name": ""}, "invalid_field", "$.name"),
        ({**GOOD, "name": "x" * 201}, "invalid_field", "$.name"),
        ({**GOOD, "name": "a\u0000b"}, "invalid_field", "$.name"),
        ({**GOOD, "name": "line\n"}, "invalid_field", "$.name"),
        ({**GOOD, "price": 12.5}, "invalid_field", "$.price"),
        ({**GOOD, "price": "NaN"}, "invalid_field", "$.price"),
        ({**GOOD, "price": "1e6"}, "invalid_field", "$.price"),
        ({**GOOD, "price": "1.0000001"}, "invalid_field", "$.price"),
        ({**GOOD, "price": "１２"}, "invalid_field", "$.price"),
        ({**GOOD, "count": 2**63}, "invalid_field", "$.count"),
        ({**GOOD, "count": 1e300}, "invalid_field", "$.count"),
        ({**GOOD, "at": "2026-03-02T08:00:00"}, "invalid_field", "$.at"),
        ({**GOOD, "paid": {"amount": 1, "currency": "XXX"}}, "invalid_field", "$.paid"),
        ({**GOOD, "paid": {"amount": 2**63, "currency": "CNY"}}, "invalid_field", "$.paid.amount"),
        ({**GOOD, "lines": [{"sku": "a"}, {"sku": 7}]}, "invalid_field", "$.lines[1].sku"),
        ({**GOOD, "lines": [{"sku": "a", "new": 1}]}, "invalid_field", "$.lines[0].new"),
        (
            {**GOOD, "lines": [{"sku": "a", "amount": {"value": "-1", "unit": "KGM"}}]},
            "invalid_field",
            "$.lines[0].amount",
        ),
        (deep(100_000), "invalid_field", "$.lines[0]"),
    ],
)
def test_a_body_that_is_wrong_names_the_field(client, signer, body: Any, type: str, field: str) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    answer = client.post("/v1/things", headers=signer.token("seller"), data=raw, content_type="application/json")
    refused(answer, 422, type, field=field)


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
def test_another_media_type_is_415(client, signer, content_type: str) -> None:
    answer = client.post("/v1/things", headers=signer.token("seller"), data=b"{}", content_type=content_type)
    refused(answer, 415, "unsupported_media_type", accept=["application/json"])


def test_a_media_type_may_have_parameters(client, signer) -> None:
    content_type = "Application/JSON; charset=utf-8"
    answer = client.post("/v1/things", headers=signer.token("seller"), data=json.dumps(GOOD), content_type=content_type)
    assert answer.status_code == 201


def test_a_body_has_a_largest_size(client, signer) -> None:
    headers = signer.token("seller")
    refused(
        client.post("/v1/things", headers=headers, data=b" " * 1_048_577, content_type="application/json"),
        413,
        "too_large",
    )
    assert client.post("/v1/files", headers=headers, data=b" " * 2_000_000, content_type="text/csv").status_code == 200
    refused(client.post("/v1/files", headers=headers, data=b" " * 2_000_001, content_type="text/csv"), 413, "too_large")


def test_a_raw_body_and_headers_are_given_as_they_came(client, signer) -> None:
    headers = {**signer.token("seller"), "X-Signature": "abc"}
    answer = client.post("/v1/files", headers=headers, data=b"a;b\n", content_type="text/csv")
    assert answer.json == {"said": "4", "by": "abc"}


def test_a_route_without_a_body_takes_none(client, signer) -> None:
    answer = client.post("/v1/things/x/drop", headers=signer.token("seller"), json={"a": 1})
    refused(answer, 422, "invalid_field", field="$")


def test_parameters_are_read_by_their_types(client, signer) -> None:
    answer = client.get("/v1/things?grade=S235&grade=S355&thin=1.50&limit=7", headers=signer.token("seller"))
    assert answer.json["said"] == "['S235', 'S355'] 1.50 7"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("unknown=1", "$.unknown"),
        ("limit=0", "$.limit"),
        ("limit=101", "$.limit"),
        ("limit=x", "$.limit"),
        ("limit=5&limit=6", "$.limit"),
        ("cursor=a%00b", "$.cursor"),
        ("cursor=%C3%28", "$"),
        ("grade=S275", "$.grade[0]"),
        ("thin=1e5", "$.thin"),
        ("&".join(["grade=S235"] * 51), "$"),
    ],
)
def test_a_parameter_that_is_wrong_is_named(client, signer, query: str, field: str) -> None:
    document = json.loads(client.get(f"/v1/things?{query}", headers=signer.token("seller")).data)
    assert (document["status"], document["field"]) == (422, field)


def test_a_route_without_parameters_takes_none(client) -> None:
    refused(client.get("/v1/hello?x=1"), 422, "unknown_parameter", field="$.x")


@pytest.mark.parametrize("id", ["a%00b", "x" * 65, "%E4%BD%A0", "a b"])
def test_an_id_that_none_looks_like_is_not_found(client, signer, id: str) -> None:
    refused(client.get(f"/v1/things/{id}", headers=signer.token()), 404, "not_found")


def test_a_problem_is_rendered_with_its_members(client, signer) -> None:
    answer = client.post("/v1/things/taken/drop", headers=signer.token("seller"))
    refused(answer, 409, "taken", title="The thing is taken.", detail="somebody was faster", things=["taken"])


def test_a_refusal_that_is_returned_is_rendered(client, signer) -> None:
    refused(client.post("/v1/things/x/refuse", headers=signer.token("seller")), 409, "taken", detail="too late")


def test_a_bug_is_500_without_detail(client, signer) -> None:
    answer = client.post("/v1/things/broken/drop", headers=signer.token("seller"))
    assert "detail" not in refused(answer, 500, "internal_error")
    assert b"secret" not in answer.data


def test_flasks_own_errors_are_problems(client) -> None:
    refused(client.get("/v1/nothing"), 404, "no_route")
    refused(client.get("/v1//hello"), 404, "no_route")
    answer = client.delete("/v1/things")
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, POST"
    refused(client.options("/v1/things"), 405, "method_not_allowed")
