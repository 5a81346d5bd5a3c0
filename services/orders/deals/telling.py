"""Tells others how a paid deal stands: what of it may be delivered, until when, and by whom."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy.orm import Session

from chassis.messages import emit
from events.orders import DealDescribed, DealPiece
from services.orders.deals.model import Deal
from services.orders.deals.progress import Progress
from services.orders.deals.queries import find_ended


def describe(session: Session, deal: Deal) -> None:
    """Tell others a paid deal, whose lock is held, as it stands; before its payment there is nothing to tell.

    Those who carry the goods are not told what each piece costs.
    """
    if deal.paid_at is None:
        return
    progress = Progress(deal, [], find_ended(session, deal))
    part, unpaid = progress.deliverable, progress.unpaid
    event = DealDescribed(
        deal_id=deal.id,
        version=deal.version,
        market=deal.market,
        state=deal.state,
        buyer_id=deal.buyer_id,
        seller_id=deal.seller_id,
        weighing_rule=deal.terms.weighing_rule,
        pieces=_without_gross(piece for piece in deal.pieces if piece.piece_id in part.piece_ids),
        quantity=part.quantity,
        deliver_by=deal.deliver_by,
        load=deal.terms.periods.load,
        receive=deal.terms.periods.receive,
        warehouse_id=deal.warehouse_id,
        weigher_id=deal.terms.weigher_id,
        delivery_mode=deal.terms.delivery_mode,
        unpaid_piece_ids=unpaid.piece_ids,
        unpaid=unpaid.quantity or None,
    )
    emit(session, event, of=deal)


def _without_gross(pieces: Iterable[DealPiece]) -> list[DealPiece]:
    return [msgspec.structs.replace(piece, gross=None) for piece in pieces]
