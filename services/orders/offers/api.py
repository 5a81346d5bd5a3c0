"""Offers over HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Instant, Paging, View, command, query
from chassis.values import Exact, Identifier, Quantity, ShortText, UnitPrice
from events.orders import (
    DealPiece,
    DeliveryMode,
    DepositKind,
    DepositUse,
    Release,
    TaxBasis,
    Terms,
    WeighingRule,
)
from services.orders.offers import commands, queries
from services.orders.offers.model import Offer, State
from services.orders.pieces.model import Promised

routes = Blueprint("offers", __name__)
PieceIds = Annotated[list[Identifier], Meta(min_length=1, max_length=500)]


class PeriodsBody(Body):
    """How long each wait of a deal may last, as ISO 8601 durations (P3D, PT30S); what is left out is the market's."""

    deposit: timedelta | None = None
    sign: timedelta | None = None
    pay: timedelta | None = None
    inspect: timedelta | None = None
    load: timedelta | None = None
    receive: timedelta | None = None
    supplement: timedelta | None = None


class TermsBody(Body):
    """The terms of an offer; what is left out is the market's default.

    Rates, tolerance and dispute limit are fractions (0.13 is 13 %), deposits are per cent of the gross value. Without a
    dispute limit no weight is disputed. ``weigher_id`` is the company whose scale is asked; THIRD_PARTY needs it.
    """

    price: UnitPrice
    place: ShortText
    deliver_by: Instant
    valid_until: Instant | None = None
    tax_basis: TaxBasis | None = None
    tax_rate: Exact | None = None
    buyer_deposit_percent: Exact | None = None
    seller_deposit_percent: Exact | None = None
    weighing_rule: WeighingRule | None = None
    tolerance: Exact | None = None
    delivery_mode: DeliveryMode | None = None
    periods: PeriodsBody | None = None
    deposit_kind: DepositKind | None = None
    deposit_use: DepositUse | None = None
    release: Release | None = None
    dispute_limit: Exact | None = None
    weigher_id: Identifier | None = None


class OfferBody(Body):
    """Named pieces, or a quantity in a warehouse with the least and the step that may be taken of it; and the terms."""

    market: Identifier
    terms: TermsBody
    title: ShortText | None = None
    piece_ids: PieceIds | None = None
    quantity: Quantity | None = None
    minimum: Quantity | None = None
    step: Quantity | None = None
    warehouse_id: Identifier | None = None


class RevisionBody(Body):
    """New terms, and a new title if one is given."""

    terms: TermsBody
    title: ShortText | None = None


class ListOffers(Paging):
    """Which offers to show."""

    market: Identifier | None = None
    seller_id: Identifier | None = None
    state: State | None = None


class OfferView(View):
    """An offer; ``version`` is the one of its terms, which a taker quotes. ``pieces`` are those that are free."""

    id: str
    version: int
    state: State
    market: str
    seller_id: str
    warehouse_id: str
    title: str
    terms: Terms
    pieces: list[DealPiece]
    listed: Quantity
    remaining: Quantity
    minimum: Quantity | None
    step: Quantity | None
    valid_until: datetime

    @classmethod
    def of(cls, standing: tuple[Offer, Promised]) -> OfferView:
        offer, promised = standing
        return cls(
            id=offer.id,
            version=offer.terms_version,
            state=offer.state,
            market=offer.market,
            seller_id=offer.seller_id,
            warehouse_id=offer.warehouse_id,
            title=offer.title,
            terms=offer.terms,
            pieces=promised.free,
            listed=offer.listed,
            remaining=offer.remaining,
            minimum=offer.minimum,
            step=offer.step,
            valid_until=offer.valid_until,
        )


@routes.post("/v1/offers")
@command(role="seller", status=201)
def list_offer(session: Session, caller: Caller, body: OfferBody) -> OfferView:
    """List pieces that your company owns, or a quantity, for sale."""
    return OfferView.of(commands.list_offer(session, caller, body))


@routes.post("/v1/offers/<offer_id>/revise")
@command(role="seller")
def revise_offer(session: Session, caller: Caller, offer_id: str, body: RevisionBody) -> OfferView:
    """Change the terms of an open offer; deals that were struck keep theirs."""
    return OfferView.of(commands.revise_offer(session, caller, offer_id, title=body.title, terms=body.terms))


@routes.post("/v1/offers/<offer_id>/withdraw")
@command(role="seller")
def withdraw_offer(session: Session, caller: Caller, offer_id: str) -> OfferView:
    """Take what nobody took off the market."""
    return OfferView.of(commands.withdraw_offer(session, caller, offer_id))


@routes.get("/v1/offers")
@query()
def list_offers(session: Session, caller: Caller, params: ListOffers) -> Page[OfferView]:
    """Open offers, and all of your own, newest first."""
    found = queries.list_offers(
        session,
        caller,
        market=params.market,
        seller_id=params.seller_id,
        state=params.state,
        cursor=params.cursor,
        limit=params.limit,
    )
    return found.map(OfferView.of)


@routes.get("/v1/offers/<offer_id>")
@query()
def show_offer(session: Session, caller: Caller, offer_id: str) -> OfferView:
    """One offer."""
    return OfferView.of(queries.find_offer(session, caller, offer_id))
