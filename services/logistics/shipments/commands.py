"""Sets deliveries up and moves them on: by the gate, by hand, by weights and by time passing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get, get_many, see
from chassis.messages import emit
from chassis.problems import Refused
from chassis.values import Quantity
from events.logistics import DeliveryCancelled, DeliveryDeparted, DeliveryStarted, DeliveryWeighed
from services.logistics.deals import commands as deals
from services.logistics.deals.model import Deal
from services.logistics.epcis import commands as epcis
from services.logistics.notes import commands as notes
from services.logistics.notes import queries as noted
from services.logistics.notes.model import PickupNote
from services.logistics.pieces import queries as pieces_seen
from services.logistics.recalls import queries as recalls
from services.logistics.shipments import queries
from services.logistics.shipments.loads import choose_load
from services.logistics.shipments.matching import Carried, Passing, match_deliveries
from services.logistics.shipments.model import (
    Claim,
    Delivery,
    DeliveryPiece,
    End,
    PieceUnderWay,
    Seen,
    State,
)
from services.logistics.warehouses import queries as gates
from services.logistics.warehouses.model import Gate
from services.logistics.weighing import queries as weighing
from services.logistics.weighing.model import State as Standing


def start_delivery(
    session: Session,
    caller: Caller,
    *,
    note_id: str,
    code: str,
    gate_id: str,
    piece_ids: Collection[str] | None,
    quantity: Quantity | None,
) -> Delivery | Refused:
    """The warehouse confirms what a truck has loaded by its pick-up note: all of it unless pieces or a quantity are named.

    What was not loaded is free again. A wrong code is counted, and refused with WrongCode (``tries_left``) or CodeLocked.
    Raises NotYetKnown, NotFound, NotTheWarehouse, DealNotDelivering, DeliveryOverdue, NoteNotOpen, NothingToCarry,
    NotOnNote (``pieces``), PieceUnderWay (``pieces``) or QuantityExceeded (``remaining``).
    """
    deal, note = notes.lock_note(session, caller, note_id)
    deal.check_is_warehouse(caller)
    gate = gates.see_gate(session, gate_id, caller)
    recalls.check_takes_trucks(session, deal)
    note.check_is_open(clock.now())
    if refusal := note.try_code(code):
        return Refused(refusal)
    weights = {id: piece.net for id, piece in noted.pieces_of_note(session, note_id).items()}
    chosen, load = choose_load(note.quantity, weights, piece_ids=piece_ids, quantity=quantity)
    if under_way := queries.pieces_under_way(session, deal.id, chosen):
        raise PieceUnderWay("another delivery carries or has brought it", pieces=under_way)
    pieces_seen.check_are_known(session, chosen)
    delivery = _make_delivery(deal, gate, note, load)
    session.add(delivery)
    session.add_all(
        DeliveryPiece(delivery_id=delivery.id, piece_id=id, deal_id=deal.id, claim=Claim.LIVE) for id in chosen
    )
    notes.use_note(session, note, chosen)
    started = DeliveryStarted(deal_id=deal.id, delivery_id=delivery.id, piece_ids=chosen, quantity=load)
    emit(session, started, of=deal)
    return delivery


def _make_delivery(deal: Deal, gate: Gate, note: PickupNote, load: Quantity) -> Delivery:
    return Delivery(
        id=clock.new_id("delivery"),
        deal_id=deal.id,
        note_id=note.id,
        gate_id=gate.id,
        place=gate.place,
        warehouse_id=deal.warehouse_id,
        buyer_id=deal.buyer_id,
        seller_id=deal.seller_id,
        weigher_id=deal.weigher_id,
        weigher_decides=deal.weigher_decides,
        quantity=load,
        plate=note.plate,
        driver=note.driver,
        state=Delivery.initial,
        due_at=clock.now() + deal.load,
        receive_within=deal.receive,
        started_at=clock.now(),
        weights_version=1,
    )


def confirm_departure(session: Session, caller: Caller, delivery_id: str, reason: str) -> Delivery:
    """The warehouse says by hand that a truck has left, where its tags did not; EPCIS records it as if they had.

    Raises NotTheWarehouse, PastDeadline, IllegalMove.
    """
    deal, delivery = lock_delivery(session, caller, delivery_id)
    deal.check_is_warehouse(caller)
    delivery.check_in_time(clock.now())
    at = clock.now()
    _depart(session, deal, delivery, at, Seen.HAND, reason)
    epcis.capture_departure(
        session,
        gate_id=delivery.gate_id,
        warehouse_id=delivery.warehouse_id,
        at=at,
        delivery_id=delivery.id,
        deal_id=deal.id,
        tags=pieces_seen.tags_of_pieces(session, queries.pieces_of(session, [delivery.id])[delivery.id]),
        reason=reason,
        parties=(delivery.buyer_id, delivery.seller_id),
    )
    return delivery


def cancel_delivery(session: Session, caller: Caller, delivery_id: str, reason: str) -> Delivery:
    """The warehouse calls off a truck that has not left; its goods are free for another.

    Raises NotTheWarehouse, IllegalMove.
    """
    deal, delivery = lock_delivery(session, caller, delivery_id)
    deal.check_is_warehouse(caller)
    _cancel(session, deal, delivery, reason)
    return delivery


def cancel_deliveries(
    session: Session, caller: Caller, deal: Deal, delivery_ids: Collection[str], reason: str
) -> list[Delivery]:
    """Call off deliveries that have not left, of a deal whose lock is held."""
    cancelled = get_many(session, Delivery, delivery_ids, caller)
    for delivery in cancelled:
        _cancel(session, deal, delivery, reason)
    return cancelled


def lock_for_ticket(session: Session, caller: Caller, delivery_id: str, end: End) -> tuple[Deal, Delivery]:
    """A delivery and its deal for a ticket: loading by the deal's warehouse, receiving by its buyer, third party by that.

    Raises NotFound, NotTheWarehouse, NotTheBuyer or NotTheWeigher.
    """
    deal, delivery = lock_delivery(session, caller, delivery_id)
    if end == End.LOADING:
        deal.check_is_warehouse(caller)
    elif end == End.RECEIVING:
        deal.check_is_buyer(caller)
    else:
        deal.check_is_weigher(caller)
    return deal, delivery


def take_weight(session: Session, deal: Deal, delivery: Delivery, end: End, net: Quantity) -> None:
    """Put down what a ticket says; with both ends it is weighed, and a third party's weight is told whenever it comes.

    Raises what ``Delivery.check_takes_weight`` does.
    """
    before = delivery.state
    is_weighed = delivery.take_weight(end, net, clock.now())
    if before == State.LOADING and delivery.departed_at is not None:
        emit(session, DeliveryDeparted(deal_id=deal.id, delivery_id=delivery.id, at=delivery.departed_at), of=deal)
    if is_weighed:
        _tell_weighed(session, deal, delivery)


def correct_weights(session: Session, deal: Deal, delivery: Delivery, weights: Mapping[End, Quantity]) -> None:
    """The tickets in force have changed: take their weights, and tell them again when they had been told."""
    if delivery.correct_weights(weights):
        _tell_weighed(session, deal, delivery)


def pass_deadline(session: Session, caller: Caller, delivery_id: str) -> None:
    """What follows when a delivery waited too long.

    One that stands loading has left if it was weighed out, and is called off otherwise; one on its way has the weight
    that is known.
    """
    deal, delivery = lock_delivery(session, caller, delivery_id)
    now = clock.now()
    if not delivery.is_due(now):
        return
    if not delivery.can("depart"):
        delivery.let_weight_stand(now)
        _tell_weighed(session, deal, delivery)
    elif delivery.loaded is not None:
        _depart(session, deal, delivery, now, Seen.SCALE, "the time to load was over")
    else:
        _cancel(session, deal, delivery, "it did not leave in time")


def pass_gate(
    session: Session,
    caller: Caller,
    *,
    gate_id: str,
    at: datetime,
    seen: frozenset[str],
    again: Collection[str] = (),
) -> Passing:
    """Move on the deliveries whose pieces were seen leaving, and say whose passage it was and what does not fit.

    ``again`` are deliveries that had left by what now turns out to have been otherwise: what has left stays so, and they are
    matched as if they still stood there.
    """
    waiting = queries.pieces_waiting(session, gate_id, seen, at=at, again=again)
    locked = _lock_all(session, caller, waiting)
    waiting = {id: waiting[id] for id, (_, one) in locked.items() if one.was_loading(at) or one.left_by_gate(at, again)}
    gone = [one for one in queries.deliveries_gone(session, gate_id, seen, at) if one.delivery_id not in waiting]
    match = match_deliveries(seen, waiting, frozenset().union(*(carried.piece_ids for carried in gone)))
    for id in match.departed:
        if locked[id][1].can("depart"):
            _depart(session, *locked[id], at, Seen.GATE)
    left = [locked[id][1] for id in match.departed]
    here = [Carried(one.id, one.deal_id, one.buyer_id, one.seller_id, waiting[one.id], one.plate) for one in left]
    return Passing([*gone, *here], match.departed, match.findings)


def lock_delivery(session: Session, caller: Caller, delivery_id: str) -> tuple[Deal, Delivery]:
    """A delivery and its deal, the deal locked first. Raises NotFound."""
    deal_id = see(session, Delivery, delivery_id, caller).deal_id
    deal = deals.lock_deal(session, deal_id, caller)
    return deal, get(session, Delivery, delivery_id, caller)


def _lock_all(session: Session, caller: Caller, ids: Collection[str]) -> dict[str, tuple[Deal, Delivery]]:
    deal_ids = set(session.scalars(select(Delivery.deal_id).where(Delivery.id.in_(ids))))
    by_id = deals.lock_deals(session, deal_ids, caller)
    return {delivery.id: (by_id[delivery.deal_id], delivery) for delivery in get_many(session, Delivery, ids, caller)}


def _depart(
    session: Session, deal: Deal, delivery: Delivery, at: datetime, seen: Seen, reason: str | None = None
) -> None:
    delivery.depart(at, seen, reason)
    emit(session, DeliveryDeparted(deal_id=deal.id, delivery_id=delivery.id, at=at), of=deal)


def _cancel(session: Session, deal: Deal, delivery: Delivery, reason: str) -> None:
    delivery.cancel(reason)
    for correction in weighing.corrections_of(session, delivery.id, Standing.PROPOSED):
        correction.move("overtake")
    freed = _claim(session, delivery, Claim.FREED)
    emit(session, DeliveryCancelled(deal_id=deal.id, delivery_id=delivery.id, piece_ids=freed), of=deal)


def _tell_weighed(session: Session, deal: Deal, delivery: Delivery) -> None:
    brought = _claim(session, delivery, Claim.BROUGHT)
    weighed = DeliveryWeighed(
        deal_id=deal.id,
        delivery_id=delivery.id,
        piece_ids=brought,
        loaded=delivery.loaded,
        received=delivery.received,
        third_party=delivery.third_party,
        version=delivery.weights_version,
    )
    emit(session, weighed, of=deal)


def _claim(session: Session, delivery: Delivery, claim: Claim) -> list[str]:
    """Change what the delivery has of its pieces; their ids."""
    change = update(DeliveryPiece).where(DeliveryPiece.delivery_id == delivery.id).values(claim=claim)
    return sorted(session.scalars(change.returning(DeliveryPiece.piece_id)))
