"""How requests of a load are named and counted."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from loadtests.journeys.carrier import ConnectionLost, LocustCarrier, route_of
from loadtests.journeys.refusals import is_expected

OPENAPI = Path(__file__).resolve().parents[3] / "docs" / "openapi.json"
ID = "deal_01m7z57mtzcjqv9gnt2rzprm87"


class Response:
    """What a Locust client hands to a with-block."""

    def __init__(self, status: int, body: Any = None) -> None:
        self.status_code = status
        self.content = json.dumps(body).encode() if body is not None else b""
        self.headers = {"Content-Type": "application/problem+json" if status >= 400 else "application/json"}
        self.error = None if status else ConnectionResetError("reset")
        self.request_meta: dict[str, Any] = {}
        self.said: list[str] = []

    def __enter__(self) -> Response:
        return self

    def __exit__(self, *_: object) -> bool:
        return True

    def success(self) -> None:
        self.said.append("success")

    def failure(self, why: str) -> None:
        self.said.append(why)


class Client:
    """Answers one response after the other and keeps what was asked."""

    def __init__(self, *responses: Response) -> None:
        self.responses = list(responses)
        self.asked: list[tuple[str, str, dict[str, Any]]] = []

    def request(self, method: str, path: str, **options: Any) -> Response:
        self.asked.append((method, path, options))
        return self.responses[len(self.asked) - 1]


def problem(status: int, name: str) -> Response:
    return Response(status, {"type": f"urn:haihe:problem:{name}", "status": status, "detail": "said so"})


@pytest.mark.parametrize(
    ("problem", "expected"), [("not_yet_known", True), ("illegal_move", False), ("not_found", False)]
)
def test_a_delivery_that_cannot_be_accepted_yet_is_not_yet_known_and_nothing_else(problem: str, expected: bool) -> None:
    assert is_expected("POST", "/v1/deals/{id}/deliveries/{id}/accept", problem) is expected


def test_every_route_of_the_api_is_named_by_its_template() -> None:
    for template in json.loads(OPENAPI.read_text())["paths"]:
        if not template.startswith("/v1/"):
            continue  # pages and EPCIS are no part of the load
        path = re.sub(r"\{[^}]+\}", ID, template)
        assert route_of(f"{path}?cursor={ID}") == re.sub(r"\{[^}]+\}", "{id}", template)


def test_an_answer_is_read_and_named() -> None:
    client = Client(Response(201, {"id": ID}))
    assert LocustCarrier(client)("POST", f"/v1/offers/{ID}/takes", {"A": "b"}, b"{}") == (201, {"id": ID})
    ((method, path, options),) = client.asked
    assert (method, path) == ("POST", f"/v1/offers/{ID}/takes")
    assert options == {
        "name": "/v1/offers/{id}/takes",
        "data": b"{}",
        "headers": {"A": "b"},
        "catch_response": True,
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "name"),
    [
        ("POST", f"/v1/offers/{ID}/takes", 409, "coil_gone"),
        ("POST", f"/v1/offers/{ID}/takes", 409, "insufficient_quantity"),
        ("POST", "/v1/deliveries", 503, "not_yet_known"),
        ("GET", f"/v1/agreements/{ID}", 404, "not_found"),
    ],
)
def test_refusals_of_trading_are_counted_apart(method: str, path: str, status: int, name: str) -> None:
    response = problem(status, name)
    assert LocustCarrier(Client(response))(method, path, {}, None)[0] == status
    assert response.said == ["success"]
    assert response.request_meta == {"request_type": "REFUSED", "name": f"{method} {route_of(path)}: {name}"}


@pytest.mark.parametrize(
    ("path", "status", "name"),
    [
        (f"/v1/offers/{ID}/takes", 409, "insufficient_funds"),
        (f"/v1/offers/{ID}/takes", 404, "not_found"),
        ("/v1/offers", 409, "coil_gone"),
        ("/v1/offers", 503, "unreachable"),
        ("/v1/offers", 401, "token_expired"),
        ("/v1/offers", 500, "internal_error"),
    ],
)
def test_all_other_refusals_are_errors(path: str, status: int, name: str) -> None:
    response = problem(status, name)
    LocustCarrier(Client(response))("POST", path, {}, None)
    assert response.said == [f"{status} {name}: said so"] and response.request_meta == {}


def test_a_failure_without_a_problem_is_an_error_too() -> None:
    response = Response(502)
    LocustCarrier(Client(response))("GET", "/v1/me", {}, None)
    assert response.said == ["502 without a problem: "]


def test_a_request_without_an_answer_is_sent_once_more() -> None:
    client = Client(Response(0), Response(200, {}))
    assert LocustCarrier(client)("POST", "/v1/offers", {"Idempotency-Key": "k"}, b"{}") == (200, {})
    assert client.asked[0] == client.asked[1]
    with pytest.raises(ConnectionLost, match="/v1/me"):
        LocustCarrier(Client(Response(0), Response(0)))("GET", "/v1/me", {}, None)
