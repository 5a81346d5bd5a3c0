"""Looks up what belongs to a deal."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.values import Quantity
from services.logistics.deals.model import DealPiece


def piece_weights(session: Session, deal_id: str) -> dict[str, Quantity]:
    """The net weight that a deal froze, by piece; empty for a deal by weight."""
    found = session.scalars(select(DealPiece).where(DealPiece.deal_id == deal_id))
    return {piece.piece_id: piece.net for piece in found}
