"""Moves the deliveries of a deal on: on news of its trucks, on acceptance, on time passing.

The deal's lock is always taken first. Which trucks there are logistics alone knows: orders breaks a deal for want of a
delivery only after logistics has closed its deliveries, and refuses acceptance only of what it knows to its end.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get, see
from chassis.messages import emit
from chassis.problems import NotFound, NotYetKnown
from chassis.values import Quantity
from events.orders import DeliveriesCalled, DeliveryAccepted
from services.orders.deals import commands
from services.orders.deals.delivery import ACCEPTED, ON_THE_WAY, UNDER_WAY, Delivery, DeliveryState, check_part
from services.orders.deals.model import Deal, Part, Reason, State
from services.orders.measures import add_up, in_price_unit


def start_delivery(
    session: Session, caller: Caller, deal_id: str, delivery_id: str, *, piece_ids: Sequence[str], quantity: Quantity
) -> None:
    """A truck was set up for part of a deal. Raises NotInDeal when that part is not the deal's to carry."""
    deal = get(session, Deal, deal_id, caller)
    if deal.state != State.DELIVERING:
        return
    live = [each for each in _deliveries_of(session, deal_id) if each.state != DeliveryState.CANCELLED]
    part = _part_of(deal, piece_ids, quantity)
    check_part(deal.rest_after(each.part for each in live), part)
    session.add(
        Delivery(
            id=delivery_id,
            deal_id=deal_id,
            state=DeliveryState.STARTED,
            piece_ids=part.piece_ids,
            quantity=part.quantity,
            is_last=False,
        )
    )


def _part_of(deal: Deal, piece_ids: Sequence[str], quantity: Quantity) -> Part:
    if not deal.pieces:
        return Part([], in_price_unit(quantity, deal.quantity.unit, field="$.quantity"))
    nets = {piece.piece_id: piece.net for piece in deal.pieces}
    mine = [nets[id] for id in piece_ids if id in nets]
    return Part(sorted(piece_ids), add_up(mine, deal.quantity.unit))


def depart(session: Session, caller: Caller, deal_id: str, delivery_id: str) -> None:
    """A truck has left."""
    deal = get(session, Deal, deal_id, caller)
    if deal.state == State.DELIVERING:
        delivery = _hold(session, caller, deal, delivery_id)
        if delivery.can("depart"):
            delivery.move("depart")


def call_off(session: Session, caller: Caller, deal_id: str, delivery_id: str) -> None:
    """A truck that had not left will not come: its part is to be delivered by another."""
    deal = get(session, Deal, deal_id, caller)
    if deal.state == State.DELIVERING:
        delivery = _hold(session, caller, deal, delivery_id)
        if delivery.can("cancel"):
            delivery.move("cancel")
            deal.look_again_when_late(clock.now())


def weigh(
    session: Session, caller: Caller, deal_id: str, delivery_id: str, *, loaded: Quantity, received: Quantity
) -> None:
    """Both weights of a delivery are known: work out what it comes to, and give the buyer its days of inspection."""
    deal = get(session, Deal, deal_id, caller)
    if deal.state == State.DELIVERING:
        delivery = _hold(session, caller, deal, delivery_id)
        if delivery.can("weigh"):
            delivery.weigh(deal.terms, loaded=loaded, received=received, now=clock.now())


def accept_delivery(session: Session, caller: Caller, deal_id: str, delivery_id: str) -> Delivery:
    """The buyer lets a weighed delivery's quantity stand.

    Raises NotYourDeal, or IllegalMove once it was accepted or called off. NotYetKnown while logistics may have told more
    than has been heard: the weights of a delivery that is under way, or a delivery at all while the deal is being
    delivered and not closed; after that an unknown one is NotFound.
    """
    deal = get(session, Deal, deal_id, caller)
    deal.check_side(caller.party_id, "buyer")
    known = select(Delivery.id).where(Delivery.id == delivery_id, Delivery.visible_to(caller))
    if deal.takes_trucks and session.scalar(known) is None:
        raise NotYetKnown(f"no delivery {delivery_id!r} of this deal has been heard of yet")
    delivery = _hold(session, caller, deal, delivery_id)
    if deal.state == State.DELIVERING and delivery.state in ON_THE_WAY:
        raise NotYetKnown(f"the weights of the delivery {delivery_id!r} have not been heard of yet")
    _accept(session, deal, delivery)
    return delivery


