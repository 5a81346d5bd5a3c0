"""Strikes deals and brings them into force: on news of their deposits, on signatures, on time passing.

A command that news or time calls asks the table first: where the move is no longer allowed something else happened
before it, and the news to come puts the other side right.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get, get_many
from chassis.messages import emit
from chassis.values import Quantity
from events.orders import DealCancelled, DealSigned, DealStruck, Side
from services.orders.contracts import commands as contracts
from services.orders.contracts.model import Agreement
from services.orders.deals import drafting
from services.orders.deals.endings import end_part, go_on
from services.orders.deals.model import Deal, Trader
from services.orders.deals.progress import Progress
from services.orders.deals.states import Reason, State
from services.orders.offers import taking
from services.orders.parties.licences import check_licensed
from services.orders.parties.model import Party
from services.orders.parties.queries import find_traders


class SaidTake(Protocol):
    """What a buyer takes: the version of the terms that it has seen, and pieces or a quantity."""

    version: int
    piece_ids: list[str] | None
    quantity: Quantity | None


def take_offer(session: Session, caller: Caller, offer_id: str, said: SaidTake) -> Deal:
    """Take named pieces or a quantity of an offer at the version of its terms that the caller has seen.

    Raises CoilGone, InsufficientQuantity, BelowMinimum, NotAStep, StaleOffer, OfferExpired, OfferWithdrawn,
    SelfDealing, LicenceNeeded, NotThirdParty, PartySuspended, WrongTake, PieceTwice, WorthNothing, NotYetKnown, or
    NotFound also for an offer that is not shown to the caller.
    """
    deal_id = clock.new_id("deal")
    if said.piece_ids is not None and said.quantity is None:
        taken = taking.take_named(session, caller, offer_id, deal_id, said.piece_ids, seen=said.version)
        return _strike(session, caller, deal_id, taken)
    if said.quantity is not None and said.piece_ids is None:
        taken = taking.take_weight(session, caller, offer_id, said.quantity, seen=said.version)
        return _strike(session, caller, deal_id, taken)
    raise taking.WrongTake("name either pieces or a quantity", field="$.piece_ids")


def _strike(session: Session, caller: Caller, deal_id: str, taken: taking.Taken) -> Deal:
    offer = taken.offer
    buyer, seller = find_traders(
        session, buyer_id=caller.party_id, seller_id=offer.seller_id, weigher_id=offer.terms.weigher_id
    )
    check_licensed(buyer, offer.needs, "buyer", clock.now())
    check_licensed(seller, offer.needs, "seller", clock.now())
    deal = Deal.strike(
        deal_id,
        buyer=_trader(buyer),
        seller=_trader(seller),
        terms=offer.terms,
        pieces=taken.pieces,
        taken=taken.quantity,
        now=clock.now(),
    )
    deal.market, deal.offer_id, deal.terms_version = offer.market, offer.id, offer.terms_version
    deal.warehouse_id, deal.title, deal.penalty_rate = offer.warehouse_id, offer.title, offer.penalty_rate
    deal.product_id = offer.product_id
    session.add(deal)
    event = DealStruck(
        deal_id=deal.id,
        offer_id=deal.offer_id,
        buyer_id=deal.buyer_id,
        seller_id=deal.seller_id,
        buyer_deposit=deal.buyer_deposit,
        seller_deposit=deal.seller_deposit,
        due_at=deal.due_at,
    )
    emit(session, event, of=deal)
    return deal


def _trader(party: Party) -> Trader:
    return Trader(party_id=party.id, name=party.name, country=party.country, identifiers=party.identifiers)


def make_effective(session: Session, caller: Caller, deal_ids: Iterable[str]) -> None:
    """Both deposits of each deal are held: draw its agreement; past the deadline the deal is cancelled instead."""
    deals = [deal for deal in get_many(session, Deal, deal_ids, caller) if deal.can("make_effective")]
    now = clock.now()
    for deal in (deal for deal in deals if deal.is_due(now)):
        _cancel(session, caller, deal, Reason.DEPOSITS_LATE)
    drawn = [deal for deal in deals if deal.can("make_effective")]
    for deal, facts in zip(drawn, drafting.find_facts(session, drawn), strict=True):
        deal.advance("make_effective", now + deal.terms.periods.sign)
        contracts.draw(session, deal.id, buyer_id=deal.buyer_id, seller_id=deal.seller_id, facts=facts)


def refuse_deposit(session: Session, caller: Caller, deal_id: str, by: Side) -> None:
    """A deposit could not be held: cancel the deal, saying whose it was."""
    deal = get(session, Deal, deal_id, caller)
    if deal.can("make_effective"):
        _cancel(session, caller, deal, Reason.BUYER_DEPOSIT_REFUSED if by == "buyer" else Reason.SELLER_DEPOSIT_REFUSED)


def sign_agreement(session: Session, caller: Caller, deal_id: str, sha256: str) -> Agreement:
    """Sign for the caller's side; with the second signature the buyer is asked to pay.

    Raises NotYourDeal, TooLate, WrongHash, AlreadySigned, IllegalMove or NotFound.
    """
    deal = get(session, Deal, deal_id, caller)
    side, now = deal.side_of(caller.party_id), clock.now()
    if deal.can("sign"):
        deal.check_in_time(now)
    agreement = contracts.sign(session, caller, deal_id, side, sha256)
    if agreement.is_signed:
        deal.sign(now)
        event = DealSigned(
            deal_id=deal.id,
            market=deal.market,
            buyer_id=deal.buyer_id,
            seller_id=deal.seller_id,
            gross=deal.gross,
            due_at=deal.due_at,
            pay=deal.terms.periods.pay,
            pieces=deal.priced_pieces,
            quantity=deal.quantity,
            deposit_use=deal.terms.deposit_use,
            release=deal.terms.release,
            supplement=deal.terms.periods.supplement,
            offer_id=deal.offer_id,
            product_id=deal.product_id,
            taken_at=deal.struck_at,
            price=deal.terms.price,
            tax_basis=deal.terms.tax_basis,
            tax_rate=deal.terms.tax_rate,
            place=deal.terms.place,
            delivery_mode=deal.terms.delivery_mode,
            index=deal.terms.formula.index if deal.terms.formula else None,
        )
        emit(session, event, of=deal)
    return agreement


def end_unsigned(session: Session, caller: Caller, deal: Deal) -> None:
    """End a deal whose deposits or signatures did not come in time.

    Nobody is at fault when neither side signed; where one did, the other has defaulted on all of it.
    """
    if deal.state == State.DEPOSITS_PENDING:
        _cancel(session, caller, deal, Reason.DEPOSITS_LATE)
        return
    signed = contracts.void(session, caller, deal.id)
    if not signed:
        _cancel(session, caller, deal, Reason.NOT_SIGNED)
        return
    told, progress = deal.version, Progress(deal, [], [])
    by: Side = "buyer" if signed == ["seller"] else "seller"
    end_part(session, progress, deal.whole, by=by, reason=Reason.NOT_SIGNED, paid=False)
    go_on(session, progress, told=told)


def _cancel(session: Session, caller: Caller, deal: Deal, reason: Reason) -> None:
    deal.cancel(reason, clock.now())
    emit(session, DealCancelled(deal_id=deal.id, reason=reason), of=deal)
    whole = deal.whole
    taking.give_back(session, deal.offer_id, deal.id, piece_ids=whole.piece_ids, quantity=whole.quantity)
