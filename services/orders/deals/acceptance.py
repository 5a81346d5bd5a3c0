"""Weighs deliveries and accepts them: the buyer does, or the end of its inspection."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get, see
from chassis.problems import NotYetKnown
from chassis.values import Quantity
from services.orders.deals.deliveries import find_told, hold
from services.orders.deals.delivery import ON_THE_WAY, Delivery, DeliveryState
from services.orders.deals.disputes import decide
from services.orders.deals.endings import go_on
from services.orders.deals.line import Line
from services.orders.deals.lines import open_line
from services.orders.deals.model import Deal
from services.orders.deals.progress import Progress
from services.orders.deals.queries import find_progress
from services.orders.deals.states import State
from services.orders.deals.weighing import Weights


def weigh(
    session: Session,
    caller: Caller,
    deal_id: str,
    delivery_id: str,
    *,
    loaded: Quantity,
    received: Quantity,
    third_party: Quantity | None,
    version: int,
) -> None:
    """The weights of a delivery are known or corrected: work out what it comes to; the buyer's days of inspection begin.

    Once it is accepted a correction changes nothing, but a third party's weight decides a dispute.
    """
    deal = get(session, Deal, deal_id, caller)
    if deal.state not in (State.DELIVERING, State.SETTLING):
        return
    delivery = hold(session, caller, deal, delivery_id)
    if delivery.is_news(version):
        weights = Weights(label=delivery.quantity, loaded=loaded, received=received, third_party=third_party)
        delivery.weigh(deal.terms, weights, version=version, now=clock.now())
    elif delivery.can("decide") and third_party is not None:
        delivery.third_party = third_party
        decide(session, find_progress(session, deal), delivery, third_party, by="the third party's weight")


def accept_delivery(session: Session, caller: Caller, deal_id: str, delivery_id: str) -> tuple[Delivery, Line]:
    """The buyer lets a weighed delivery's quantity stand, or what is undisputed of it; the line says what that comes to.

    Raises NotYourDeal, or IllegalMove once it was accepted or called off. NotYetKnown while logistics may have told more
    than has been heard: the weights of a delivery that is under way, or a delivery at all while the deal is being
    delivered and not closed; after that an unknown one is NotFound.
    """
    deal = get(session, Deal, deal_id, caller)
    deal.check_side(caller.party_id, "buyer")
    progress = find_progress(session, deal)
    delivery = find_told(session, caller, progress, delivery_id)
    if deal.state == State.DELIVERING and delivery.state in ON_THE_WAY:
        raise NotYetKnown(f"the weights of the delivery {delivery_id!r} have not been heard of yet")
    return delivery, _accept(session, progress, delivery)


def end_inspection(session: Session, caller: Caller, delivery_id: str) -> None:
    """Accept a delivery whose days of inspection are over; nothing happens to any other."""
    deal = get(session, Deal, see(session, Delivery, delivery_id, caller).deal_id, caller)
    progress = find_progress(session, deal)
    delivery = progress.delivery(delivery_id)
    if delivery.state == DeliveryState.WEIGHED and delivery.due_at <= clock.now():
        _accept(session, progress, delivery)


def _accept(session: Session, progress: Progress, delivery: Delivery) -> Line:
    told, part = progress.deal.version, delivery.part
    delivery.accept(progress.covered_by(part), progress.value_of(part))
    line = open_line(session, progress, delivery)
    go_on(session, progress, told=told)
    return line
