"""Looks pieces up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from sqlalchemy import Text, cast, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from services.catalog.base import among
from services.catalog.pieces.model import OfferedPieces, Piece, PieceChange
from services.catalog.pieces.tag import WAREHOUSE, Tag

Holding = Literal["owner", "maker", "warehouse"]
_HOLDERS = {"owner": Piece.owner_id, "maker": Piece.maker_id, "warehouse": Piece.warehouse_id}


def see_piece(session: Session, caller: Caller, piece_id: str) -> Piece:
    """A piece that the caller owns, made or keeps. Raises NotFound."""
    return see(session, Piece, piece_id, caller)


def list_pieces(
    session: Session,
    caller: Caller,
    *,
    market: str | None,
    number: str | None,
    held_as: Holding | None,
    cursor: str | None,
    limit: int,
) -> Page[Piece]:
    """Pieces that the caller owns, made or keeps, newest first."""
    holder = None if held_as is None else caller.party_id
    asked = ((Piece.market, market), (Piece.number, number), (_HOLDERS.get(held_as), holder))
    return page(
        session, Piece, caller, cursor, limit, *(column == value for column, value in asked if value is not None)
    )


def list_changes(session: Session, caller: Caller, piece_id: str, cursor: str | None, limit: int) -> Page[PieceChange]:
    """What changed in a piece while the caller owned it, newest first.

    Raises NotFound for a piece the caller cannot see.
    """
    see(session, Piece, piece_id, caller)
    return page(session, PieceChange, caller, cursor, limit, PieceChange.piece_id == piece_id)


def find_mine(session: Session, maker_id: str, numbers: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Ids and digests of a maker's pieces by number."""
    query = select(Piece.number, Piece.id, Piece.digest).where(Piece.maker_id == maker_id, among(Piece.number, numbers))
    return {number: (id, digest) for number, id, digest in session.execute(query)}


def find_tagged(session: Session, epcs: Iterable[str]) -> dict[str, str]:
    """The ids of the pieces that tags are on, whoever owns them."""
    return {epc: id for epc, id in session.execute(select(Piece.epc, Piece.id).where(among(Piece.epc, epcs)))}


def list_tags(session: Session, caller: Caller, piece_id: str, cursor: str | None, limit: int) -> Page[Tag]:
    """The tags that a piece has and had, newest first. Raises NotFound for a piece the caller cannot see."""
    see(session, Piece, piece_id, caller)
    return page(session, Tag, caller, cursor, limit, Tag.piece_id == piece_id)


def find_handled(session: Session, piece_ids: Iterable[str]) -> set[str]:
    """Those of some pieces on which a warehouse has bound or retired a tag."""
    query = select(Tag.piece_id).where(among(Tag.piece_id, piece_ids), Tag.handled_by == WAREHOUSE)
    return set(session.scalars(query.distinct()))


def find_certified(session: Session, maker_id: str, certificate_no: str) -> list[str]:
    """The ids of the pieces that a company made under a certificate."""
    query = select(Piece.id).where(Piece.maker_id == maker_id, Piece.certificate_no == certificate_no)
    return list(session.scalars(query))


def find_offered(session: Session, piece_ids: Iterable[str]) -> set[str]:
    """Those of some pieces that an offer or a deal holds, as far as orders was heard."""
    wanted = set(piece_ids)
    overlap = OfferedPieces.piece_ids.overlap(cast(literal(sorted(wanted), ARRAY(Text)), ARRAY(Text)))
    return wanted.intersection(*[set().union(*session.scalars(select(OfferedPieces.piece_ids).where(overlap)))])


def find_for_search(session: Session, piece_ids: Iterable[str]) -> dict[str, Piece]:
    """Pieces by id, whoever owns them: what offers show of them to everybody is chosen by the search."""
    return {piece.id: piece for piece in session.scalars(select(Piece).where(among(Piece.id, piece_ids)))}
