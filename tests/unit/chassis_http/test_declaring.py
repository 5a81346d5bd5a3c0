"""What is refused when a route is declared, the OpenAPI document, and a blueprint that speaks another dialect."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
import pytest
from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Dialect, File, Paging, View, command, make_app, query
from chassis.limits import find_unlimited
from chassis.openapi import list_operations, write_document
from chassis.problems import Conflict, Problem, Refused
from chassis.values import Exact, Identifier, Money, ShortText
from tests.unit.chassis_http.conftest import NoDatabase, Signer, make_service


class Inner(Body):
    name: ShortText
    note: str


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (str, "$"),
        (Inner, "$.note"),
        (list[Inner], "$[].note"),
        (dict[str, Exact], "$.<key>"),
        (dict[Identifier, Any], "$.<value>"),
        (int | None, "$"),
        (Annotated[int, Meta(ge=0)], "$"),
        (float, "$"),
        (Decimal, "$"),
        (datetime, "$"),
        (tuple[Identifier, str], None),
    ],
)
def test_fields_without_limits_are_found(kind: Any, path: str | None) -> None:
    found = list(find_unlimited(kind))
    assert found == [] if path is None else found[0].startswith(f"{path} ")


@pytest.mark.parametrize("kind", [ShortText, Literal["a"], Money, list[Exact], dict[Identifier, bool], Paging])
def test_fields_with_limits_are_not(kind: Any) -> None:
    assert list(find_unlimited(kind)) == []


def no_return(session: Session): ...
def no_annotation(session, caller: Caller) -> None: ...
def odd_path(amount: Decimal) -> None: ...
def odd_caller(caller: str) -> None: ...
def bare_body(body: Inner) -> None: ...


@pytest.mark.parametrize("function", [no_return, no_annotation, odd_path, odd_caller, bare_body])
def test_a_signature_that_cannot_be_served_is_refused(function: Any) -> None:
    with pytest.raises(TypeError, match=function.__name__):
        command(role="seller")(function)


def test_a_route_says_who_may_call_it(signer) -> None:
    def plain() -> None: ...

    with pytest.raises(TypeError, match="names its role"):
        command()(plain)
    with pytest.raises(TypeError, match="needs no role"):
        query(public=True, role="seller")(plain)
    routes = Blueprint("plain", __name__)
    routes.get("/v1/plain")(plain)
    with pytest.raises(TypeError, match="who may call it"):
        make_app(make_service(routes), NoDatabase(), signer.verifier)


def test_a_query_is_a_get_and_a_command_is_not(signer) -> None:
    def look() -> None: ...

    for method, decorated in (("post", query()(look)), ("get", command(role="seller")(look))):
        routes = Blueprint("mixed", __name__)
        getattr(routes, method)("/v1/mixed")(decorated)
        with pytest.raises(TypeError, match="a query is a GET"):
            make_app(make_service(routes), NoDatabase(), signer.verifier)


routes = Blueprint("coils", __name__)


class TakeCoils(Body):
    coils: list[Identifier]
    price: Exact


class ListCoils(Paging):
    state: Literal["free", "taken"] | None = None


class CoilView(View):
    id: str
    price: Money


@routes.get("/v1/coils")
@query()
def list_coils(session: Session, caller: Caller, params: ListCoils) -> Page[CoilView]:
    """Coils, newest first.

    Only one's own.
    """
    raise NotImplementedError


@routes.post("/v1/coils/<coil_id>/takes")
@command(role="purchaser", status=201, shared=True)
def take(session: Session, caller: Caller, coil_id: str, body: TakeCoils) -> CoilView | Refused:
    """Take coils."""
    raise NotImplementedError


@routes.post("/v1/coils/imports")
@command(public=True, idempotent=False, accept=("text/csv",), max_bytes=10)
def send_coils(body: bytes) -> None:
    """Send a list."""


def test_the_document_says_what_the_code_says() -> None:
    document = write_document([make_service(routes)], version="1")
    assert list(document["paths"]) == ["/v1/coils", "/v1/coils/imports", "/v1/coils/{coil_id}/takes"]
    listing = document["paths"]["/v1/coils"]["get"]
    assert (listing["summary"], listing["description"]) == ("Coils, newest first.", "Only one's own.")
    assert [parameter["name"] for parameter in listing["parameters"]] == ["cursor", "limit", "state"]
    taking = document["paths"]["/v1/coils/{coil_id}/takes"]["post"]
    assert (taking["x-roles"], taking["x-public"], taking["x-party-scoped"]) == (["purchaser"], False, False)
    assert [(part["in"], part["name"]) for part in taking["parameters"]] == [
        ("path", "coil_id"),
        ("header", "Idempotency-Key"),
    ]
    assert taking["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/TakeCoils"}
    assert list(taking["responses"]) == ["201", "401", "403", "404", "409", "413", "415", "422", "428", "503"]
    sending = document["paths"]["/v1/coils/imports"]["post"]
    assert (sending["x-public"], sending["security"], list(sending["requestBody"]["content"])) == (
        True,
        [],
        ["text/csv"],
    )
    assert "428" not in sending["responses"]
    price = document["components"]["schemas"]["TakeCoils"]["properties"]["price"]
    assert price["type"] == "string" and "pattern" in price


def test_every_reference_in_the_document_leads_somewhere() -> None:
    document = write_document([make_service(routes)], version="1")
    text = json.dumps(document)
    for part in text.split('"$ref": "')[1:]:
        kind, name = part.partition('"')[0].removeprefix("#/components/").split("/")
        assert name in document["components"][kind]


def test_operations_are_listed_with_their_routes() -> None:
    operations = list_operations([make_service(routes)])
    assert [operation.route.__name__ for operation in operations] == ["list_coils", "send_coils", "take"]


def write_fault(problem: Problem, request_id: str | None) -> bytes:
    return f"<fault code='{problem.type_name()}'>{problem.detail}</fault>".encode()


def read_words(kind: Any) -> Any:
    return lambda raw: msgspec.convert({"words": raw.decode().split()}, kind)


class Words(Body):
    words: list[ShortText]


class Rude(Conflict):
    """These words are not said here."""


strange = Blueprint("strange", __name__, url_prefix="/strange")
strange.dialect = Dialect(
    prefix="/strange",
    accept=("text/plain",),
    media_type="text/xml",
    problem_media_type="text/xml",
    read=read_words,
    write=lambda view: f"<said>{view}</said>".encode(),
    write_problem=write_fault,
)


@strange.post("/words")
@command(public=True, idempotent=False)
def say_words(body: Words) -> str:
    """Say the words again."""
    if "rude" in body.words:
        raise Rude("please")
    return "-".join(body.words)


def test_a_blueprint_may_speak_another_dialect(client_of, signer: Signer) -> None:
    client = client_of(strange, routes)
    said = client.post("/strange/words", data="a b", content_type="text/plain")
    assert (said.data, said.content_type) == (b"<said>a-b</said>", "text/xml")
    rude = client.post("/strange/words", data="rude", content_type="text/plain")
    assert (rude.status_code, rude.data) == (409, b"<fault code='urn:haihe:problem:rude'>please</fault>")
    for answer in (
        client.post("/strange/nothing"),
        client.get("/strange/words"),
        client.post("/strange/words", json={}),
    ):
        assert answer.status_code in (404, 405, 415)
        assert answer.data.startswith(b"<fault")
    assert client.get("/v1/coils").content_type == "application/problem+json"
    described = write_document([make_service(strange)], version="1")["paths"]["/strange/words"]["post"]
    assert list(described["responses"]["409"]["content"]) == ["text/xml"]


def test_a_query_may_give_a_file() -> None:
    routes = Blueprint("papers", __name__)

    @routes.get("/v1/papers")
    @query(public=True, gives=("application/pdf",))
    def show_paper(session: Session) -> File:
        """Show a paper."""
        return File("application/pdf", "a.pdf", b"%PDF")

    service = make_service(routes)
    answer = make_app(service, NoDatabase(), Signer().verifier).test_client().get("/v1/papers")  # type: ignore[arg-type]
    assert (answer.status_code, answer.data, answer.content_type) == (200, b"%PDF", "application/pdf")
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''a.pdf"
    said = write_document([service], version="1")["paths"]["/v1/papers"]["get"]["responses"]["200"]
    assert said == {"description": "The document.", "content": {"application/pdf": {}}}


def test_a_file_and_what_it_may_be_go_together() -> None:
    def show(session: Session) -> File: ...
    def tell(session: Session) -> Inner: ...

    for function, gives in ((show, ()), (tell, ("text/csv",))):
        with pytest.raises(TypeError, match="says what it gives"):
            query(public=True, gives=gives)(function)
