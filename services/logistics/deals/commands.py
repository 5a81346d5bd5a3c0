"""Keeps what orders says of deals, locks a deal for those who carry its goods, and closes it to more of them."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get, get_many, project
from chassis.messages import emit
from chassis.problems import NotYetKnown
from events.logistics import DeliveriesClosed
from events.orders import DealDescribed
from services.logistics.deals.model import Closing, Deal, DealPiece, DeliveryOverdue


def describe_deal(session: Session, event: DealDescribed) -> bool:
    """Keep a deal as it stands; an older version changes nothing. True when it was taken in."""
    taken_in = project(
        session,
        Deal,
        {"id": event.deal_id},
        event.version,
        market=event.market,
        state=event.state,
        buyer_id=event.buyer_id,
        seller_id=event.seller_id,
        warehouse_id=event.warehouse_id,
        quantity_value=event.quantity.value,
        quantity_unit=event.quantity.unit,
        deliver_by=event.deliver_by,
        load=event.load,
        receive=event.receive,
    )
    if taken_in:
        session.execute(delete(DealPiece).where(DealPiece.deal_id == event.deal_id))
        session.add_all(
            DealPiece(deal_id=event.deal_id, piece_id=piece.piece_id, number=piece.number, net=piece.net)
            for piece in event.pieces
        )
    return taken_in


def lock_deal(session: Session, deal_id: str, caller: Caller) -> Deal:
    """A deal, locked: events about its deliveries are told in its order.

    Raises NotYetKnown, or NotFound when it is not the caller's.
    """
    if session.scalar(select(Deal.id).where(Deal.id == deal_id)) is None:
        raise NotYetKnown(f"the deal {deal_id!r} has not been heard of yet", field="$.deal_id")
    return get(session, Deal, deal_id, caller)


def lock_deals(session: Session, deal_ids: set[str], caller: Caller) -> dict[str, Deal]:
    """Deals by id, locked in the order of their ids."""
    return {deal.id: deal for deal in get_many(session, Deal, deal_ids, caller)}


def close_deliveries(session: Session, caller: Caller, deal_id: str) -> None:
    """Set up no more trucks for a deal from now on and say so, each time it is asked. Raises NotYetKnown.

    Whatever truck there was before stays what it is: it may still leave, and has been told already.
    """
    deal = lock_deal(session, deal_id, caller)
    if session.get(Closing, deal_id) is None:
        session.add(Closing(deal_id=deal_id, closed_at=clock.now()))
    emit(session, DeliveriesClosed(deal_id=deal_id), of=deal)


def check_takes_trucks(session: Session, deal: Deal) -> None:
    """Whether a truck may be set up for a deal whose lock is held. Raises DealNotDelivering or DeliveryOverdue."""
    deal.check_is_delivering()
    deal.check_in_time(clock.now())
    if (closing := session.get(Closing, deal.id)) is not None:
        raise DeliveryOverdue(f"its deliveries were closed at {closing.closed_at.isoformat()}", due_at=deal.deliver_by)
