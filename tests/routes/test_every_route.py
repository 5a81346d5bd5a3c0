"""What is true of every route, generated from the OpenAPI document: who may call it, and what it does with hostile input."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis.auth import PARTY_ROLES, PLATFORM_ROLES
from chassis.openapi import write_document
from infra.assembly import load_services
from tests.routes.samples import HOSTILE, Schemas, with_value
from tests.world import Answer, World

DOCUMENT = write_document(load_services(), version="test")
SCHEMAS = Schemas(DOCUMENT)
ROUTES = [
    (method.upper(), path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
COMMANDS = [route for route in ROUTES if route[2]["x-command"]]
ROLES = (*PARTY_ROLES, *PLATFORM_ROLES)
NAMES = {"ids": lambda route: f"{route[0]} {route[1]}" if isinstance(route, tuple) else None}


def token_for(world: World, role: str) -> str:
    if role in PLATFORM_ROLES:
        return world.token(role, party_id="platform", kind="operator" if role == "operator" else "machine")
    return world.token(role)


def call(
    world: World, route: tuple, token: str | None, *, body: Any = ..., key: str | None = "every-route-1", **options: Any
) -> Answer:
    method, path, operation = route
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            path = path.replace("{" + parameter["name"] + "}", "id_that_is_not_there")
    params = {
        parameter["name"]: SCHEMAS.sample(parameter["schema"])
        for parameter in operation["parameters"]
        if parameter["in"] == "query" and parameter["required"]
    }
    content_type = next(iter(operation.get("requestBody", {"content": {"application/json": 0}})["content"]))
    if body is ...:
        body = sample_body(operation)
    needs_key = any(parameter["name"] == "Idempotency-Key" for parameter in operation["parameters"])
    options.setdefault("content_type", content_type)
    return world.client(token).send(
        method, path, body=body, key=(key or "") if needs_key else "", params=params, **options
    )


def json_schema(operation: dict[str, Any]) -> dict[str, Any] | None:
    return operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")


def sample_body(operation: dict[str, Any]) -> Any:
    if "requestBody" not in operation:
        return None
    schema = json_schema(operation)
    return SCHEMAS.sample(schema) if schema else b"nothing that is known"


@pytest.fixture(scope="module")
def still(built_world: World):
    """One world for all routes: nothing here changes anything."""
    with built_world.at():
        built_world.begin()
        yield built_world
        built_world.rest()


def assert_problem(answer: Answer, status: int | tuple[int, ...], dialect: str | None = None) -> None:
    """A problem of the house, or one in the words of EPCIS, which calls 400 what is 422 elsewhere."""
    statuses = status if isinstance(status, tuple) else (status,)
    assert answer.status in (tuple(400 if one == 422 else one for one in statuses) if dialect else statuses), answer
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (
        answer.body["type"].startswith("epcisException:" if dialect else "urn:haihe:problem:")
        and answer.body["title"]
        and answer.body["status"] == answer.status
    )


def name_refusal(route: tuple, name: str) -> str:
    """The type of a refusal for want of rights, in the words of the route's dialect."""
    return "epcisException:SecurityException" if "x-dialect" in route[2] else f"urn:haihe:problem:{name}"


@pytest.mark.parametrize("route", [r for r in ROUTES if not r[2]["x-public"]], **NAMES)
def test_no_token_a_forged_one_and_an_expired_one_are_401(still: World, route: tuple) -> None:
    token = still.token(*ROLES)
    claims = jwt.decode(token, options={"verify_signature": False})
    headers = {name: value for name, value in jwt.get_unverified_header(token).items() if name != "alg"}
    stranger = Ed25519PrivateKey.generate()
    forged = [
        None,
        "",
        "x",
        token[:-4] + "AAAA",
        jwt.encode(claims, stranger, "EdDSA", headers=headers),
        jwt.encode(claims, stranger, "EdDSA", headers={**headers, "jwk": {"kty": "OKP"}}),
        jwt.encode(claims, "secret" * 8, "HS256", headers=headers),
        jwt.encode(claims, None, "none", headers=headers),
    ]
    for bad in forged:
        assert_problem(call(still, route, bad), 401, route[2].get("x-dialect"))
    still.clock.advance(timedelta(hours=1))
    assert_problem(call(still, route, token), 401, route[2].get("x-dialect"))


@pytest.mark.parametrize("route", COMMANDS, **NAMES)
def test_a_command_is_refused_to_every_role_but_its_own(still: World, route: tuple) -> None:
    allowed = set(route[2]["x-roles"])
    if route[2]["x-public"]:
        assert not allowed
        return
    assert allowed and allowed <= set(ROLES)
    for role in ROLES:
        answer = call(still, route, token_for(still, role), key=f"role-{role}")
        if role in allowed:
            assert answer.status != 403 or answer.body["type"] != name_refusal(route, "missing_role"), (role, answer)
        else:
            assert_problem(answer, 403, route[2].get("x-dialect"))
            assert answer.body["type"] == name_refusal(route, "missing_role")


