"""Looks pieces up by id and by the tag they wear."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import see
from chassis.problems import NotYetKnown
from services.logistics.pieces.model import Piece


def see_piece(session: Session, piece_id: str, caller: Caller) -> Piece:
    """A piece that the caller may ask about. Raises NotFound."""
    return see(session, Piece, piece_id, caller)


def check_are_known(session: Session, piece_ids: Collection[str]) -> None:
    """Raises NotYetKnown when the catalog's word of a piece, and with it of its tag, has still to arrive."""
    known = set(session.scalars(select(Piece.id).where(Piece.id.in_(piece_ids))))
    if missing := sorted(set(piece_ids) - known):
        raise NotYetKnown(f"{', '.join(missing)} has not been heard of yet", field="$.piece_ids")


def tags_of_pieces(session: Session, piece_ids: Collection[str]) -> dict[str, str | None]:
    """Piece to the tag that it wears, if any; a piece that is not known wears none that we know."""
    found = session.execute(select(Piece.id, Piece.epc).where(Piece.id.in_(piece_ids)))
    worn = {row.id: row.epc for row in found}
    return {piece_id: worn.get(piece_id) for piece_id in piece_ids}


def pieces_by_tag(session: Session, epcs: Collection[str], *, expected: Collection[str]) -> dict[str, str]:
    """Tag to piece.

    Where a tag was moved and the catalog's word of it is still on the way, an ``expected`` piece comes first.
    """
    found = session.execute(select(Piece.epc, Piece.id).where(Piece.epc.in_(epcs)).order_by(Piece.id))
    by_tag: dict[str, str] = {}
    for epc, piece_id in found:
        if epc not in by_tag or by_tag[epc] not in expected:
            by_tag[epc] = piece_id
    return by_tag
