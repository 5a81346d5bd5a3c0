"""Pieces over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Paging, View, query
from chassis.values import Identifier, Quantity, ShortText
from services.catalog.products import queries
from services.catalog.products.model import FREE, Piece, PieceChange
from services.catalog.products.queries import Holding

routes = Blueprint("pieces", __name__)


class ListPieces(Paging):
    """Which pieces to list; ``held_as`` is what the caller's company is to them."""

    market: Identifier | None = None
    number: ShortText | None = None
    held_as: Holding | None = None


class PieceView(View):
    """A piece. ``owner_id`` is null for its maker once it has sold it."""

    id: str
    version: int
    market: str
    maker_id: str
    owner_id: str | None
    warehouse_id: str | None
    number: str
    title: dict[str, str]
    attributes: dict[str, str]
    net: Quantity
    gross: Quantity
    epc: str | None
    state: str
    made_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, piece: Piece, caller: Caller) -> PieceView:
        """What a caller is shown of a piece."""
        knows_owner = caller.is_operator or caller.party_id in (piece.owner_id, piece.warehouse_id)
        return cls(
            id=piece.id,
            version=piece.version,
            market=piece.market,
            maker_id=piece.maker_id,
            owner_id=piece.owner_id if knows_owner else None,
            warehouse_id=piece.warehouse_id if knows_owner else None,
            number=piece.number,
            title=piece.title,
            attributes=piece.attributes,
            net=piece.net,
            gross=piece.gross,
            epc=piece.epc,
            state=FREE,
            made_at=piece.made_at,
            changed_at=piece.changed_at,
        )


class PieceChangeView(View):
    """A change of a piece: by name, the value before and after."""

    version: int
    at: datetime
    user_id: str
    changes: dict[str, list[Any]]

    @classmethod
    def of(cls, change: PieceChange) -> PieceChangeView:
        """The view of a change."""
        return cls(version=change.version, at=change.at, user_id=change.user_id, changes=change.changes)


@routes.get("/v1/pieces")
@query()
def list_pieces(session: Session, caller: Caller, params: ListPieces) -> Page[PieceView]:
    """Pieces that the caller's company owns, made or keeps, newest first."""
    found = queries.list_pieces(
        session,
        caller,
        market=params.market,
        number=params.number,
        held_as=params.held_as,
        cursor=params.cursor,
        limit=params.limit,
    )
    return found.map(lambda piece: PieceView.of(piece, caller))


@routes.get("/v1/pieces/<piece_id>")
@query()
def see_piece(session: Session, caller: Caller, piece_id: str) -> PieceView:
    """A piece that the caller's company owns, made or keeps."""
    return PieceView.of(queries.see_piece(session, caller, piece_id), caller)


@routes.get("/v1/pieces/<piece_id>/changes")
@query()
def list_changes(session: Session, caller: Caller, piece_id: str, params: Paging) -> Page[PieceChangeView]:
    """What changed in a piece while the caller's company owned it, newest first."""
    return queries.list_changes(session, caller, piece_id, params.cursor, params.limit).map(PieceChangeView.of)
