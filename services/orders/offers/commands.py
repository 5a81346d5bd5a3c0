"""Lists, revises, withdraws and expires offers, and tells others how they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get
from chassis.messages import emit
from chassis.problems import Invalid
from chassis.values import Quantity
from events.orders import OfferDescribed
from services.orders.deals.queries import check_received
from services.orders.markets.queries import find_market
from services.orders.measures import add_up, in_price_unit
from services.orders.offers.model import Lot, Offer, State
from services.orders.offers.terms import SaidTerms, complete_terms
from services.orders.parties.queries import find_seller, find_trader
from services.orders.pieces import commands as pieces
from services.orders.pieces.model import Piece, Promised
from services.orders.pieces.queries import find_promised, find_promises

Standing = tuple[Offer, Promised]
"""An offer and its pieces, as they stand after a command."""


class WrongOffer(Invalid):
    """An offer names either pieces, or a quantity with its minimum, its step, its warehouse and a title."""


class WrongLot(Invalid):
    """The minimum and the step of an offer by weight are more than nothing and not more than the quantity."""


class SaidOffer(Protocol):
    """What a seller offers: pieces, or a quantity with all that goes with it."""

    market: str
    terms: SaidTerms
    title: str | None
    piece_ids: list[str] | None
    quantity: Quantity | None
    minimum: Quantity | None
    step: Quantity | None
    warehouse_id: str | None


def list_offer(session: Session, caller: Caller, said: SaidOffer) -> Standing:
    """Put goods up for sale. Raises WrongOffer, and what the terms, the pieces and the companies' state forbid."""
    by_weight = {name: getattr(said, name) for name in ("quantity", "minimum", "step", "warehouse_id")}
    if said.piece_ids is not None:
        if odd := [name for name, value in by_weight.items() if value is not None]:
            raise WrongOffer("pieces say this themselves", field=f"$.{odd[0]}")
        return list_pieces(
            session, caller, market=said.market, piece_ids=said.piece_ids, title=said.title, terms=said.terms
        )
    if missing := [name for name, value in {**by_weight, "title": said.title}.items() if value is None]:
        raise WrongOffer("an offer without pieces needs this", field=f"$.{missing[0]}")
    lot = Lot(said.quantity, said.minimum, said.step)
    return list_quantity(
        session, caller, market=said.market, warehouse_id=said.warehouse_id, lot=lot, title=said.title, terms=said.terms
    )


def list_pieces(
    session: Session, caller: Caller, *, market: str, piece_ids: Sequence[str], title: str | None, terms: SaidTerms
) -> Standing:
    """Offer named pieces that the caller's company owns. Raises what terms, pieces and the company's state forbid."""
    offer = _draft(session, caller, market, terms)
    check_received(session, caller, find_promises(session, piece_ids))
    chosen = pieces.choose_pieces(session, piece_ids, seller_id=caller.party_id, market=market)
    frozen = [piece.freeze(terms.price.unit, offer.terms.weighing_rule) for piece in chosen]
    offer.title, offer.warehouse_id = title or _title_of(chosen), chosen[0].warehouse_id
    _open(session, offer, add_up((piece.net for piece in frozen), terms.price.unit))
    pieces.allot(session, offer.id, frozen)
    return describe(session, offer, Promised(frozen))


def list_quantity(
    session: Session, caller: Caller, *, market: str, warehouse_id: str, lot: Lot, title: str, terms: SaidTerms
) -> Standing:
    """Offer a quantity that takers may divide. Raises WrongLot, and what the terms and the companies' state forbid."""
    offer, unit = _draft(session, caller, market, terms), terms.price.unit
    listed, minimum, step = (
        in_price_unit(said, unit, field=f"$.{field}")
        for field, said in (("quantity", lot.remaining), ("minimum", lot.minimum), ("step", lot.step))
    )
    for field, said in (("minimum", minimum), ("step", step)):
        if not said or said > listed:
            raise WrongLot(f"between nothing and {listed}", field=f"$.{field}")
    find_trader(session, warehouse_id)
    offer.title, offer.warehouse_id, offer.minimum, offer.step = title, warehouse_id, minimum, step
    _open(session, offer, listed)
    return describe(session, offer, Promised())


def _draft(session: Session, caller: Caller, market_name: str, said: SaidTerms) -> Offer:
    market = find_market(session, market_name)
    terms = complete_terms(said, market.terms, clock.now())
    find_seller(session, caller.party_id, weigher_id=terms.weigher_id)
    return Offer(
        id=clock.new_id("offer"),
        version=1,
        terms_version=1,
        state=State.LISTED,
        due_at=terms.valid_until,
        valid_until=terms.valid_until,
        market=market_name,
        seller_id=caller.party_id,
        terms=terms,
        penalty_rate=market.fees.penalty_rate,
    )


def _open(session: Session, offer: Offer, listed: Quantity) -> None:
    offer.listed, offer.remaining, offer.withdrawn = listed, listed, Quantity.zero(listed.unit)
    session.add(offer)
    session.flush()


def _title_of(chosen: Sequence[Piece]) -> str:
    title = " · ".join(dict.fromkeys(chosen[0].title.values())) or chosen[0].number
    return title[:180] if len(chosen) == 1 else f"{title[:180]} × {len(chosen)}"


def revise_offer(session: Session, caller: Caller, offer_id: str, *, title: str | None, terms: SaidTerms) -> Standing:
    """Give an open offer new terms, and so a new version that takers must have seen; deals keep the terms they froze.

    The price's unit and currency stay as they are, and which weight of its pieces was frozen. Raises NotYourOffer,
    OfferExpired, IllegalMove, UnitChanged, WeightChanged, TermsNotAllowed or what the weigher's state forbids.
    """
    offer = get(session, Offer, offer_id, caller)
    offer.check_changeable(by=caller.party_id, now=clock.now())
    new_terms = complete_terms(terms, find_market(session, offer.market).terms, clock.now())
    if new_terms.weigher_id:
        find_seller(session, caller.party_id, weigher_id=new_terms.weigher_id)
    offer.revise(new_terms, title or offer.title)
    return describe_again(session, offer)


def withdraw_offer(session: Session, caller: Caller, offer_id: str) -> Standing:
    """Take what nobody took off the market. Raises NotYourOffer, OfferExpired or IllegalMove."""
    offer = get(session, Offer, offer_id, caller)
    offer.check_changeable(by=caller.party_id, now=clock.now())
    return _close(session, offer, "withdraw")


def expire_offer(session: Session, caller: Caller, offer_id: str) -> None:
    """Close an offer whose validity is over; nothing happens to any other."""
    offer = get(session, Offer, offer_id, caller)
    if offer.can("expire") and clock.now() >= offer.valid_until:
        _close(session, offer, "expire")


def _close(session: Session, offer: Offer, move: str) -> Standing:
    offer.close(move)
    pieces.release_untaken(session, offer.id)
    return describe_again(session, offer)


def describe_again(session: Session, offer: Offer) -> Standing:
    """Tell others an offer, whose lock is held, with what its pieces are promised to now."""
    return describe(session, offer, find_promised(session, offer.id))


def describe(session: Session, offer: Offer, promised: Promised) -> Standing:
    """Tell others an offer, whose lock is held, as it stands; ``promised`` is empty for an offer by weight."""
    event = OfferDescribed(
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
    )
    emit(session, event, of=offer)
    return offer, promised
