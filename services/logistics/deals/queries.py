"""Looks up what belongs to a deal."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.logistics.deals.model import DealPiece


def pieces_of_deal(session: Session, deal_id: str) -> dict[str, DealPiece]:
    """The pieces of a deal with the weights that it froze, by their ids; empty for a deal by weight."""
    found = session.scalars(select(DealPiece).where(DealPiece.deal_id == deal_id))
    return {piece.piece_id: piece for piece in found}


def pieces_dropped(session: Session, deal_id: str, piece_ids: Collection[str]) -> set[str]:
    """Which of the pieces the deal does not have, or no longer."""
    return set(piece_ids) - pieces_of_deal(session, deal_id).keys()
