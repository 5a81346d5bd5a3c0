"""Deals over HTTP, and the takes that make them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Paging, View, command, query
from chassis.values import Identifier, Money, Quantity, Version
from events.orders import DealPiece, Side, Terms
from services.orders.deals import commands, deliveries, queries
from services.orders.deals.delivery import Delivery, DeliveryState
from services.orders.deals.model import Deal, State

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


class DeliveryView(View):
    """A delivery of a deal: ``quantity`` is what it carries by frozen weights, ``settled`` what is paid for."""

    id: str
    state: DeliveryState
    due_at: datetime | None
    piece_ids: list[str]
    quantity: Quantity
    loaded: Quantity | None
    received: Quantity | None
    settled: Quantity | None
    net: Money | None
    tax: Money | None
    gross: Money | None
    is_last: bool
    statement_id: str | None

    @classmethod
    def of(cls, delivery: Delivery) -> DeliveryView:
        return cls(**{name: getattr(delivery, name) for name in cls.__struct_fields__})


class DealView(View):
    """A deal: ``due_at`` is the deadline of its state, ``reason`` why it came to nothing."""

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
    ended_at: datetime | None
    reason: str | None
    defaulted_by: Side | None
    forfeit: Money | None
    deliveries: list[DeliveryView]

    @classmethod
    def of(cls, deal: Deal, deliveries: list[Delivery]) -> DealView:
        own = {
            name: getattr(deal, name) for name in cls.__struct_fields__ if name not in ("offer_version", "deliveries")
        }
        return cls(**own, offer_version=deal.terms_version, deliveries=[DeliveryView.of(each) for each in deliveries])


@routes.post("/v1/offers/<offer_id>/takes")
@command(role="purchaser", status=201, shared=True)
def take_offer(session: Session, caller: Caller, offer_id: str, body: TakeOffer) -> DealView:
    """Take pieces or a quantity of an offer at the terms that you have seen; both deposits are then held."""
    return DealView.of(commands.take_offer(session, caller, offer_id, body), [])


@routes.get("/v1/deals")
@query()
def list_deals(session: Session, caller: Caller, params: ListDeals) -> Page[DealView]:
    """Your company's deals, newest first."""
    found = queries.list_deals(
        session, caller, state=params.state, offer_id=params.offer_id, cursor=params.cursor, limit=params.limit
    )
    return found.map(lambda standing: DealView.of(*standing))


@routes.get("/v1/deals/<deal_id>")
@query()
def show_deal(session: Session, caller: Caller, deal_id: str) -> DealView:
    """One deal with its deliveries."""
    return DealView.of(*queries.find_deal(session, caller, deal_id))


@routes.post("/v1/deals/<deal_id>/deliveries/<delivery_id>/accept")
@command(role="purchaser")
def accept_delivery(session: Session, caller: Caller, deal_id: str, delivery_id: str) -> DeliveryView:
    """Accept a weighed delivery before its inspection ends: escrow pays it. Before its weights have been heard of: 503."""
    return DeliveryView.of(deliveries.accept_delivery(session, caller, deal_id, delivery_id))
