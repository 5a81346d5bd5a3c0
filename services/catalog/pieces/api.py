"""Pieces over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Paging, View, command, query
from chassis.values import Identifier, Quantity, ShortText
from services.catalog.pieces import queries, tagging
from services.catalog.pieces.model import FREE, Piece, PieceChange
from services.catalog.pieces.queries import Holding
from services.catalog.pieces.tag import Tag

routes = Blueprint("pieces", __name__)


class ListPieces(Paging):
    """Which pieces to list; ``held_as`` is what the caller's company is to them."""

    market: Identifier | None = None
    number: ShortText | None = None
    held_as: Holding | None = None


class BindTag(Body):
    """The tag to put on a piece: the 24 hex digits of its EPC, and why."""

    epc: Annotated[str, Meta(min_length=24, max_length=24, pattern=r"^[0-9A-Fa-f]{24}(?![\s\S])")]
    reason: ShortText | None = None


class RetireTag(Body):
    """Why the tag is taken off."""

    reason: ShortText


class TagView(View):
    """A tag that is or was on a piece; ``retired_at`` is null while it is. Parties bound and retired it."""

    id: str
    epc: str
    bound_at: datetime
    bound_by: str
    bound_reason: str | None
    retired_at: datetime | None
    retired_by: str | None
    retired_reason: str | None

    @classmethod
    def of(cls, tag: Tag) -> TagView:
        """The view of a tag."""
        return cls(
            id=tag.id,
            epc=tag.epc,
            bound_at=tag.bound_at,
            bound_by=tag.bound_by,
            bound_reason=tag.bound_reason,
            retired_at=tag.retired_at,
            retired_by=tag.retired_by,
            retired_reason=tag.retired_reason,
        )


class PieceView(View):
    """A piece. ``owner_id`` is null for its maker once it has sold it.

    ``theoretical`` is its weight by the market's formula or table; ``blocked`` says why it may not be listed.
    """

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
    theoretical: Quantity | None
    blocked: str | None
    product_id: str | None
    market_version: int | None
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
            theoretical=piece.theoretical,
            blocked=piece.blocked,
            product_id=piece.product_id,
            market_version=piece.market_version,
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


@routes.get("/v1/pieces/<piece_id>/tags")
@query()
def list_tags(session: Session, caller: Caller, piece_id: str, params: Paging) -> Page[TagView]:
    """The tags that a piece has and had, newest first."""
    return queries.list_tags(session, caller, piece_id, params.cursor, params.limit).map(TagView.of)


@routes.post("/v1/pieces/<piece_id>/tag")
@command(role="warehouse")
def bind_tag(session: Session, caller: Caller, piece_id: str, body: BindTag) -> PieceView:
    """Put a tag on a piece that the caller's company keeps; the one that it has is retired."""
    return PieceView.of(tagging.bind_tag(session, caller, piece_id, body.epc, body.reason), caller)


@routes.post("/v1/pieces/<piece_id>/tag/retire")
@command(role="warehouse")
def retire_tag(session: Session, caller: Caller, piece_id: str, body: RetireTag) -> PieceView:
    """Take the tag off a piece that the caller's company keeps."""
    return PieceView.of(tagging.retire_tag(session, caller, piece_id, body.reason), caller)
