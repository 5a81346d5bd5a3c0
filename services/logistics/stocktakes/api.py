"""Stock-takes over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Instant, Paging, View, command, query
from chassis.values import Identifier, ShortText
from services.logistics.manual.items import Item
from services.logistics.stocktakes import commands, queries
from services.logistics.stocktakes.counting import Standing
from services.logistics.stocktakes.model import Kind, State, StockTakeLine

routes = Blueprint("stock-takes", __name__)

TagHex = Annotated[str, Meta(pattern=r"^([0-9A-Fa-f]{2}){4,64}(?![\s\S])")]
Code = Annotated[str, Meta(min_length=1, max_length=300, pattern=r"^[\u001d\u0020-\u007e]+(?![\s\S])")]


class BeginStockTake(Body):
    """Which zone is gone through, or the whole warehouse without one; ``kind`` is the CBV's word for why."""

    zone_id: Identifier | None = None
    kind: Kind = Kind.CYCLE_COUNTING


class SeeThing(Body):
    """One sight of one thing: a tag in hex digits, what a barcode says, a piece's number, or a piece; and the handheld's time."""

    sequence: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    at: Instant
    epc: TagHex | None = None
    barcode: Code | None = None
    number: ShortText | None = None
    piece_id: Identifier | None = None


class PostSights(Body):
    """A batch of what a handheld has seen. (``handheld``, ``boot``, ``sequence``) names each sight: sent again it counts once."""

    handheld: Identifier
    reads: Annotated[list[SeeThing], Meta(min_length=1, max_length=1_000)]
    boot: Identifier = "0"


class TakenView(View):
    """How many sights came, and how many of them were new."""

    accepted: int
    new: int


class StockTakeView(View):
    """A stock-take: open, closed or abandoned. What came of it is counted once it is closed."""

    id: str
    zone_id: str | None
    kind: str
    state: str
    due_at: datetime | None
    started_at: datetime
    started_by: str
    closed_at: datetime | None
    closed_by: str | None
    reads: int
    things: int
    found: int
    missing: int
    unexpected: int
    epcis_event_id: str | None

    @classmethod
    def of(cls, details: queries.Details) -> StockTakeView:
        take = details.take
        return cls(
            id=take.id,
            zone_id=take.zone_id,
            kind=take.kind,
            state=take.state,
            due_at=take.due_at,
            started_at=take.started_at,
            started_by=take.started_by,
            closed_at=take.closed_at,
            closed_by=take.closed_by,
            reads=details.reads,
            things=details.things,
            epcis_event_id=take.epcis_event_id,
            **details.standings,
        )


class ListStockTakes(Paging):
    """Which stock-takes to list."""

    zone_id: Identifier | None = None
    state: State | None = None


class ListLines(Paging):
    """Which lines to list."""

    standing: Standing | None = None


class LineView(View):
    """What came of a stock-take for one thing: found, missing or unexpected; ``zone_id`` is where it was thought to be."""

    standing: str
    piece_id: str | None
    epc: str | None
    zone_id: str | None

    @classmethod
    def of(cls, line: StockTakeLine) -> LineView:
        return cls(standing=line.standing, piece_id=line.piece_id, epc=line.epc, zone_id=line.zone_id)


@routes.post("/v1/stock-takes")
@command(role="warehouse", status=201)
def begin_stock_take(session: Session, caller: Caller, body: BeginStockTake) -> StockTakeView:
    """Begin to go through a zone, or through the whole warehouse."""
    take = commands.begin_stock_take(session, caller, zone_id=body.zone_id, kind=body.kind)
    return StockTakeView.of(queries.add_details(session, [take])[0])


@routes.post("/v1/stock-takes/<stocktake_id>/reads")
@command(role="warehouse", idempotent=False, devices=True)
def post_sights(session: Session, caller: Caller, stocktake_id: str, body: PostSights) -> TakenView:
    """Hand in what a handheld has seen: with the API key of that handheld, or as a user of the warehouse."""
    sights = [
        commands.Sight(
            one.sequence,
            Item(epc=one.epc, barcode=one.barcode, number=one.number, piece_id=one.piece_id),
            one.at,
        )
        for one in body.reads
    ]
    new = commands.take_sights(session, caller, stocktake_id, handheld=body.handheld, boot=body.boot, sights=sights)
    return TakenView(accepted=len(sights), new=new)


@routes.post("/v1/stock-takes/<stocktake_id>/close")
@command(role="warehouse")
def close_stock_take(session: Session, caller: Caller, stocktake_id: str) -> StockTakeView:
    """Everything was gone through: hold what was read against what should be there.

    An EPCIS event says what was; what is missing or unexpected becomes a task, and what was missing and is there is found.
    """
    take = commands.close_stock_take(session, caller, stocktake_id)
    session.flush()
    return StockTakeView.of(queries.add_details(session, [take])[0])


@routes.get("/v1/stock-takes")
@query()
def list_stock_takes(session: Session, caller: Caller, params: ListStockTakes) -> Page[StockTakeView]:
    """The stock-takes of the caller's warehouse, newest first."""
    found = queries.list_stock_takes(
        session, caller, zone_id=params.zone_id, state=params.state, cursor=params.cursor, limit=params.limit
    )
    return found.map(StockTakeView.of)


@routes.get("/v1/stock-takes/<stocktake_id>")
@query()
def show_stock_take(session: Session, caller: Caller, stocktake_id: str) -> StockTakeView:
    """One stock-take."""
    return StockTakeView.of(queries.see_stock_take(session, stocktake_id, caller))


@routes.get("/v1/stock-takes/<stocktake_id>/lines")
@query()
def list_lines(session: Session, caller: Caller, stocktake_id: str, params: ListLines) -> Page[LineView]:
    """What came of a stock-take, thing by thing."""
    found = queries.list_lines(
        session, caller, stocktake_id, standing=params.standing, cursor=params.cursor, limit=params.limit
    )
    return found.map(LineView.of)
