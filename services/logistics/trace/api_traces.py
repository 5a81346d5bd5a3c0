"""Traces and places over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, File, Instant, Paging, Params, Streamed, View, command, query
from chassis.uploads.writers import MEDIA_TYPES
from chassis.values import ShortText
from services.logistics.trace import commands, queries
from services.logistics.trace.drawing import draw_trace
from services.logistics.trace.facts import Fact
from services.logistics.trace.graph import Step
from services.logistics.trace.model import KnownPlace
from services.logistics.trace.naming import ThingName
from services.logistics.trace.places import Place
from services.logistics.trace.table import write_trace_table
from services.logistics.trace.tracing import Trace, Traced, find_trace

routes = Blueprint("traces", __name__)

Degrees = Annotated[float, Meta(ge=-180, le=180)]


class AskTrace(Params):
    """What to trace (without ``id``: what there is to trace), which way, as of when, and over how many levels."""

    id: ThingName | None = None
    direction: Literal["back", "forward", "both"] = "both"
    at: Instant | None = None
    depth: Annotated[int, Meta(ge=1, le=50)] = 20


class AskTable(AskTrace):
    """As a trace; ``format`` is csv or xlsx."""

    format: Literal["csv", "xlsx"] = "csv"


class PlaceView(View):
    """A place by its canonical name; degrees are WGS 84, null where nobody has said them."""

    id: str
    name: str | None
    city: str | None
    country: str | None
    latitude: float | None
    longitude: float | None

    @classmethod
    def of(cls, place: Place) -> PlaceView:
        return cls(
            id=place.id,
            name=place.name,
            city=place.city,
            country=place.country,
            latitude=place.latitude,
            longitude=place.longitude,
        )


class SeenView(View, gc=False):
    """Where a thing was last by ``event``; ``is_there`` says that the event left it there, not only passed it."""

    place: str
    at: datetime
    is_there: bool
    event: str


class NodeView(View, gc=False):
    """A thing, lot or run: ``role`` is root, product, run, carrier, host or fitting; ``level`` is negative backwards."""

    id: str
    kind: str
    label: str
    role: str
    level: int
    seen: SeenView | None
    disposition: str | None
    events: list[str]

    @classmethod
    def of(cls, node: Traced) -> NodeView:
        fact = node.seen
        seen = None
        if fact is not None and fact.place is not None:
            seen = SeenView(place=fact.place, at=fact.at, is_there=fact.biz_location is not None, event=fact.id)
        return cls(
            id=node.id,
            kind=node.kind,
            label=node.label,
            role=node.role,
            level=node.level,
            seen=seen,
            disposition=node.disposition,
            events=node.by,
        )


class EdgeView(View, gc=False):
    """How goods go from ``source`` to ``target``: made_into, lot_of, inside, attached or under, and until when it lasted."""

    source: str
    target: str
    relation: str
    since: datetime
    until: datetime | None
    events: list[str]

    @classmethod
    def of(cls, step: Step) -> EdgeView:
        return cls(
            source=step.source,
            target=step.target,
            relation=step.relation,
            since=step.since,
            until=step.until,
            events=list(step.by),
        )


class PairView(View, gc=False):
    """A typed name: of a paper, a source or a destination."""

    type: str | None
    id: str


class EventView(View, gc=False):
    """An EPCIS event of the trace without what it names; ``id`` is its row, ``owner_id`` who captured it."""

    id: str
    event_id: str
    at: datetime
    type: str
    action: str | None
    biz_step: str | None
    disposition: str | None
    read_point: str | None
    biz_location: str | None
    owner_id: str
    papers: list[PairView]
    sources: list[PairView]
    destinations: list[PairView]

    @classmethod
    def of(cls, fact: Fact) -> EventView:
        return cls(
            id=fact.id,
            event_id=fact.event_id,
            at=fact.at,
            type=fact.type,
            action=fact.action,
            biz_step=fact.biz_step,
            disposition=fact.disposition,
            read_point=fact.read_point,
            biz_location=fact.biz_location,
            owner_id=fact.owner_id,
            papers=[PairView(type=kind, id=uri) for kind, uri in fact.papers],
            sources=[PairView(type=kind, id=uri) for kind, uri in fact.sources],
            destinations=[PairView(type=kind, id=uri) for kind, uri in fact.destinations],
        )


class TraceView(View):
    """The graph: ``visited`` are the events that say where the roots were, oldest first; it is whole unless it was cut by
    its depth or size.
    """

    roots: list[str]
    at: datetime | None
    is_whole: bool
    nodes: list[NodeView]
    edges: list[EdgeView]
    events: list[EventView]
    visited: list[str]
    places: list[PlaceView]

    @classmethod
    def of(cls, trace: Trace) -> TraceView:
        return cls(
            roots=trace.roots,
            at=trace.at,
            is_whole=trace.is_whole,
            nodes=[NodeView.of(node) for node in trace.nodes],
            edges=[EdgeView.of(step) for step in trace.steps],
            events=[EventView.of(fact) for fact in sorted(trace.facts.values(), key=lambda fact: fact.order)],
            visited=[fact.id for fact in trace.visited],
            places=[PlaceView.of(place) for _, place in sorted(trace.places.items())],
        )


def _find(session: Session, caller: Caller, params: AskTrace) -> Trace:
    return find_trace(session, caller, params.id, direction=params.direction, at=params.at, depth=params.depth)


@routes.get("/v1/traces")
@query()
def show_trace(session: Session, caller: Caller, params: AskTrace) -> TraceView:
    """Where a thing or lot is and was, what is inside, what it was made from and what was made from it, by the events that
    the caller may see. Without an id: what the latest events are about.
    """
    return TraceView.of(_find(session, caller, params))


@routes.get("/v1/traces/table")
@query(gives=(MEDIA_TYPES["csv"], MEDIA_TYPES["xlsx"]))
def export_trace(session: Session, caller: Caller, params: AskTable) -> Streamed:
    """The trace as a table: a row for each event of each thing."""
    return write_trace_table(_find(session, caller, params), params.format)


@routes.get("/v1/traces/picture")
@query(gives=("image/svg+xml",))
def draw(session: Session, caller: Caller, params: AskTrace) -> File:
    """The trace as a picture for people, drawn from left to right."""
    return File("image/svg+xml", "trace.svg", draw_trace(_find(session, caller, params)).encode())


class DescribePlace(Body):
    """What a place that the caller's events name is: ``id`` as an SGLN or a Digital Link, or any URI."""

    id: ThingName
    name: ShortText
    city: ShortText | None = None
    country: Annotated[str, Meta(min_length=2, max_length=2, pattern=r"^[A-Z]{2}(?![\s\S])")] | None = None
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Degrees | None = None