def end_inspection(session: Session, caller: Caller, delivery_id: str) -> None:
    """Accept a delivery whose days of inspection are over; nothing happens to any other."""
    deal = get(session, Deal, see(session, Delivery, delivery_id, caller).deal_id, caller)
    delivery = _hold(session, caller, deal, delivery_id)
    if delivery.can("accept") and delivery.due_at <= clock.now():
        _accept(session, deal, delivery)


def _accept(session: Session, deal: Deal, delivery: Delivery) -> None:
    before = [each.part for each in _deliveries_of(session, deal.id) if each.state in ACCEPTED]
    delivery.accept(rest=deal.rest_after([*before, delivery.part]))
    _tell_accepted(session, deal, delivery)
    if delivery.is_last and deal.can("settle"):
        deal.advance("settle", None)
        deal.ask_again(clock.now())
        commands.describe(session, deal)
    else:
        deal.look_again_when_late(clock.now())


def _tell_accepted(session: Session, deal: Deal, delivery: Delivery) -> None:
    event = DeliveryAccepted(
        deal_id=deal.id,
        delivery_id=delivery.id,
        loaded=delivery.loaded,
        received=delivery.received,
        settled=delivery.settled,
        price=deal.terms.price,
        tax_rate=deal.terms.tax_rate,
        net=delivery.net,
        tax=delivery.tax,
        gross=delivery.gross,
        is_last=delivery.is_last,
    )
    emit(session, event, of=deal)


def settle_delivery(session: Session, caller: Caller, deal_id: str, delivery_id: str, statement_id: str) -> None:
    """The money of a delivery has moved; with the last one the deal is completed."""
    deal = get(session, Deal, deal_id, caller)
    delivery = _hold(session, caller, deal, delivery_id)
    if not delivery.can("settle"):
        return
    delivery.settle(statement_id)
    if deal.can("complete") and not any(
        each.state == DeliveryState.ACCEPTED for each in _deliveries_of(session, deal_id)
    ):
        commands.complete(session, deal)


def handle_due(session: Session, caller: Caller, deal_id: str) -> None:
    """What happens to a deal when the deadline of its state is over; nothing when it has moved on meanwhile."""
    deal = get(session, Deal, deal_id, caller)
    if not deal.is_due(clock.now()):
        return
    if deal.can("cancel"):
        commands.cancel_late(session, caller, deal)
    elif deal.state == State.SIGNED:
        commands.call_payment(session, caller, deal)
    elif deal.takes_trucks:
        _call_deliveries(session, deal)
    elif deal.state == State.DELIVERING:
        _end_undelivered(session, deal)
    else:
        _remind_of_money(session, deal)


def _call_deliveries(session: Session, deal: Deal) -> None:
    """Ask logistics to set up no more trucks, and again in a while if no answer comes."""
    deal.ask_again(clock.now())
    emit(session, DeliveriesCalled(deal_id=deal.id), of=deal)


def close_deliveries(session: Session, caller: Caller, deal_id: str) -> None:
    """All trucks that there will be are known: end the deal unless some are still waited for."""
    deal = get(session, Deal, deal_id, caller)
    if deal.takes_trucks:
        deal.closed_at = clock.now()
        _end_undelivered(session, deal)


def _end_undelivered(session: Session, deal: Deal) -> None:
    """The seller defaults on what no truck carries; trucks that load, drive or are being inspected are waited for."""
    deliveries = _deliveries_of(session, deal.id)
    if any(each.state in UNDER_WAY for each in deliveries):
        deal.ask_again(clock.now())
        return
    accepted = [each.part for each in deliveries if each.state in ACCEPTED]
    passed = sorted(piece_id for part in accepted for piece_id in part.piece_ids)
    commands.end_by_default(session, deal, "seller", deal.rest_after(accepted), Reason.NOT_DELIVERED, passed=passed)


def _remind_of_money(session: Session, deal: Deal) -> None:
    for delivery in _deliveries_of(session, deal.id):
        if delivery.state == DeliveryState.ACCEPTED:
            _tell_accepted(session, deal, delivery)
    deal.ask_again(clock.now())


def _hold(session: Session, caller: Caller, deal: Deal, delivery_id: str) -> Delivery:
    delivery = get(session, Delivery, delivery_id, caller)
    if delivery.deal_id != deal.id:
        raise NotFound(f"no delivery {delivery_id!r} in this deal")
    return delivery


def _deliveries_of(session: Session, deal_id: str) -> list[Delivery]:
    """All deliveries of a deal whose lock is held, and with it theirs."""
    return list(session.scalars(select(Delivery).where(Delivery.deal_id == deal_id).order_by(Delivery.id)))
