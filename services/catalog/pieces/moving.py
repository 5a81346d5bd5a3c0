"""Changes what is there of pieces: whether they may be listed, whose they are, and what offers hold of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get_many, project_many
from chassis.messages import emit
from events.orders import OfferDescribed
from services.catalog.certificates.model import find_block
from services.catalog.certificates.queries import find_batches
from services.catalog.documents.papers import find_standing
from services.catalog.documents.queries import find_papers
from services.catalog.markets.pack import Pack
from services.catalog.markets.queries import pack_of
from services.catalog.pieces.commands import rules_of, say
from services.catalog.pieces.model import OfferedPieces, PassedPiece, Piece, PieceChange
from services.catalog.pieces.queries import find_certified
from services.catalog.products.kinds import kinds_of

OPEN_OFFER = ("listed", "partly_taken")


def keep_change(
    session: Session, caller: Caller, piece: Piece, changes: dict[str, list[Any]], pack: Pack | None = None
) -> bool:
    """Remember what changed in a piece and tell it; whether anything did. ``pack`` is looked up where it is not given."""
    if changes:
        session.add(_remember(caller, piece, changes))
        _tell(session, piece, pack or pack_of(session, piece.market, piece.market_version))
    return bool(changes)


def _remember(caller: Caller, piece: Piece, changes: dict[str, list[Any]]) -> PieceChange:
    return PieceChange(
        id=clock.new_id("change"),
        piece_id=piece.id,
        version=piece.version,
        owner_id=piece.owner_id,
        user_id=caller.user_id,
        at=piece.changed_at,
        changes=changes,
    )


def review_pieces(session: Session, caller: Caller, maker_id: str, certificate_no: str) -> None:
    """Block or free the pieces that a company made under a certificate, as this now stands."""
    review_papers(session, caller, find_certified(session, maker_id, certificate_no))


def review_papers(session: Session, caller: Caller, piece_ids: Iterable[str]) -> None:
    """Block or free pieces as their certificates and other documents stand now."""
    pieces = get_many(session, Piece, piece_ids, caller)
    papers = find_papers(session, "piece", [piece.id for piece in pieces])
    certified: dict[str, set[str]] = {}
    for piece in pieces:
        if piece.certificate_no:
            certified.setdefault(piece.maker_id, set()).add(piece.certificate_no)
    batches = {maker_id: find_batches(session, maker_id, numbers) for maker_id, numbers in certified.items()}
    for piece in pieces:
        pack = pack_of(session, piece.market, piece.market_version)
        rules = rules_of(kinds_of(pack).find(piece.attributes), piece.attributes)
        standing = find_standing(rules, papers.get(piece.id, ()), clock.now())
        named = batches.get(piece.maker_id, {}).get(piece.certificate_no or "")
        reason = find_block(pack.certificate, piece.attributes, named) or standing.blocked
        keep_change(session, caller, piece, piece.block(reason, clock.now(), standing.due_at), pack)


def review_due_piece(session: Session, caller: Caller, piece_id: str) -> None:
    """Look at the documents of a piece as one begins or ends to be in force."""
    review_papers(session, caller, [piece_id])


def pass_pieces(session: Session, caller: Caller, deal_id: str, piece_ids: Iterable[str], *, buyer_id: str) -> None:
    """Make delivered pieces of a deal the buyer's, each once however often a deal says so."""
    rows = [{"deal_id": deal_id, "piece_id": id} for id in sorted(set(piece_ids))]
    if not rows:
        return
    once = insert(PassedPiece).values(rows).on_conflict_do_nothing().returning(PassedPiece.piece_id)
    fresh = list(session.scalars(once))
    for piece in get_many(session, Piece, fresh, caller) if fresh else []:
        keep_change(session, caller, piece, piece.pass_to(buyer_id, clock.now()))


def note_offers(session: Session, events: Iterable[OfferDescribed]) -> None:
    """Keep which pieces offers hold: the free ones while it is open, those in its deals whatever its state."""
    rows = [
        {"offer_id": event.offer_id, "version": event.version, "piece_ids": sorted(_held_by(event))} for event in events
    ]
    project_many(session, OfferedPieces, ["offer_id"], rows)


def _held_by(offer: OfferDescribed) -> list[str]:
    return [*(offer.piece_ids if offer.state in OPEN_OFFER else []), *offer.taken_piece_ids]


def describe(session: Session, piece: Piece) -> None:
    """Tell what a piece is like, as it stands."""
    _tell(session, piece, pack_of(session, piece.market, piece.market_version))


def _tell(session: Session, piece: Piece, pack: Pack) -> None:
    emit(session, say(piece, kinds_of(pack).find(piece.attributes)), of=piece)
