"""Follows deals as orders describes them, closes their deliveries, and gives parts back unless they are on a truck."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.messages import emit
from events.logistics import DeliveriesClosed, RecallAnswered
from events.orders import DealDescribed, PartEnded, PartRecalled
from services.logistics.deals import commands as deals
from services.logistics.deals import queries as deal_queries
from services.logistics.deals.model import Deal
from services.logistics.notes import commands as notes
from services.logistics.notes import queries as noted
from services.logistics.pieces import commands as pieces
from services.logistics.recalls.model import Closing, Recall
from services.logistics.shipments import commands as trucks
from services.logistics.shipments import queries as shipments

DROPPED = "its goods are no longer of the deal"
CANCELLED = "both sides cancelled some of its goods"


def follow_deal(session: Session, caller: Caller, event: DealDescribed) -> None:
    """Keep a deal as it stands, let its parties follow its pieces, and call off what it no longer needs.

    That is everything that has not left when the deal is over, and otherwise what is over goods that are no longer of it.
    """
    if not deals.describe_deal(session, event):
        return
    parties = {event.buyer_id, event.seller_id, event.warehouse_id, event.weigher_id} - {None}
    pieces.show_pieces(session, [piece.piece_id for piece in event.pieces], parties)
    deal = deals.lock_deal(session, event.deal_id, caller)
    loading = shipments.loading_deliveries(session, deal.id)
    if deal.is_over:
        reason = f"the deal is {deal.state}"
        notes.void_notes(session, caller, noted.open_notes(session, deal.id), reason)
        trucks.cancel_deliveries(session, caller, deal, loading, reason)
    elif event.pieces:
        _drop_pieces(session, caller, deal, loading)
    else:
        _drop_weight(session, caller, deal, loading)


def _drop_pieces(session: Session, caller: Caller, deal: Deal, loading: list[str]) -> None:
    carried, held = shipments.pieces_of(session, loading), noted.pieces_noted(session, deal.id)
    on_trucks = {piece_id for piece_ids in carried.values() for piece_id in piece_ids}
    dropped = deal_queries.pieces_dropped(session, deal.id, on_trucks | held.keys())
    if dropped:
        notes.void_notes(session, caller, {held[id] for id in dropped & held.keys()}, DROPPED)
        trucks.cancel_deliveries(
            session, caller, deal, [id for id in loading if dropped.intersection(carried[id])], DROPPED
        )


def _drop_weight(session: Session, caller: Caller, deal: Deal, loading: list[str]) -> None:
    beyond = shipments.quantity_under_way(session, deal.id, deal.quantity.unit).value - deal.quantity.value
    for delivery_id in loading:
        if beyond > 0:
            (cancelled,) = trucks.cancel_deliveries(session, caller, deal, [delivery_id], DROPPED)
            beyond -= cancelled.quantity.value
    notes.void_notes_beyond(session, caller, deal, noted.weight_left(session, deal).value, DROPPED)


def close_deliveries(session: Session, caller: Caller, deal_id: str) -> None:
    """Set up no more trucks for a deal from now on and say so, each time it is asked and each time the same.

    Open notes expire. Whatever truck there was before stays what it is: it may still leave, and has been told already. Raises
    NotYetKnown.
    """
    deal = deals.lock_deal(session, deal_id, caller)
    closing = session.get(Closing, deal_id) or _close(session, caller, deal)
    closed = DeliveriesClosed(
        deal_id=deal_id, unfetched_piece_ids=closing.unfetched_piece_ids, unfetched=closing.unfetched
    )
    emit(session, closed, of=deal)


def _close(session: Session, caller: Caller, deal: Deal) -> Closing:
    notes.expire_notes(session, caller, deal.id)
    piece_ids, quantity = noted.find_unfetched(session, deal, deal_queries.pieces_of_deal(session, deal.id).keys())
    closing = Closing(deal_id=deal.id, closed_at=clock.now(), unfetched_piece_ids=piece_ids, unfetched=quantity)
    session.add(closing)
    return closing


def recall_part(session: Session, caller: Caller, event: PartRecalled) -> None:
    """Give a part of a deal back unless some of it is on a truck, and say which; asked again, the answer is the same.

    Open notes over the part are void. Raises NotYetKnown.
    """
    deal = deals.lock_deal(session, event.deal_id, caller)
    recall = session.get(Recall, event.recall_id) or _answer(session, caller, deal, event)
    emit(session, RecallAnswered(deal_id=deal.id, recall_id=recall.id, is_free=recall.is_free), of=deal)


def _answer(session: Session, caller: Caller, deal: Deal, event: PartRecalled) -> Recall:
    piece_ids, quantity = sorted(event.piece_ids), event.quantity.to(deal.quantity.unit)
    let_go = _let_pieces_go if piece_ids else _let_weight_go
    recall = Recall(
        id=event.recall_id,
        deal_id=deal.id,
        piece_ids=piece_ids,
        quantity=quantity,
        is_free=let_go(session, caller, deal, event),
        answered_at=clock.now(),
    )
    session.add(recall)
    return recall


def _let_pieces_go(session: Session, caller: Caller, deal: Deal, part: PartRecalled) -> bool:
    if shipments.pieces_under_way(session, deal.id, part.piece_ids):
        return False
    held = noted.pieces_noted(session, deal.id)
    notes.void_notes(session, caller, {held[id] for id in part.piece_ids if id in held}, CANCELLED)
    return True


def _let_weight_go(session: Session, caller: Caller, deal: Deal, part: PartRecalled) -> bool:
    left = noted.weight_left(session, deal)
    if part.quantity > left:
        return False
    notes.void_notes_beyond(session, caller, deal, (left - part.quantity).value, CANCELLED)
    return True


def note_ended_part(session: Session, caller: Caller, event: PartEnded) -> None:
    """Orders tells the end of a part before it describes the deal without it: then a recalled weight counts no more.

    One recall of a weight is like another of the same: the oldest that still counts is the one that has ended.
    """
    if event.by is not None or event.piece_ids:
        return
    waiting = select(Recall).where(Recall.deal_id == event.deal_id, Recall.is_free, Recall.ended_version.is_(None))
    recalls = session.scalars(waiting.order_by(Recall.answered_at, Recall.id)).all()
    ended = next((one for one in recalls if one.quantity == event.quantity.to(one.quantity.unit)), None)
    if ended is not None:
        ended.ended_version = deals.lock_deal(session, event.deal_id, caller).version
