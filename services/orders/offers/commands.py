"""Revises, withdraws and expires offers, and tells others how they stand."""

from __future__ import annotations

import msgspec
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get
from chassis.messages import emit
from chassis.values import Quantity
from events.orders import OfferDescribed
from services.orders.markets.queries import find_market
from services.orders.measures import in_price_unit
from services.orders.offers.formula import SaidPricing, settle_terms
from services.orders.offers.model import Offer
from services.orders.offers.offered import Offered
from services.orders.parties.queries import find_seller
from services.orders.pieces import commands as pieces
from services.orders.pieces.model import Promised
from services.orders.pieces.queries import find_promised
from services.orders.products.queries import see_product

Standing = tuple[Offer, Promised]
"""An offer and its pieces, as they stand after a command."""


class SaidLot(msgspec.Struct, frozen=True):
    """What shall be left to sell of an offer by weight, and in which parts; None leaves it as it is."""

    quantity: Quantity | None = None
    minimum: Quantity | None = None
    step: Quantity | None = None


def revise_offer(
    session: Session,
    caller: Caller,
    offer_id: str,
    *,
    title: str | None,
    terms: SaidPricing,
    lot: SaidLot | None = None,
) -> Standing:
    """Give an open offer new terms, and so a new version that takers must have seen; deals keep the terms they froze.

    The price's unit and currency stay as they are, and which weight of its pieces was frozen. Raises NotYourOffer,
    OfferExpired, IllegalMove, UnitChanged, WeightChanged, WrongLot, WrongOffer, NotTradedSo, TermsNotAllowed,
    IndexNotKnown, IndexNotPublished or what the weigher's state forbids.
    """
    offer = get(session, Offer, offer_id, caller)
    offer.check_changeable(by=caller.party_id, now=clock.now())
    new_terms = settle_terms(session, terms, find_market(session, offer.market).terms, clock.now())
    if new_terms.weigher_id:
        find_seller(session, caller.party_id, weigher_id=new_terms.weigher_id)
    offer.revise(new_terms, title or offer.title)
    if lot is not None and lot != SaidLot():
        _resize(session, offer, lot)
    return describe_again(session, offer)


def _resize(session: Session, offer: Offer, lot: SaidLot) -> None:
    said = {name: value for name, value in msgspec.structs.asdict(lot).items() if value is not None}
    if offer.product_id is not None:
        see_product(session, offer.product_id).check_quantities(said)
    unit = offer.remaining.unit
    sizes = {"quantity": offer.remaining, "minimum": offer.minimum, "step": offer.step}
    sizes |= {name: in_price_unit(value, unit, field=f"$.{name}") for name, value in said.items()}
    offer.resize(sizes["quantity"], sizes["minimum"], sizes["step"])


def withdraw_offer(session: Session, caller: Caller, offer_id: str) -> Standing:
    """Take what nobody took off the market. Raises NotYourOffer, OfferExpired or IllegalMove."""
    offer = get(session, Offer, offer_id, caller)
    offer.check_changeable(by=caller.party_id, now=clock.now())
    return close(session, offer, "withdraw")


def expire_offer(session: Session, caller: Caller, offer_id: str) -> None:
    """Close an offer whose validity is over; nothing happens to any other."""
    offer = get(session, Offer, offer_id, caller)
    if offer.due_at is not None and offer.can("expire") and clock.now() >= offer.valid_until:
        close(session, offer, "expire")


def close(session: Session, offer: Offer, move: str) -> Standing:
    """Withdraw or expire an offer, whose lock is held, and free what nobody took. Raises IllegalMove."""
    offer.close(move)
    pieces.release_untaken(session, offer.id)
    return describe_again(session, offer)


def describe_again(session: Session, offer: Offer) -> Standing:
    """Tell others an offer, whose lock is held, with what its pieces are promised to now."""
    return describe(session, offer, find_promised(session, offer.id))


def describe(session: Session, offer: Offer, promised: Promised) -> Standing:
    """Tell others an offer, whose lock is held, as it stands; ``promised`` is empty for an offer by weight."""
    emit(session, make_description(offer, promised), of=offer)
    return offer, promised


def make_description(offer: Offered, promised: Promised) -> OfferDescribed:
    """What others are told of an offer and of what its pieces are promised to."""
    return OfferDescribed(
        offer_id=offer.id,
        version=offer.version,
        terms_version=offer.terms_version,
        market=offer.market,
        seller_id=offer.seller_id,
        state=offer.state,
        title=offer.title,
        terms=offer.terms,
        piece_ids=[piece.piece_id for piece in promised.free],
        remaining=offer.remaining,
        warehouse_id=offer.warehouse_id,
        minimum=offer.minimum,
        step=offer.step,
        taken_piece_ids=[piece.piece_id for piece in promised.taken],
        number=offer.number,
        product_id=offer.product_id,
        audience=offer.audience,
    )