class KnownPlaceView(View):
    """A place as the caller's company described it."""

    id: str
    uri: str
    name: str
    city: str | None
    country: str | None
    latitude: float | None
    longitude: float | None
    described_at: datetime

    @classmethod
    def of(cls, place: KnownPlace) -> KnownPlaceView:
        return cls(
            id=place.id,
            uri=place.uri,
            name=place.name,
            city=place.city,
            country=place.country,
            latitude=place.latitude,
            longitude=place.longitude,
            described_at=place.described_at,
        )


@routes.post("/v1/places")
@command(role=("warehouse", "seller", "admin"))
def describe_place(session: Session, caller: Caller, body: DescribePlace) -> KnownPlaceView:
    """Say what a place is, for maps, tables and public pages; said again, the last word counts."""
    place = commands.describe_place(
        session,
        caller,
        uri=body.id,
        name=body.name,
        city=body.city,
        country=body.country,
        latitude=body.latitude,
        longitude=body.longitude,
    )
    return KnownPlaceView.of(place)


@routes.get("/v1/places")
@query()
def list_places(session: Session, caller: Caller, params: Paging) -> Page[KnownPlaceView]:
    """The places that the caller's company has described, newest first."""
    return queries.list_places(session, caller, params.cursor, params.limit).map(KnownPlaceView.of)
