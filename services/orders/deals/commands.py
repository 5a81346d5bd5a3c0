"""Strikes deals and moves them on: on news of their money, on signatures, on time passing.

A command that news or time calls asks the table first: where the move is no longer allowed something else happened
before it, and the news to come puts the other side right.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get, get_many
from chassis.messages import emit
from chassis.values import Money, Quantity
from events.orders import (
    DealCancelled,
    DealCompleted,
    DealDefaulted,
    DealDescribed,
    DealSigned,
    DealStruck,
    PaymentCalled,
    Side,
)
from services.orders.contracts import commands as contracts
from services.orders.contracts.model import Agreement
from services.orders.deals.model import Deal, Part, Reason, State, Trader
from services.orders.offers import taking
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
    SelfDealing, PartySuspended, WrongTake, PieceTwice, WorthNothing, NotYetKnown or NotFound.
    """
    deal_id = clock.new_id("deal")
    if said.piece_ids is not None and said.quantity is None:
        return _strike(
            session, caller, deal_id, taking.take_named(session, offer_id, deal_id, said.piece_ids, seen=said.version)
        )
    if said.quantity is not None and said.piece_ids is None:
        return _strike(
            session, caller, deal_id, taking.take_weight(session, offer_id, said.quantity, seen=said.version)
        )
    raise taking.WrongTake("name either pieces or a quantity", field="$.piece_ids")


def _strike(session: Session, caller: Caller, deal_id: str, taken: taking.Taken) -> Deal:
    offer = taken.offer
    buyer, seller = find_traders(session, buyer_id=caller.party_id, seller_id=offer.seller_id)
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
    deal.warehouse_id, deal.penalty_rate = offer.warehouse_id, offer.penalty_rate
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
    for deal in get_many(session, Deal, deal_ids, caller):
        if deal.can("make_effective"):
            _make_effective(session, caller, deal, clock.now())


def _make_effective(session: Session, caller: Caller, deal: Deal, now: datetime) -> None:
    if deal.is_due(now):
        _cancel(session, caller, deal, Reason.DEPOSITS_LATE)
        return
    deal.advance("make_effective", now + deal.terms.periods.sign)
    contracts.draw(session, deal.id, buyer_id=deal.buyer_id, seller_id=deal.seller_id, facts=_facts(deal))


def _facts(deal: Deal) -> dict[str, object]:
    names = (
        "offer_id", "terms_version", "market", "buyer", "seller", "warehouse_id", "pieces", "quantity", "terms",
        "net", "tax", "gross", "buyer_deposit", "seller_deposit", "penalty_rate", "struck_at",
    )  # fmt: skip
    return {"deal_id": deal.id, **{name: getattr(deal, name) for name in names}}


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
        )
        emit(session, event, of=deal)
    return agreement


def await_payment(session: Session, caller: Caller, deal_id: str, due_at: datetime) -> None:
    """Settlement says until when the deal can be paid: that is its deadline."""
    get(session, Deal, deal_id, caller).await_payment(due_at, clock.now())


def start_delivering(session: Session, caller: Caller, deal_id: str, amount: Money) -> None:
    """The escrow is full: the goods may go. Raises EscrowMismatch."""
    deal = get(session, Deal, deal_id, caller)
    if deal.can("fund"):
        deal.fund(amount, clock.now())
        describe(session, deal)


def miss_payment(session: Session, caller: Caller, deal_id: str) -> None:
    """Settlement says that the deal can no longer be paid: the buyer has defaulted on all of it."""
    deal = get(session, Deal, deal_id, caller)
    if deal.state == State.SIGNED:
        end_by_default(session, deal, "buyer", deal.whole, Reason.NOT_PAID, passed=[])


def cancel_late(session: Session, caller: Caller, deal: Deal) -> None:
    """Cancel a deal whose deposits or signatures did not come in time."""
    _cancel(session, caller, deal, Reason.DEPOSITS_LATE if deal.state == State.DEPOSITS_PENDING else Reason.NOT_SIGNED)


def call_payment(session: Session, caller: Caller, deal: Deal) -> None:
    """Ask settlement to say whether the deal was paid, and again in a while if no answer comes."""
    deal.ask_again(clock.now())
    emit(session, PaymentCalled(deal_id=deal.id), of=deal)


def _cancel(session: Session, caller: Caller, deal: Deal, reason: Reason) -> None:
    if deal.state == State.EFFECTIVE:
        contracts.void(session, caller, deal.id)
    deal.cancel(reason, clock.now())
    emit(session, DealCancelled(deal_id=deal.id, reason=reason), of=deal)
    _give_back(session, deal, deal.whole)


def end_by_default(session: Session, deal: Deal, by: Side, rest: Part, reason: Reason, *, passed: list[str]) -> None:
    """End a deal by a side's breach on ``rest``, which goes back; ``passed`` pieces were accepted: the buyer's."""
    forfeit = deal.default(by, rest, reason, clock.now())
    event = DealDefaulted(
        deal_id=deal.id, by=by, forfeit=forfeit, reason=reason, buyer_id=deal.buyer_id, passed_piece_ids=passed
    )
    emit(session, event, of=deal)
    if deal.paid_at is not None:
        describe(session, deal)
    if passed:
        taking.pass_on(session, deal.offer_id, deal.id, piece_ids=passed, to=deal.buyer_id)
    _give_back(session, deal, rest)


def _give_back(session: Session, deal: Deal, part: Part) -> None:
    taking.give_back(session, deal.offer_id, deal.id, piece_ids=part.piece_ids, quantity=part.quantity)


def complete(session: Session, deal: Deal) -> None:
    """End a deal well: its pieces are the buyer's."""
    deal.complete(clock.now())
    piece_ids = deal.whole.piece_ids
    event = DealCompleted(deal_id=deal.id, buyer_id=deal.buyer_id, seller_id=deal.seller_id, piece_ids=piece_ids)
    emit(session, event, of=deal)
    describe(session, deal)
    taking.pass_on(session, deal.offer_id, deal.id, piece_ids=piece_ids, to=deal.buyer_id)


def describe(session: Session, deal: Deal) -> None:
    """Tell others a paid deal, whose lock is held, as it stands; before its payment there is nothing to tell."""
    if deal.paid_at is None:
        return
    event = DealDescribed(
        deal_id=deal.id,
        version=deal.version,
        market=deal.market,
        state=deal.state,
        buyer_id=deal.buyer_id,
        seller_id=deal.seller_id,
        weighing_rule=deal.terms.weighing_rule,
        pieces=deal.pieces,
        quantity=deal.quantity,
        deliver_by=deal.deliver_by,
        load=deal.terms.periods.load,
        receive=deal.terms.periods.receive,
        warehouse_id=deal.warehouse_id,
    )
    emit(session, event, of=deal)
