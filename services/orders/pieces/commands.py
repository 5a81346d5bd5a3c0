"""Promises pieces and takes promises back, always many at a time and always under the lock of their offer.

Only ``allot`` makes a promise; it inserts in the order of piece ids, so that two lists cannot wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.database import project
from events.catalog import PieceDescribed
from events.orders import DealPiece
from services.orders.base import PLAIN, among
from services.orders.pieces.model import Allotment, Piece, PieceNotFree, Promised, check_named_once, check_offerable
from services.orders.pieces.queries import FROZEN, IS_FREE, freeze, refuse_gone


def describe_piece(session: Session, event: PieceDescribed) -> None:
    """Keep a piece as it stands, and forget its promise when its owner is the buyer to whom a deal passed it."""
    project(
        session,
        Piece,
        {"id": event.piece_id},
        event.version,
        market=event.market,
        owner_id=event.owner_id,
        number=event.number,
        title=event.title,
        net_value=event.net.value,
        net_unit=event.net.unit,
        warehouse_id=event.warehouse_id,
        attributes=event.attributes,
        theoretical_value=event.theoretical.value if event.theoretical else None,
        theoretical_unit=event.theoretical.unit if event.theoretical else None,
        blocked=event.blocked,
        product_id=event.product_id,
        licences=event.licences,
    )
    owner = select(Piece.owner_id).where(Piece.id == event.piece_id).scalar_subquery()
    passed = delete(Allotment).where(Allotment.piece_id == event.piece_id, Allotment.passes_to == owner)
    session.execute(passed, execution_options=PLAIN)


def choose_pieces(session: Session, piece_ids: Sequence[str], *, seller_id: str, market: str) -> list[Piece]:
    """The pieces that a seller wants to offer, locked against a change of owner, in the order given.

    Raises PieceTwice, NotYetKnown, PieceNotYours, PiecesApart or PieceBlocked.
    """
    check_named_once(piece_ids)
    query = select(Piece).where(among(Piece.id, piece_ids)).order_by(Piece.id).with_for_update(read=True)
    found = {piece.id: piece for piece in session.scalars(query.execution_options(populate_existing=True))}
    check_offerable(found.values(), piece_ids, seller_id=seller_id, market=market)
    return [found[id] for id in piece_ids]


def allot(session: Session, offer_id: str, pieces: Iterable[DealPiece]) -> None:
    """Promise pieces to an offer. Raises PieceNotFree that names those in another live offer or deal."""
    wanted = sorted(pieces, key=lambda piece: piece.piece_id)
    statement = insert(Allotment).on_conflict_do_nothing().returning(Allotment.piece_id)
    free = set(session.scalars(statement, [_row(offer_id, piece) for piece in wanted]))
    if promised := [piece for piece in wanted if piece.piece_id not in free]:
        numbers, ids = [piece.number for piece in promised], [piece.piece_id for piece in promised]
        raise PieceNotFree(
            f"already promised: {', '.join(numbers)}", numbers=numbers, piece_ids=ids, field="$.piece_ids"
        )


def _row(offer_id: str, piece: DealPiece) -> dict[str, object]:
    net = {"net_value": piece.net.value, "net_unit": piece.net.unit}
    return {"piece_id": piece.piece_id, "offer_id": offer_id, "number": piece.number, **net}


_mine = update(Allotment).where(*IS_FREE).values(deal_id=bindparam("deal")).returning(Allotment.piece_id).cte("mine")
_is_mine = exists().where(_mine.c.piece_id == Allotment.piece_id).label("is_mine")
_TAKE = (
    select(*FROZEN, Allotment.deal_id, _is_mine)
    .where(Allotment.offer_id == bindparam("offer"), Allotment.passes_to.is_(None))
    .order_by(Allotment.piece_id)
)


def take_pieces(
    session: Session, offer_id: str, deal_id: str, piece_ids: Sequence[str]
) -> tuple[list[DealPiece], Promised]:
    """Move free pieces of an offer, whose lock is held, to a deal: those pieces, and what is then promised of all.

    Raises CoilGone that names the pieces which are not free in this offer.
    """
    rows = session.execute(_TAKE, {"offer": offer_id, "deal": deal_id, "pieces": list(piece_ids)}).all()
    taken = [freeze(row) for row in rows if row.is_mine]
    if len(taken) < len(piece_ids):
        refuse_gone(session, set(piece_ids) - {piece.piece_id for piece in taken})
    # The rows are as they were before the update of the same statement.
    free = [freeze(row) for row in rows if row.deal_id is None and not row.is_mine]
    return taken, Promised(free, taken + [freeze(row) for row in rows if row.deal_id is not None])


def return_pieces(session: Session, deal_id: str, piece_ids: Iterable[str]) -> None:
    """Make pieces of a dead deal free again in their offer, which is still open."""
    session.execute(
        update(Allotment).where(*_in_deal(deal_id, piece_ids)).values(deal_id=None), execution_options=PLAIN
    )


def release_pieces(session: Session, deal_id: str, piece_ids: Iterable[str]) -> None:
    """End the promise of pieces of a dead deal whose offer is closed."""
    session.execute(delete(Allotment).where(*_in_deal(deal_id, piece_ids)), execution_options=PLAIN)


def pass_pieces(session: Session, deal_id: str, piece_ids: Iterable[str], *, to: str) -> None:
    """Promise pieces of a deal to their new owner until the catalog has written it down."""
    session.execute(
        update(Allotment).where(*_in_deal(deal_id, piece_ids)).values(passes_to=to), execution_options=PLAIN
    )


def _in_deal(deal_id: str, piece_ids: Iterable[str]) -> tuple[object, ...]:
    return Allotment.deal_id == deal_id, among(Allotment.piece_id, piece_ids)


def release_untaken(session: Session, offer_id: str) -> None:
    """End the promise of every piece of an offer that nobody took."""
    untaken = delete(Allotment).where(Allotment.offer_id == offer_id, Allotment.deal_id.is_(None))
    session.execute(untaken, execution_options=PLAIN)
