"""Keeps what the catalog says of pieces, and shows them to the parties of a deal."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock
from chassis.database import project
from events.catalog import PieceDescribed
from services.logistics.manual.retagging import record_retag
from services.logistics.pieces.model import Piece, PieceViewer
from services.logistics.rfid.epc import decode_epc


def describe_piece(session: Session, event: PieceDescribed) -> None:
    """Keep a piece as it stands; an older version changes nothing. That it wears another tag is recorded by EPCIS."""
    before = session.execute(select(Piece.epc).where(Piece.id == event.piece_id)).one_or_none()
    epc = event.epc.upper() if event.epc else None
    identity = decode_epc(epc) if epc else None
    taken_in = project(
        session,
        Piece,
        {"id": event.piece_id},
        event.version,
        number=event.number,
        owner_id=event.owner_id,
        warehouse_id=event.warehouse_id,
        epc=epc,
        link=identity.link if identity else None,
    )
    if taken_in and before is not None:
        record_retag(
            session,
            event.piece_id,
            before=before.epc,
            after=epc,
            warehouse_id=event.warehouse_id,
            owner_id=event.owner_id,
            at=clock.now(),
        )


def show_pieces(session: Session, piece_ids: Iterable[str], party_ids: Iterable[str]) -> None:
    """Let companies ask where pieces are."""
    rows = [{"piece_id": piece, "party_id": party} for piece in sorted(piece_ids) for party in sorted(set(party_ids))]
    if rows:
        session.execute(insert(PieceViewer).values(rows).on_conflict_do_nothing())
