"""What the catalog does when orders speaks of pieces."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.service import together
from events.orders import DealCompleted, DealDefaulted, OfferDescribed, PiecesPassed
from services.catalog.pieces import moving


@together
def on_offers_described(session: Session, caller: Caller, events: Sequence[OfferDescribed]) -> None:
    moving.note_offers(session, events)


def on_deal_completed(session: Session, caller: Caller, event: DealCompleted) -> None:
    moving.pass_pieces(session, caller, event.deal_id, event.piece_ids, buyer_id=event.buyer_id)


def on_pieces_passed(session: Session, caller: Caller, event: PiecesPassed) -> None:
    moving.pass_pieces(session, caller, event.deal_id, event.piece_ids, buyer_id=event.buyer_id)


def on_deal_defaulted(session: Session, caller: Caller, event: DealDefaulted) -> None:
    if event.buyer_id:
        moving.pass_pieces(session, caller, event.deal_id, event.passed_piece_ids, buyer_id=event.buyer_id)


HANDLERS = {
    OfferDescribed: on_offers_described,
    PiecesPassed: on_pieces_passed,
    DealCompleted: on_deal_completed,
    DealDefaulted: on_deal_defaulted,
}
