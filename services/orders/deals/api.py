"""Deals over HTTP, and the takes that make them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Paging, View, command, query
from chassis.values import Identifier, Money, Quantity, Version
from events.orders import DealPiece, Side, Stage, Terms
from services.orders.deals import acceptance, commands, disputes, queries
from services.orders.deals.delivery import Delivery, DeliveryState
from services.orders.deals.ended import EndedPart
from services.orders.deals.line import Line, LineState
from services.orders.deals.queries import Standing
from services.orders.deals.states import State

routes = Blueprint("deals", __name__)


class TakeOffer(Body):
    """The offer's ``version`` that was seen, and either pieces of it or a quantity."""

    version: Version
    piece_ids: Annotated[list[Identifier], Meta(min_length=1, max_length=200)] | None = None
    quantity: Quantity | None = None


class ListDeals(Paging):
    """Which deals to show."""

    state: State | None = None
    offer_id: Identifier | None = None


class NameWeight(Body):
    """What a disputed delivery weighed, as your company would settle it."""

    weight: Quantity


class LineView(View):
    """A stage of a delivery's acceptance: ``value`` is its share of escrow, ``missed`` what was not paid beyond it."""

    stage: Stage
    state: LineState
    settled: Quantity
    net: Money
    tax: Money
    gross: Money
    value: Money
    reason: str | None
    statement_id: str | None
    missed: Money | None

    @classmethod
    def of(cls, line: Line) -> LineView:
        return cls(**{name: getattr(line, name) for name in cls.__struct_fields__})


class DeliveryView(View):
    """A delivery of a deal: ``quantity`` is what it carries by frozen weights, ``settled`` what is paid for and ``reason`` why.

    ``value`` is its share of the deal's gross. ``is_disputed``: its weights lie further apart than the deal's dispute limit.
    """

    id: str
    state: DeliveryState
    due_at: datetime | None
    piece_ids: list[str]
    quantity: Quantity
    loaded: Quantity | None
    received: Quantity | None
    third_party: Quantity | None
    settled: Quantity | None
    reason: str | None
    is_disputed: bool
    buyer_weight: Quantity | None
    seller_weight: Quantity | None
    net: Money | None
    tax: Money | None
    gross: Money | None
    value: Money | None
    is_last: bool
    statement_id: str | None
    lines: list[LineView]

    @classmethod
    def of(cls, delivery: Delivery, lines: list[Line]) -> DeliveryView:
        own = {name: getattr(delivery, name) for name in cls.__struct_fields__ if name != "lines"}
        return cls(**own, lines=[LineView.of(line) for line in lines])


class EndedPartView(View):
    """A part of a deal that will not be delivered: by whose breach, or nobody's, and what it was worth and forfeits.

    The statement says how much of the forfeit was held: where a share of the deposit was rounded down, a cent less.
    """

    id: str
    kind: Literal["cancelled", "defaulted"]
    by: Side | None
    reason: str
    piece_ids: list[str]
    quantity: Quantity
    value: Money
    forfeit: Money
    is_paid: bool
    at: datetime

    @classmethod
    def of(cls, ended: EndedPart) -> EndedPartView:
        return cls(**{name: getattr(ended, name) for name in cls.__struct_fields__})


class DealView(View):
    """A deal: ``due_at`` is the deadline of its state, ``reason`` why it came to nothing.

    ``paid_piece_ids`` and ``paid_quantity`` are what is paid for so far, ``paid_at`` since when; of ``pieces`` each has its
    share of the gross.
    """

    id: str
    version: int
    state: State
    due_at: datetime | None
    market: str
    offer_id: str
    offer_version: int
    buyer_id: str
    seller_id: str
    warehouse_id: str
    terms: Terms
    pieces: list[DealPiece]
    quantity: Quantity
    net: Money
    tax: Money
    gross: Money
    buyer_deposit: Money
    seller_deposit: Money
    struck_at: datetime
    paid_at: datetime | None
    paid_piece_ids: list[str]
    paid_quantity: Quantity
    ended_at: datetime | None
    reason: str | None
    defaulted_by: Side | None
    forfeit: Money | None
    ended_parts: list[EndedPartView]
    deliveries: list[DeliveryView]

    @classmethod
    def of(cls, standing: Standing) -> DealView:
        deal = standing.deal
        told = {
            "offer_version": deal.terms_version,
            "pieces": deal.priced_pieces,
            "paid_piece_ids": deal.paid.piece_ids,
            "paid_quantity": deal.paid.quantity,
            "ended_parts": [EndedPartView.of(each) for each in standing.ended],
            "deliveries": [DeliveryView.of(each, standing.lines_of(each)) for each in standing.deliveries],
        }
        own = {name: getattr(deal, name) for name in cls.__struct_fields__ if name not in told}
        return cls(**own, **told)


@routes.post("/v1/offers/<offer_id>/takes")
@command(role="purchaser", status=201, shared=True)
def take_offer(session: Session, caller: Caller, offer_id: str, body: TakeOffer) -> DealView:
    """Take pieces or a quantity of an offer at the terms that you have seen; both deposits are then held."""
    return DealView.of(Standing(commands.take_offer(session, caller, offer_id, body)))


@routes.get("/v1/deals")
@query()
def list_deals(session: Session, caller: Caller, params: ListDeals) -> Page[DealView]:
    """Your company's deals, newest first."""
    found = queries.list_deals(
        session, caller, state=params.state, offer_id=params.offer_id, cursor=params.cursor, limit=params.limit
    )
    return found.map(DealView.of)


@routes.get("/v1/deals/<deal_id>")
@query()
def show_deal(session: Session, caller: Caller, deal_id: str) -> DealView:
    """One deal with its deliveries and the parts of it that ended."""
    return DealView.of(queries.find_deal(session, caller, deal_id))


@routes.post("/v1/deals/<deal_id>/deliveries/<delivery_id>/accept")
@command(role="purchaser")
def accept_delivery(session: Session, caller: Caller, deal_id: str, delivery_id: str) -> DeliveryView:
    """Accept a weighed delivery before its inspection ends: escrow pays it, but for what is disputed.

    Before its weights have been heard of: 503.
    """
    delivery, line = acceptance.accept_delivery(session, caller, deal_id, delivery_id)
    return DeliveryView.of(delivery, [line])


@routes.post("/v1/deals/<deal_id>/deliveries/<delivery_id>/agreed-weight")
@command(role="signatory")
def name_weight(session: Session, caller: Caller, deal_id: str, delivery_id: str, body: NameWeight) -> DeliveryView:
    """Name the weight by which your company would settle a disputed delivery; when both sides name the same it is settled."""
    delivery = disputes.name_weight(session, caller, deal_id, delivery_id, body.weight)
    return DeliveryView.of(delivery, queries.find_lines(session, delivery))
