"""Offers over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Annotated

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Instant, Paging, Params, Streamed, View, command, query
from chassis.uploads.reasons import Language
from chassis.uploads.writers import MEDIA_TYPES, Format
from chassis.values import NO_CONTROL, Exact, Identifier, Quantity, ShortText, UnitPrice
from chassis.wire import Look
from events.catalog import LicenceNeeded
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
from services.orders.offers import commands, listing, queries
from services.orders.offers.exporting import write_offers
from services.orders.offers.model import Offer
from services.orders.offers.offered import State
from services.orders.pieces.model import Promised

routes = Blueprint("offers", __name__)
NumberText = Annotated[str, Meta(min_length=1, max_length=80, pattern=NO_CONTROL)]
IndexCode = Annotated[str, Meta(min_length=2, max_length=40, pattern=r"^[A-Z][A-Z0-9-]*(?![\s\S])")]
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


class FormulaBody(Body):
    """A price by a formula: the figure of an index and a premium on it in its currency and unit, below zero for a discount.

    The index's last published figure counts, or its last one up to ``day``.
    """

    index: IndexCode
    premium: Exact
    day: date | None = None


class TermsBody(Body):
    """The terms of an offer; what is left out is the market's default.

    It says a ``price``, or a ``price_formula`` that is worked out now and fixed; the tax basis is the index's then.

    Rates, tolerance and dispute limit are fractions (0.13 is 13 %), deposits are per cent of the gross value. Without a
    dispute limit no weight is disputed. ``weigher_id`` is the company whose scale is asked; THIRD_PARTY needs it.
    """

    place: ShortText
    deliver_by: Instant
    price: UnitPrice | None = None
    price_formula: FormulaBody | None = None
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
    """Named pieces, a quantity of a product, or a quantity of what the title says; where it lies; and the terms.

    The least and the step that may be taken of a quantity are those of the product unless said. ``number`` is your own
    name for the offer; ``audience`` are the companies that may see and take it, without it everybody.
    """

    market: Identifier
    terms: TermsBody
    title: ShortText | None = None
    piece_ids: PieceIds | None = None
    product_id: Identifier | None = None
    quantity: Quantity | None = None
    minimum: Quantity | None = None
    step: Quantity | None = None
    warehouse_id: Identifier | None = None
    number: NumberText | None = None
    audience: Annotated[list[Identifier], Meta(min_length=1, max_length=500)] | None = None


class RevisionBody(Body):
    """New terms, and a new title if one is given; of an offer by weight also how much shall be left to sell."""

    terms: TermsBody
    title: ShortText | None = None
    quantity: Quantity | None = None
    minimum: Quantity | None = None
    step: Quantity | None = None


class ListOffers(Paging):
    """Which offers to show."""

    market: Identifier | None = None
    seller_id: Identifier | None = None
    state: State | None = None
    number: NumberText | None = None
    product_id: Identifier | None = None


class ExportOffers(Params):
    """Of which market, all by default; in which format and language."""

    market: Identifier | None = None
    format: Format = "csv"
    language: Language = "en"


class OfferView(View):
    """An offer; ``version`` is the one of its terms, which a taker quotes. ``pieces`` are those that are free.

    ``number`` is the seller's own name for it. ``audience`` are the companies that may see it: none but its seller and
    the operator learn of the others. ``licences`` are what its seller, its buyer or its carrier must hold.
    """

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
    number: str | None
    product_id: str | None
    audience: list[str] | None
    licences: list[LicenceNeeded]

    @classmethod
    def of(cls, standing: tuple[Offer, Promised], caller: Caller) -> OfferView:
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
            number=offer.number,
            product_id=offer.product_id,
            audience=offer.audience_for(caller),
            licences=offer.needs,
        )


@routes.post("/v1/offers")
@command(role="seller", status=201)
def list_offer(session: Session, caller: Caller, body: OfferBody) -> OfferView:
    """List pieces that your company owns, or a quantity, for sale."""
    return OfferView.of(listing.list_offer(session, caller, body), caller)


@routes.post("/v1/offers/<offer_id>/revise")
@command(role="seller")
def revise_offer(session: Session, caller: Caller, offer_id: str, body: RevisionBody) -> OfferView:
    """Change the terms of an open offer; deals that were struck keep theirs."""
    lot = commands.SaidLot(body.quantity, body.minimum, body.step)
    revised = commands.revise_offer(session, caller, offer_id, title=body.title, terms=body.terms, lot=lot)
    return OfferView.of(revised, caller)


@routes.post("/v1/offers/<offer_id>/withdraw")
@command(role="seller")
def withdraw_offer(session: Session, caller: Caller, offer_id: str) -> OfferView:
    """Take what nobody took off the market."""
    return OfferView.of(commands.withdraw_offer(session, caller, offer_id), caller)


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
        number=params.number,
        product_id=params.product_id,
        cursor=params.cursor,
        limit=params.limit,
    )
    return found.map(lambda standing: OfferView.of(standing, caller))


@routes.get("/v1/offers/export")
@query(role="seller", gives=tuple(MEDIA_TYPES.values()))
def export_offers(session: Session, caller: Caller, params: ExportOffers) -> Streamed:
    """Your open offers that have a number as a price list, in the columns in which one is uploaded."""
    name = f"offers.{params.format}"

    def write(look: Look) -> Iterator[bytes]:
        return write_offers(look, caller, params.market, params.format, params.language)

    return Streamed(MEDIA_TYPES[params.format], name, write)


@routes.get("/v1/offers/<offer_id>")
@query()
def show_offer(session: Session, caller: Caller, offer_id: str) -> OfferView:
    """One offer."""
    return OfferView.of(queries.find_offer(session, caller, offer_id), caller)
