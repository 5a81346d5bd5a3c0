"""Whether a truck may be set up for a deal, and what of it was given back."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from chassis import clock
from services.logistics.deals.model import Deal, DeliveryOverdue
from services.logistics.recalls.model import Closing, PartWithdrawn, Recall


def check_takes_trucks(session: Session, deal: Deal) -> None:
    """Whether a note or a truck may be made for a deal whose lock is held. Raises DealNotDelivering or DeliveryOverdue."""
    deal.check_is_delivering()
    deal.check_in_time(clock.now())
    if (closing := session.get(Closing, deal.id)) is not None:
        raise DeliveryOverdue(f"its deliveries were closed at {closing.closed_at.isoformat()}", due_at=deal.deliver_by)


def check_not_withdrawn(session: Session, deal_id: str, piece_ids: Collection[str]) -> None:
    """Raises PartWithdrawn (``pieces``)."""
    if gone := sorted(pieces_withdrawn(session, deal_id).intersection(piece_ids)):
        raise PartWithdrawn("it was given back by agreement", pieces=gone, field="$.piece_ids")


def pieces_withdrawn(session: Session, deal_id: str) -> set[str]:
    """The pieces of a deal that were given back."""
    found = session.scalars(select(Recall.piece_ids).where(Recall.deal_id == deal_id, Recall.is_free))
    return {piece_id for piece_ids in found for piece_id in piece_ids}


def weight_withdrawn(session: Session, deal: Deal) -> Decimal:
    """What was given back of a deal over a weight, as far as its present description still has it; in the deal's unit."""
    still_there = or_(Recall.ended_version.is_(None), Recall.ended_version >= deal.version)
    total = select(func.coalesce(func.sum(Recall.__table__.c.quantity_value), 0))
    return session.scalar(total.where(Recall.deal_id == deal.id, Recall.is_free, still_there))
