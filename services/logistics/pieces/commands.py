"""Keeps what the catalog says of pieces, and shows them to the parties of a deal."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.database import project
from events.catalog import PieceDescribed
from services.logistics.pieces.model import Piece, PieceViewer


def describe_piece(session: Session, event: PieceDescribed) -> None:
    """Keep a piece as it stands; an older version changes nothing."""
    project(
        session,
        Piece,
        {"id": event.piece_id},
        event.version,
        number=event.number,
        owner_id=event.owner_id,
        warehouse_id=event.warehouse_id,
        epc=event.epc.upper() if event.epc else None,
    )


def show_pieces(session: Session, piece_ids: Iterable[str], party_ids: Iterable[str]) -> None:
    """Let companies ask where pieces are."""
    rows = [{"piece_id": piece, "party_id": party} for piece in sorted(piece_ids) for party in sorted(set(party_ids))]
    if rows:
        session.execute(insert(PieceViewer).values(rows).on_conflict_do_nothing())
