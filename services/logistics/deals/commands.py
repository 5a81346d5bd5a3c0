"""Keeps what orders says of deals, and locks a deal for those who carry its goods."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import get, get_if_any, get_many, project
from chassis.problems import NotYetKnown
from events.orders import DealDescribed
from services.logistics.deals.model import Deal, DealPiece


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
        weighing_rule=event.weighing_rule,
        weigher_id=event.weigher_id,
        delivery_mode=event.delivery_mode,
        unpaid_piece_ids=event.unpaid_piece_ids,
        unpaid_value=event.unpaid.value if event.unpaid else None,
        unpaid_unit=event.unpaid.unit if event.unpaid else None,
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
    if (deal := get_if_any(session, Deal, deal_id, caller)) is not None:
        return deal
    if session.scalar(select(Deal.id).where(Deal.id == deal_id)) is None:
        raise NotYetKnown(f"the deal {deal_id!r} has not been heard of yet", field="$.deal_id")
    return get(session, Deal, deal_id, caller)


def lock_deals(session: Session, deal_ids: set[str], caller: Caller) -> dict[str, Deal]:
    """Deals by id, locked in the order of their ids."""
    return {deal.id: deal for deal in get_many(session, Deal, deal_ids, caller)}
