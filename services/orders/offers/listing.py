"""Lists offers: of named pieces, of a quantity of a product, or of a quantity that its seller describes in a title."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.problems import Invalid
from chassis.values import Quantity
from events.catalog import LicenceNeeded
from services.orders.deals.queries import check_received
from services.orders.markets.model import Market
from services.orders.markets.queries import find_market
from services.orders.measures import add_up, in_price_unit
from services.orders.offers.commands import Standing, close, describe
from services.orders.offers.formula import SaidPricing, settle_terms
from services.orders.offers.lot import check_lot
from services.orders.offers.model import Offer
from services.orders.offers.numbers import find_holder, is_over, lock_numbers, refuse_number
from services.orders.offers.offered import State, WrongOffer
from services.orders.parties.licences import check_licensed, join_needs
from services.orders.parties.queries import check_known, find_seller, find_trader
from services.orders.pieces import commands as pieces
from services.orders.pieces.model import Piece, Promised
from services.orders.pieces.queries import find_promises
from services.orders.products.queries import choose_product

BY_WEIGHT = ("quantity", "minimum", "step", "warehouse_id")


class WrongAudience(Invalid):
    """The audience of an offer are other companies than its seller, each named once."""


class SaidOffer(Protocol):
    """What a seller offers: pieces, a quantity of a product, or a quantity with all that goes with it; and to whom."""

    market: str
    terms: SaidPricing
    title: str | None
    piece_ids: list[str] | None
    product_id: str | None
    quantity: Quantity | None
    minimum: Quantity | None
    step: Quantity | None
    warehouse_id: str | None
    number: str | None
    audience: list[str] | None


def list_offer(session: Session, caller: Caller, said: SaidOffer) -> Standing:
    """Put goods up for sale.

    Raises WrongOffer, WrongAudience, NumberInUse, LicenceNeeded, and what the terms, the pieces or the product and the
    companies' state forbid.
    """
    if said.piece_ids is not None:
        _refuse_said(said, (*BY_WEIGHT, "product_id"), "pieces say this themselves")
        return list_pieces(session, caller, said, said.piece_ids)
    if said.product_id is not None:
        _refuse_unsaid(said, ("quantity", "warehouse_id"), "an offer of a product needs this")
        return list_product(session, caller, said, said.product_id)
    _refuse_unsaid(said, (*BY_WEIGHT, "title"), "an offer without pieces needs this")
    return list_quantity(session, caller, said)


def _refuse_said(said: SaidOffer, names: Sequence[str], why: str) -> None:
    if odd := [name for name in names if getattr(said, name) is not None]:
        raise WrongOffer(why, field=f"$.{odd[0]}")


def _refuse_unsaid(said: SaidOffer, names: Sequence[str], why: str) -> None:
    if missing := [name for name in names if getattr(said, name) is None]:
        raise WrongOffer(why, field=f"$.{missing[0]}")


def list_pieces(session: Session, caller: Caller, said: SaidOffer, piece_ids: Sequence[str]) -> Standing:
    """Offer named pieces that the caller's company owns. Raises what terms, pieces and the company's state forbid."""
    offer = _draft(session, caller, said)
    check_received(session, caller, find_promises(session, piece_ids))
    chosen = pieces.choose_pieces(session, piece_ids, seller_id=caller.party_id, market=said.market)
    frozen = [piece.freeze(offer.terms.price.unit, offer.terms.weighing_rule) for piece in chosen]
    offer.title, offer.warehouse_id = said.title or _title_of(chosen), chosen[0].warehouse_id
    _licence(session, offer, join_needs(piece.licences for piece in chosen))
    _open(session, offer, add_up((piece.net for piece in frozen), offer.terms.price.unit))
    pieces.allot(session, offer.id, frozen)
    return describe(session, offer, Promised(frozen))


def list_product(session: Session, caller: Caller, said: SaidOffer, product_id: str) -> Standing:
    """Offer a quantity of a published product of the caller's company; least and step are the product's unless said.

    Raises what terms, product and the companies' state forbid.
    """
    offer = _draft(session, caller, said)
    product = choose_product(session, product_id, seller_id=caller.party_id, market=said.market)
    offer.title, offer.product_id = said.title or product.heading, product.id
    _licence(session, offer, product.licences)
    return _list_lot(session, offer, said, product.divide(said.quantity, said.minimum, said.step))


def list_quantity(session: Session, caller: Caller, said: SaidOffer) -> Standing:
    """Offer a quantity that takers may divide. Raises WrongLot, and what the terms and the companies' state forbid."""
    offer = _draft(session, caller, said)
    offer.title = said.title
    return _list_lot(session, offer, said, (said.quantity, said.minimum, said.step))


