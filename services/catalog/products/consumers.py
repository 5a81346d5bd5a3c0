"""What the catalog does when orders speaks of pieces."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from events.orders import DealCompleted, DealDefaulted, OfferDescribed
from services.catalog.products import commands


def on_offer_described(session: Session, caller: Caller, event: OfferDescribed) -> None:
    commands.note_offer(session, event)


def on_deal_completed(session: Session, caller: Caller, event: DealCompleted) -> None:
    commands.pass_pieces(session, caller, event.piece_ids, buyer_id=event.buyer_id)


def on_deal_defaulted(session: Session, caller: Caller, event: DealDefaulted) -> None:
    if event.buyer_id:
        commands.pass_pieces(session, caller, event.passed_piece_ids, buyer_id=event.buyer_id)


HANDLERS = {
    OfferDescribed: on_offer_described,
    DealCompleted: on_deal_completed,
    DealDefaulted: on_deal_defaulted,
}
