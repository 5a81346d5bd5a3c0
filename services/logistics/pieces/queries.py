"""Looks pieces up by id and by the tag they wear."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import page, see
from chassis.problems import NotYetKnown
from services.logistics.base import among
from services.logistics.pieces.model import Piece


def see_piece(session: Session, piece_id: str, caller: Caller) -> Piece:
    """A piece that the caller may ask about. Raises NotFound."""
    return see(session, Piece, piece_id, caller)


def owner_of_piece(session: Session, piece_id: str) -> str | None:
    """The company that a piece belongs to, as the catalog described it last."""
    return session.scalar(select(Piece.owner_id).where(Piece.id == piece_id))


def check_are_known(session: Session, piece_ids: Collection[str]) -> None:
    """Raises NotYetKnown when the catalog's word of a piece, and with it of its tag, has still to arrive."""
    known = set(session.scalars(select(Piece.id).where(among(Piece.id, piece_ids))))
    if missing := sorted(set(piece_ids) - known):
        raise NotYetKnown(f"{', '.join(missing)} has not been heard of yet", field="$.piece_ids")


def tags_of_pieces(session: Session, piece_ids: Collection[str]) -> dict[str, str | None]:
    """Piece to the tag that it wears, if any; a piece that is not known wears none that we know."""
    found = session.execute(select(Piece.id, Piece.epc).where(among(Piece.id, piece_ids)))
    worn = {row.id: row.epc for row in found}
    return {piece_id: worn.get(piece_id) for piece_id in piece_ids}


def find_tags(session: Session, piece_ids: Collection[str]) -> dict[str, str | None]:
    """Those of the ids that are of pieces, with the tags that they wear."""
    found = session.execute(select(Piece.id, Piece.epc).where(among(Piece.id, piece_ids)))
    return {row.id: row.epc for row in found}


def pieces_kept(session: Session, warehouse_id: str) -> dict[str, str | None]:
    """The pieces that a warehouse keeps, as the catalog says, with the tags that they wear."""
    found = session.execute(select(Piece.id, Piece.epc).where(Piece.warehouse_id == warehouse_id))
    return {row.id: row.epc for row in found}


def pieces_by_link(session: Session, links: Collection[str]) -> set[str]:
    """The pieces whose tags name one of the canonical URIs."""
    return set(session.scalars(select(Piece.id).where(among(Piece.link, links))))


def pieces_known(session: Session, caller: Caller, links: Collection[str]) -> dict[str, str]:
    """Canonical URI to piece, of the pieces that the caller may ask about."""
    seen = select(Piece.link, Piece.id).where(among(Piece.link, links), Piece.visible_to(caller))
    return {row.link: row.id for row in session.execute(seen.order_by(Piece.id))}


def find_by_number(session: Session, caller: Caller, number: str) -> list[str]:
    """The pieces by that number that the caller may ask about: numbers are each maker's own, so there may be several."""
    return [piece.id for piece in page(session, Piece, caller, None, 3, Piece.number == number).items]


def pieces_by_tag(session: Session, epcs: Collection[str], *, expected: Collection[str]) -> dict[str, str]:
    """Tag to piece.

    Where a tag was moved and the catalog's word of it is still on the way, an ``expected`` piece comes first.
    """
    found = session.execute(select(Piece.epc, Piece.id).where(among(Piece.epc, epcs)).order_by(Piece.id))
    by_tag: dict[str, str] = {}
    for epc, piece_id in found:
        if epc not in by_tag or by_tag[epc] not in expected:
            by_tag[epc] = piece_id
    return by_tag