def _list_lot(session: Session, offer: Offer, said: SaidOffer, lot: tuple[Quantity, Quantity, Quantity]) -> Standing:
    listed, offer.minimum, offer.step = (
        in_price_unit(each, offer.terms.price.unit, field=f"$.{field}")
        for field, each in zip(("quantity", "minimum", "step"), lot, strict=True)
    )
    check_lot(listed, offer.minimum, offer.step)
    find_trader(session, said.warehouse_id)
    offer.warehouse_id = said.warehouse_id
    _open(session, offer, listed)
    return describe(session, offer, Promised())


def _draft(session: Session, caller: Caller, said: SaidOffer) -> Offer:
    market = find_market(session, said.market)
    terms = settle_terms(session, said.terms, market.terms, clock.now())
    find_seller(session, caller.party_id, weigher_id=terms.weigher_id)
    if said.audience is not None:
        check_audience(said.audience, seller_id=caller.party_id)
        check_known(session, said.audience, field="$.audience")
    offer = make_offer(market, seller_id=caller.party_id, number=said.number, audience=said.audience)
    offer.terms, offer.valid_until, offer.due_at = terms, terms.valid_until, terms.valid_until
    return offer


def make_offer(market: Market, *, seller_id: str, number: str | None, audience: list[str] | None) -> Offer:
    """A new offer that says nothing yet of its goods and its terms."""
    return Offer(
        id=clock.new_id("offer"),
        version=1,
        terms_version=1,
        state=State.LISTED,
        market=market.id,
        seller_id=seller_id,
        penalty_rate=market.fees.penalty_rate,
        number=number,
        audience=None if audience is None else sorted(audience),
    )


def check_audience(audience: Sequence[str], *, seller_id: str) -> None:
    """Raises WrongAudience."""
    if seller_id in audience:
        raise WrongAudience("its seller sees it anyway", field="$.audience")
    if len(set(audience)) < len(audience):
        raise WrongAudience("a company is named twice", field="$.audience")


def _licence(session: Session, offer: Offer, needs: list[LicenceNeeded]) -> None:
    if needs:
        check_licensed(find_trader(session, offer.seller_id), needs, "seller", clock.now())
        offer.licences = needs


def _open(session: Session, offer: Offer, listed: Quantity) -> None:
    if offer.number is not None:
        _claim(session, offer.seller_id, offer.number)
    offer.listed, offer.remaining, offer.withdrawn = listed, listed, Quantity.zero(listed.unit)
    session.add(offer)
    session.flush()


def _claim(session: Session, seller_id: str, number: str) -> None:
    """Raises NumberInUse unless a number is free, or is that of an offer whose time is over: then that one is closed."""
    lock_numbers(session, seller_id)
    if holder := find_holder(session, seller_id, number):
        if not is_over(holder):
            raise refuse_number(holder)
        close(session, holder, "expire")
        session.flush()


def _title_of(chosen: Sequence[Piece]) -> str:
    title = " · ".join(dict.fromkeys(chosen[0].title.values())) or chosen[0].number
    return title[:180] if len(chosen) == 1 else f"{title[:180]} × {len(chosen)}"
