"""The query interface of EPCIS 2.0 over HTTP: events, the top-level resources, named queries and pages."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import PARTY_ROLES, Caller
from chassis.http import Headers, Pairs, Reply, command, query
from services.logistics.epcis.dialect import EPCIS, JSON, JSON_LD, PREFIX, quote_id, write_created, write_view
from services.logistics.epcis.query import answering, commands, queries
from services.logistics.epcis.query.resources import RESOURCES

routes = Blueprint("epcis_queries", __name__, url_prefix=PREFIX)
routes.dialect = EPCIS  # type: ignore[attr-defined]


@routes.get("/events")
@query()
def list_events(session: Session, caller: Caller, headers: Headers, params: Pairs) -> Reply:
    """The events that the caller may see and that answer the query string, a page at a time."""
    return answering.answer_events(session, caller, headers, params)


def _name(function: Callable[..., Reply], name: str, says: str) -> Callable[..., Reply]:
    function.__name__, function.__doc__ = name, says
    return function


def _mount_resource(resource: str) -> None:
    def list_values(session: Session, caller: Caller, headers: Headers, params: Pairs) -> Reply:
        return answering.answer_values(session, caller, headers, params, resource=resource)

    def show_value(session: Session, caller: Caller, headers: Headers, params: Pairs, value: str) -> Reply:
        return answering.answer_value(session, caller, headers, params, resource=resource, given=value)

    def list_events_of(session: Session, caller: Caller, headers: Headers, params: Pairs, value: str) -> Reply:
        return answering.answer_events_of(session, caller, headers, params, resource=resource, given=value)

    one = resource.removesuffix("s")
    said = f"The {resource} that the events have which the caller may see, a page at a time."
    routes.get(f"/{resource}")(query()(_name(list_values, f"list_{resource}", said)))
    said = f"What there is below one of the {resource}."
    routes.get(f"/{resource}/<path:value>")(query()(_name(show_value, f"show_{one}", said)))
    said = f"The events of one of the {resource} that answer the query string besides, a page at a time."
    routes.get(f"/{resource}/<path:value>/events")(query()(_name(list_events_of, f"list_events_of_{one}", said)))


for _resource in RESOURCES:
    _mount_resource(_resource)


@routes.get("/queries")
@query()
def list_queries(session: Session, caller: Caller, headers: Headers, params: Pairs) -> Reply:
    """The named queries of the caller's company, a page at a time."""
    return answering.answer_named_queries(session, caller, headers, params)


@routes.post("/queries")
@command(role=("warehouse", "seller", "purchaser", "admin"), idempotent=False, status=201, accept=(JSON, JSON_LD))
def create_query(session: Session, caller: Caller, body: bytes) -> Reply:
    """Keep a query under a name of the caller's company."""
    return write_created(f"queries/{quote_id(commands.create_query(session, caller, body).name)}")


@routes.get("/queries/<name>")
@query()
def show_query(session: Session, caller: Caller, headers: Headers, name: str) -> Reply:
    """A named query of the caller's company, with what it asks."""
    return write_view(
        headers, answering.view_query(queries.see_named_query(session, name, caller), headers), name="query"
    )


@routes.delete("/queries/<name>")
@command(role=("warehouse", "seller", "purchaser", "admin"), idempotent=False)
def delete_query(session: Session, caller: Caller, name: str) -> None:
    """Delete a named query of the caller's company, and every subscription to it."""
    commands.delete_query(session, caller, name)


@routes.get("/queries/<name>/events")
@query()
def list_events_of_query(session: Session, caller: Caller, headers: Headers, params: Pairs, name: str) -> Reply:
    """The events that answer a named query, a page at a time."""
    return answering.answer_named(session, caller, headers, params, name)


@routes.delete("/nextPageToken/<token>")
@command(role=(*PARTY_ROLES, "operator"), idempotent=False)
def end_page(session: Session, caller: Caller, token: str) -> None:
    """Let a nextPageToken be worth nothing from now on."""
    commands.end_page(session, caller, token, answering.sign_with(session))
