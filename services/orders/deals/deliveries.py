"""Moves the deliveries of a deal on by news of its trucks, and ends what no truck will carry any more.

The deal's lock is always taken first. Which trucks there are logistics alone knows: orders breaks a deal for want of a
delivery only after logistics has closed its deliveries.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get
from chassis.messages import emit
from chassis.problems import NotFound, NotYetKnown
from chassis.values import Quantity
from events.orders import DeliveriesCalled
from services.orders.deals.delivery import Delivery, DeliveryState, check_part
from services.orders.deals.endings import end_part, go_on
from services.orders.deals.model import Deal
from services.orders.deals.parts import Part, take_away
from services.orders.deals.progress import Progress
from services.orders.deals.queries import find_progress
from services.orders.deals.states import Reason, State
from services.orders.measures import in_price_unit


def start_delivery(
    session: Session, caller: Caller, deal_id: str, delivery_id: str, *, piece_ids: Sequence[str], quantity: Quantity
) -> None:
    """A truck was set up for part of a deal. Raises NotInDeal when that part is not the deal's to carry.

    What is being taken back may be on it: then logistics will say that it was not let go.
    """
    deal = get(session, Deal, deal_id, caller)
    if deal.state != State.DELIVERING:
        return
    progress, part = find_progress(session, deal), _part_of(deal, piece_ids, quantity)
    live = [each.part for each in progress.deliveries if each.state != DeliveryState.CANCELLED]
    check_part(take_away(progress.deliverable, live, deal.pieces), part)
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
    return Part(sorted(piece_ids), deal.carried(Part(list(piece_ids), quantity)).quantity)


def depart(session: Session, caller: Caller, deal_id: str, delivery_id: str) -> None:
    """A truck has left."""
    deal = get(session, Deal, deal_id, caller)
    if deal.state == State.DELIVERING:
        delivery = hold(session, caller, deal, delivery_id)
        if delivery.can("depart"):
            delivery.move("depart")


def call_off(session: Session, caller: Caller, deal_id: str, delivery_id: str) -> None:
    """A truck that had not left will not come: its part is to be delivered by another, or by none once that is over."""
    deal = get(session, Deal, deal_id, caller)
    if deal.state == State.DELIVERING:
        delivery = hold(session, caller, deal, delivery_id)
        if delivery.can("cancel"):
            delivery.move("cancel")
            end_undelivered(session, find_progress(session, deal), told=deal.version)


def call_deliveries(session: Session, deal: Deal) -> None:
    """Ask logistics to set up no more trucks, and again in a while if no answer comes."""
    deal.ask_again(clock.now())
    emit(session, DeliveriesCalled(deal_id=deal.id), of=deal)


def close_deliveries(
    session: Session, caller: Caller, deal_id: str, *, unfetched_piece_ids: Sequence[str], unfetched: Quantity | None
) -> None:
    """All trucks that there will be are known: what none of them carries ends.

    What the buyer could have fetched and did not is nobody's default; the rest is the seller's.
    """
    deal = get(session, Deal, deal_id, caller)
    if not deal.takes_trucks:
        return
    deal.closed_at, told, progress = clock.now(), deal.version, find_progress(session, deal)
    part = _unfetched(deal, progress.waiting, unfetched_piece_ids, unfetched)
    if part:
        end_part(session, progress, part, by=None, reason=Reason.NOT_FETCHED, paid=True)
    end_undelivered(session, progress, told=told)


def _unfetched(deal: Deal, waiting: Part, piece_ids: Sequence[str], quantity: Quantity | None) -> Part:
    if deal.pieces:
        return deal.carried(Part([id for id in waiting.piece_ids if id in piece_ids], waiting.quantity))
    said = quantity or Quantity.zero(deal.quantity.unit)
    return Part([], min(in_price_unit(said, deal.quantity.unit, field="$.unfetched"), waiting.quantity))


def end_undelivered(session: Session, progress: Progress, *, told: int) -> None:
    """Once no more trucks come the seller defaults on what none carries; those that are under way are waited for."""
    if progress.deal.closed_at is not None and (waiting := progress.waiting):
        end_part(session, progress, waiting, by="seller", reason=Reason.NOT_DELIVERED, paid=True)
    go_on(session, progress, told=told)


def find_told(session: Session, caller: Caller, progress: Progress, delivery_id: str) -> Delivery:
    """A delivery that a side names.

    Raises NotYetKnown for one that logistics may have told of already, otherwise NotFound.
    """
    if progress.deal.takes_trucks and all(each.id != delivery_id for each in progress.deliveries):
        known = select(Delivery.id).where(Delivery.id == delivery_id, Delivery.visible_to(caller))
        if session.scalar(known) is None:
            raise NotYetKnown(f"no delivery {delivery_id!r} of this deal has been heard of yet")
    return progress.delivery(delivery_id)


def hold(session: Session, caller: Caller, deal: Deal, delivery_id: str) -> Delivery:
    """A delivery of a deal whose lock is held, locked. Raises NotFound."""
    delivery = get(session, Delivery, delivery_id, caller)
    if delivery.deal_id != deal.id:
        raise NotFound(f"no delivery {delivery_id!r} in this deal")
    return delivery