@pytest.mark.parametrize(
    "route", [r for r in COMMANDS if any(p["name"] == "Idempotency-Key" for p in r[2]["parameters"])], **NAMES
)
def test_a_command_without_its_key_is_428_and_a_strange_one_422(still: World, route: tuple) -> None:
    token = token_for(still, (route[2]["x-roles"] or ["admin"])[0])
    assert_problem(call(still, route, token, key=None), 428)
    assert_problem(call(still, route, token, key="x" * 400), 422)


@pytest.mark.parametrize("route", [r for r in COMMANDS if json_schema(r[2])], **NAMES)
def test_bodies_that_are_no_json_or_not_an_object(still: World, route: tuple) -> None:
    token = token_for(still, (route[2]["x-roles"] or ["admin"])[0])
    deep = b'{"a":' * 5000 + b"1" + b"}" * 5000
    for raw in (b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"a":1}{"b":2}', deep, b'{"unknown_field": 1}'):
        assert_problem(call(still, route, token, body=raw), 422)
    assert_problem(call(still, route, token, content_type="text/plain"), 415)
    assert_problem(call(still, route, token, body=b'{"a":"' + b"x" * (21 << 20) + b'"}'), 413)
    assert_problem(call(still, route, token, body={**sample_body(route[2]), "unknown_field": 1}), 422)


@pytest.mark.parametrize("route", [r for r in COMMANDS if json_schema(r[2])], **NAMES)
def test_hostile_values_are_422_and_name_their_field(still: World, route: tuple) -> None:
    token = token_for(still, (route[2]["x-roles"] or ["admin"])[0])
    schema = json_schema(route[2])
    body = SCHEMAS.sample(schema)
    for path, keys, field in SCHEMAS.fields(schema):
        for value in HOSTILE:
            if SCHEMAS.accepts(field, value):
                continue
            answer = call(still, route, token, body=with_value(body, keys, value, SCHEMAS, schema))
            assert_problem(answer, 422)
            named = answer.body.get("field", "")
            assert named.startswith("$") and (path.startswith(named) or named.startswith(path)), (
                path,
                value,
                answer.body,
            )


@pytest.mark.parametrize("route", [r for r in ROUTES if not r[2]["x-command"]], **NAMES)
def test_queries_refuse_unknown_parameters_and_hostile_ones(still: World, route: tuple) -> None:
    token = still.token(*ROLES)
    method, path, operation = route
    path = path.replace("{", "").replace("}", "")
    ask = still.client(None if operation["x-public"] else token)
    refused = 404 if "x-dialect" in operation and "{" in route[1] else 422
    assert_problem(
        ask.send(method, path, params={"no_such_parameter": "1"}), (refused, 422), operation.get("x-dialect")
    )
    for parameter in operation["parameters"]:
        if parameter["in"] != "query":
            continue
        for value in ("\x00", "x" * 50_000, "\n", "-1e400"):
            answer = ask.send(method, path, params={parameter["name"]: value})
            assert answer.status < 500, (parameter["name"], value, answer)


@pytest.mark.parametrize("route", [r for r in ROUTES if "{" in r[1]], **NAMES)
def test_hostile_ids_are_404(still: World, route: tuple) -> None:
    method, path, operation = route
    token = token_for(still, (operation["x-roles"] or ["admin"])[0])
    for bad in ("..", "%00", "x" * 500, "a'b", "%E4%B8%AD", "-1", "null"):
        hostile = path
        for parameter in operation["parameters"]:
            if parameter["in"] == "path":
                hostile = hostile.replace("{" + parameter["name"] + "}", bad)
        answer = still.client(token).send(
            method,
            hostile,
            body=sample_body(operation),
            key="hostile-id",
            content_type=next(iter(operation.get("requestBody", {"content": {"application/json": 0}})["content"])),
        )
        # A page that nobody was given may be ended: it names nothing.
        fine = (
            {400, 204} if "{token}" in path and "x-dialect" in operation else {400 if "x-dialect" in operation else 422}
        )
        assert answer.status in fine | {404, 405, 503}, answer


def test_what_is_not_routed_is_a_problem_too(still: World) -> None:
    assert_problem(still.client().get("/v1/no-such-noun"), 404)
    assert_problem(still.client().send("DELETE", "/v1/offers"), 405)


@pytest.mark.parametrize("route", [r for r in ROUTES if not r[2]["x-public"]], **NAMES)
def test_the_key_of_a_device_hands_in_readings_and_nothing_else(still: World, route: tuple) -> None:
    token = still.token(*ROLES, kind="machine", device="gate_x")
    answer = call(still, route, token)
    hands_in = route[0] == "POST" and route[1].startswith(("/v1/gates/{gate_id}/", "/v1/stock-takes/"))
    if hands_in and route[1].endswith("/reads"):
        assert_problem(answer, 404)
    else:
        assert_problem(answer, 403, route[2].get("x-dialect"))
        assert answer.body["type"] == name_refusal(route, "device_only")
