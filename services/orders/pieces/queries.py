"""Looks at what is promised to whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from chassis.values import Exact, Quantity
from events.orders import DealPiece
from services.orders.base import among, many
from services.orders.pieces.model import Allotment, CoilGone, Piece, Promised

FROZEN = (Allotment.piece_id, Allotment.number, Allotment.net_value, Allotment.net_unit)


def freeze(row: Any) -> DealPiece:
    """A row of ``FROZEN`` columns as the piece that a deal freezes."""
    return DealPiece(piece_id=row.piece_id, number=row.number, net=Quantity(Exact(row.net_value), row.net_unit))


def find_promised(session: Session, offer_id: str) -> Promised:
    """The pieces of an offer, free and taken, in the order of their ids."""
    return find_promised_of(session, [offer_id])[offer_id]


def find_promised_of(session: Session, offer_ids: Iterable[str]) -> dict[str, Promised]:
    """The pieces of each of some offers, in one statement."""
    query = select(*FROZEN, Allotment.offer_id, Allotment.deal_id)
    query = query.where(among(Allotment.offer_id, offer_ids), Allotment.passes_to.is_(None)).order_by(
        Allotment.piece_id
    )
    found: dict[str, Promised] = defaultdict(lambda: Promised([], []))
    for row in session.execute(query):
        promised = found[row.offer_id]
        (promised.free if row.deal_id is None else promised.taken).append(freeze(row))
    return found


IS_FREE = (
    Allotment.offer_id == bindparam("offer"),
    among(Allotment.piece_id, many("pieces")),
    Allotment.deal_id.is_(None),
)
"""Those of ``pieces`` that are free in ``offer``; an update may not have parameters named like its columns."""

_worth = select(func.sum(Allotment.net_value).label("worth")).where(*IS_FREE).cte("chosen")
FREE_WORTH = select(_worth.c.worth).scalar_subquery()
"""Their quantity, as a value for another statement; null when there are none."""

_FREE_IDS = select(Allotment.piece_id).where(*IS_FREE)


def check_free(session: Session, offer_id: str, piece_ids: Iterable[str]) -> None:
    """Raises CoilGone when a piece is not free in an offer."""
    wanted = set(piece_ids)
    refuse_gone(session, wanted - set(session.scalars(_FREE_IDS, {"offer": offer_id, "pieces": list(wanted)})))


def refuse_gone(session: Session, gone: set[str]) -> None:
    """Raises CoilGone, which names the pieces, unless there are none."""
    if gone:
        numbers = {
            id: number for id, number in session.execute(select(Piece.id, Piece.number).where(among(Piece.id, gone)))
        }
        coils = [numbers.get(id, id) for id in sorted(gone)]
        raise CoilGone(f"no longer free: {', '.join(coils)}", coils=coils, piece_ids=sorted(gone), field="$.piece_ids")


def find_described(session: Session, piece_ids: Iterable[str]) -> dict[str, Piece]:
    """Pieces as the catalog describes them, those that were heard of; no statement for none."""
    wanted = list(piece_ids)
    return (
        {piece.id: piece for piece in session.scalars(select(Piece).where(among(Piece.id, wanted)))} if wanted else {}
    )


def find_promises(session: Session, piece_ids: Iterable[str]) -> dict[str, str]:
    """The deal of each of some pieces that is in one."""
    query = select(Allotment.piece_id, Allotment.deal_id)
    found = session.execute(query.where(among(Allotment.piece_id, piece_ids), Allotment.deal_id.is_not(None)))
    return {piece_id: deal_id for piece_id, deal_id in found}
