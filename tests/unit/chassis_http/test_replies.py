"""What a blueprint may bring along for a protocol of others: whole answers, query strings, ids, problems and OPTIONS."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from flask import Blueprint

from chassis.http import Dialect, Headers, Pairs, Reply, command, query
from chassis.openapi import write_document
from chassis.problems import Conflict, Invalid, Problem
from infra.assembly import compose
from tests.unit.chassis_http.conftest import Signer, make_service


class TooOld(Problem):
    """This is spoken in a newer version."""

    status = 406


class Nonsense(Problem):
    """This means nothing here."""

    status = 400


def admit(headers: Mapping[str, str]) -> None:
    if headers.get("Version") == "1":
        raise TooOld("version 1")


def rename(problem: Problem) -> Problem:
    return Nonsense(problem.detail) if isinstance(problem, Invalid) else problem


def choose_problem(accept: str) -> tuple[str, object]:
    if "xml" in accept:
        return "application/problem+xml", lambda problem, request_id: f"<p>{problem.detail}</p>".encode()
    return "text/plain", lambda problem, request_id: problem.type_name().encode()


routes = Blueprint("partners", __name__, url_prefix="/partners/v2")
routes.dialect = Dialect(
    prefix="/partners/v2",
    accept=("text/plain", "application/xml"),
    gives=("text/plain", "text/html"),
    admit=admit,
    headers=(("Spoken", "2"),),
    is_id=lambda text: not text.startswith("!"),
    rename=rename,
    choose_problem=choose_problem,
    options=lambda path: [("Limits", f"{path} 500")],
)


@routes.get("/things/<path:name>")
@query()
def show_thing(headers: Headers, params: Pairs, name: str) -> Reply:
    """Show a thing."""
    told = f"{name} {params}"
    return Reply(200, [("Content-Type", "text/html" if "html" in headers["Accept"] else "text/plain")], told.encode())


@routes.post("/things")
@command(public=True, idempotent=False)
def make_thing(body: bytes) -> Reply:
    """Make a thing."""
    if body == b"again":
        raise Conflict("it is there")
    return Reply(201, [("Location", "/partners/v2/things/1")])


@pytest.fixture
def client(client_of):
    return client_of(routes)


def test_a_reply_is_sent_as_it_is(client, signer: Signer) -> None:
    token = signer.token("reader")
    shown = client.get(
        "/partners/v2/things/ni:%2F%2F%2Fa%3Fb/c?x=1&x=2&GE_y=%C3%A9", headers={**token, "Accept": "text/html"}
    )
    assert (shown.status_code, shown.content_type) == (200, "text/html")
    assert shown.text == "ni:///a?b/c [('x', '1'), ('x', '2'), ('GE_y', 'é')]"
    made = client.post("/partners/v2/things", data="x", content_type="text/plain")
    assert (made.status_code, made.data, made.headers["Location"]) == (201, b"", "/partners/v2/things/1")
    assert {shown.headers["Spoken"], made.headers["Spoken"]} == {"2"}
    assert "Content-Type" not in made.headers


def test_what_is_not_admitted_is_refused_after_the_token_was_looked_at(client, signer: Signer) -> None:
    old = {"Version": "1", "Accept": "text/plain"}
    refused = client.get("/partners/v2/things/a", headers={**signer.token("reader"), **old})
    assert (refused.status_code, refused.text, refused.headers["Spoken"]) == (406, "urn:haihe:problem:too_old", "2")
    assert client.get("/partners/v2/things/a", headers=old).status_code == 401


def test_problems_have_the_form_and_the_words_that_the_caller_reads(client, signer: Signer) -> None:
    asked = {"data": "again", "content_type": "text/plain"}
    plain, xml = (client.post("/partners/v2/things", **asked, headers={"Accept": kind}) for kind in ("*/*", "text/xml"))
    assert (plain.status_code, plain.content_type, plain.text) == (409, "text/plain", "urn:haihe:problem:conflict")
    assert (xml.status_code, xml.content_type, xml.text) == (409, "application/problem+xml", "<p>it is there</p>")
    wrong = client.get("/partners/v2/things/a?" + "x=1&" * 300, headers=signer.token("reader"))
    assert (wrong.status_code, wrong.text) == (400, "urn:haihe:problem:nonsense")
    assert client.get("/partners/v2/nothing", headers={"Accept": "text/xml"}).content_type == "application/problem+xml"


def test_ids_are_what_the_dialect_calls_one(client, signer: Signer) -> None:
    assert client.get("/partners/v2/things/!a", headers=signer.token("reader")).status_code == 404


def test_options_are_answered_wherever_there_is_a_route(client) -> None:
    told = client.options("/partners/v2/things/a")
    assert (told.status_code, told.data, told.headers["Allow"]) == (204, b"", "GET, HEAD, OPTIONS")
    assert (told.headers["Limits"], told.headers["Spoken"]) == ("/partners/v2/things/a 500", "2")
    assert "Content-Type" not in told.headers
    assert client.options("/partners/v2/things").headers["Allow"] == "OPTIONS, POST"
    assert client.options("/partners/v2/nothing").status_code == 404


def test_elsewhere_options_is_a_method_like_another(client_of) -> None:
    own = Blueprint("own", __name__)

    @own.get("/v1/things")
    @query(public=True)
    def list_things() -> list[str]:
        """List things."""
        return []

    answer = client_of(own, routes).options("/v1/things")
    assert (answer.status_code, answer.json["type"]) == (405, "urn:haihe:problem:method_not_allowed")


def test_the_document_tells_what_a_reply_may_be() -> None:
    paths = write_document([make_service(routes)], version="1")["paths"]
    shown = paths["/partners/v2/things/{name}"]["get"]
    assert shown["responses"]["200"]["content"] == {"text/plain": {}, "text/html": {}}
    assert [one["name"] for one in shown["parameters"]] == ["name"]
    assert paths["/partners/v2/things"]["post"]["requestBody"]["content"].keys() == {"text/plain", "application/xml"}


def test_a_request_goes_to_the_owner_of_its_noun_or_its_prefix() -> None:
    def app(name: str):
        return lambda environ, start_response: [name.encode()]

    ask = compose({"things": app("noun"), "/partners/v2": app("prefix")}, app("rest"))
    paths = {
        "/v1/things/1": "noun",
        "/v1/others": "rest",
        "/partners/v2": "prefix",
        "/partners/v2/a": "prefix",
        "/partners/v21": "rest",
    }
    assert {path: b"".join(ask({"PATH_INFO": path}, print)).decode() for path in paths} == paths
