"""Sets deliveries up and moves them on: by the gate, by hand, by weights and by time passing."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get, get_many, see
from chassis.messages import emit
from chassis.values import Quantity
from events.logistics import DeliveryCancelled, DeliveryDeparted, DeliveryStarted, DeliveryWeighed
from events.orders import DealDescribed
from services.logistics.deals import commands as deals
from services.logistics.deals import queries as deal_queries
from services.logistics.deals.model import Deal
from services.logistics.epcis import commands as epcis
from services.logistics.pieces import commands as pieces
from services.logistics.pieces import queries as pieces_seen
from services.logistics.shipments import queries
from services.logistics.shipments.matching import Carried, Match, match_deliveries
from services.logistics.shipments.model import (
    Claim,
    Delivery,
    DeliveryPiece,
    Discrepancy,
    End,
    NothingToCarry,
    PieceNotOfDeal,
    PieceUnderWay,
    QuantityExceeded,
    Seen,
    State,
)
from services.logistics.warehouses import queries as gates
from services.logistics.warehouses.model import Gate


def follow_deal(session: Session, caller: Caller, event: DealDescribed) -> None:
    """Keep a deal as it stands, let its parties follow its pieces, and call off what still loads when it is over."""
    if not deals.describe_deal(session, event):
        return
    parties = (event.buyer_id, event.seller_id, event.warehouse_id)
    pieces.show_pieces(session, [piece.piece_id for piece in event.pieces], parties)
    deal = deals.lock_deal(session, event.deal_id, caller)
    if deal.is_over:
        loading = select(Delivery.id).where(Delivery.deal_id == deal.id, Delivery.state == State.LOADING)
        for delivery in get_many(session, Delivery, session.scalars(loading), caller):
            _cancel(session, deal, delivery, f"the deal is {deal.state}")


def start_delivery(
    session: Session,
    caller: Caller,
    *,
    deal_id: str,
    gate_id: str,
    piece_ids: Collection[str],
    quantity: Quantity | None,
    plate: str,
    driver: str,
) -> Delivery:
    """Set a truck up at a gate for pieces of a deal or, where a deal has none, for a quantity of it.

    Raises NotYetKnown, NotFound, NotTheWarehouse, DealNotDelivering, DeliveryOverdue, NothingToCarry, PieceNotOfDeal,
    PieceUnderWay (``pieces``) or QuantityExceeded (``remaining``).
    """
    deal = deals.lock_deal(session, deal_id, caller)
    deal.check_is_warehouse(caller)
    gate = gates.see_gate(session, gate_id, caller)
    deals.check_takes_trucks(session, deal)
    chosen = sorted(set(piece_ids))
    if weights := deal_queries.piece_weights(session, deal_id):
        load = _choose_pieces(session, deal_id, weights, chosen, quantity)
    else:
        load = _choose_quantity(session, deal, chosen, quantity)
    delivery = _make_delivery(deal, gate, load, plate=plate, driver=driver)
    session.add(delivery)
    session.add_all(
        DeliveryPiece(delivery_id=delivery.id, piece_id=id, deal_id=deal_id, claim=Claim.LIVE) for id in chosen
    )
    started = DeliveryStarted(deal_id=deal_id, delivery_id=delivery.id, piece_ids=chosen, quantity=load)
    emit(session, started, of=deal)
    return delivery


def _make_delivery(deal: Deal, gate: Gate, load: Quantity, *, plate: str, driver: str) -> Delivery:
    return Delivery(
        id=clock.new_id("delivery"),
        deal_id=deal.id,
        gate_id=gate.id,
        place=gate.place,
        warehouse_id=deal.warehouse_id,
        buyer_id=deal.buyer_id,
        seller_id=deal.seller_id,
        quantity=load,
        plate=plate,
        driver=driver,
        state=Delivery.initial,
        due_at=clock.now() + deal.load,
        receive_within=deal.receive,
        started_at=clock.now(),
    )


def _choose_pieces(
    session: Session, deal_id: str, weights: dict[str, Quantity], chosen: list[str], quantity: Quantity | None
) -> Quantity:
    if not chosen or quantity is not None:
        raise NothingToCarry("the deal is over pieces: name those that the truck takes", field="$.piece_ids")
    if strange := sorted(set(chosen) - weights.keys()):
        raise PieceNotOfDeal("the deal has no such piece", field="$.piece_ids", pieces=strange)
    if under_way := queries.pieces_under_way(session, deal_id, chosen):
        raise PieceUnderWay("another delivery carries or has brought it", pieces=under_way)
    pieces_seen.check_are_known(session, chosen)
    first, *rest = (weights[id] for id in chosen)
    return sum(rest, first)


def _choose_quantity(session: Session, deal: Deal, chosen: list[str], quantity: Quantity | None) -> Quantity:
    if chosen or not quantity:
        raise NothingToCarry("the deal is over a weight: name a quantity above zero", field="$.quantity")
    remaining = deal.quantity - queries.quantity_under_way(session, deal.id, deal.quantity.unit)
    if quantity > remaining:
        raise QuantityExceeded(f"{remaining} of the deal is left", remaining=remaining)
    return quantity.to(deal.quantity.unit)


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


def lock_for_ticket(session: Session, caller: Caller, delivery_id: str, end: End) -> tuple[Deal, Delivery]:
    """A delivery and its deal for a ticket of one end: loading by the deal's warehouse, receiving by its buyer.

    Raises NotFound, NotTheWarehouse or NotTheBuyer.
    """
    deal, delivery = lock_delivery(session, caller, delivery_id)
    if end == End.LOADING:
        deal.check_is_warehouse(caller)
    else:
        deal.check_is_buyer(caller)
    return deal, delivery


def take_weight(session: Session, deal: Deal, delivery: Delivery, end: End, net: Quantity) -> None:
    """Put down what a ticket says; with both ends it is weighed. Raises what ``Delivery.check_takes_weight`` does."""
    before = delivery.state
    is_weighed = delivery.take_weight(end, net, clock.now())
    if before == State.LOADING and delivery.departed_at is not None:
        emit(session, DeliveryDeparted(deal_id=deal.id, delivery_id=delivery.id, at=delivery.departed_at), of=deal)
    if is_weighed:
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
    session: Session, caller: Caller, *, gate_id: str, passage_id: str, at: datetime, seen: frozenset[str]
) -> list[Carried]:
    """Move on the deliveries whose pieces were seen, put down what does not fit, and say whose passage it was."""
    waiting = queries.pieces_waiting(session, gate_id, seen)
    locked = _lock_all(session, caller, waiting)
    waiting = {id: waiting[id] for id, (_, delivery) in locked.items() if delivery.was_loading(at)}
    gone = queries.deliveries_gone(session, gate_id, seen, at)
    match = match_deliveries(seen, waiting, frozenset().union(*(carried.piece_ids for carried in gone)))
    for id in match.departed:
        _depart(session, *locked[id], at, Seen.GATE)
    _put_down(session, match, passage_id, at)
    left = [locked[id][1] for id in match.departed]
    return [*gone, *(Carried(one.id, one.deal_id, one.buyer_id, one.seller_id, waiting[one.id]) for one in left)]


def lock_delivery(session: Session, caller: Caller, delivery_id: str) -> tuple[Deal, Delivery]:
    """A delivery and its deal, the deal locked first. Raises NotFound."""
    deal_id = see(session, Delivery, delivery_id, caller).deal_id
    deal = deals.lock_deal(session, deal_id, caller)
    return deal, get(session, Delivery, delivery_id, caller)


def _lock_all(session: Session, caller: Caller, ids: Collection[str]) -> dict[str, tuple[Deal, Delivery]]:
    deal_ids = set(session.scalars(select(Delivery.deal_id).where(Delivery.id.in_(ids))))
    by_id = deals.lock_deals(session, deal_ids, caller)
    return {delivery.id: (by_id[delivery.deal_id], delivery) for delivery in get_many(session, Delivery, ids, caller)}


def _put_down(session: Session, match: Match, passage_id: str, at: datetime) -> None:
    session.add_all(
        Discrepancy(
            id=clock.new_id("discrepancy"),
            kind=finding.kind,
            passage_id=passage_id,
            delivery_id=finding.delivery_id,
            piece_id=finding.piece_id,
            at=at,
        )
        for finding in match.findings
    )


def _depart(
    session: Session, deal: Deal, delivery: Delivery, at: datetime, seen: Seen, reason: str | None = None
) -> None:
    delivery.depart(at, seen, reason)
    emit(session, DeliveryDeparted(deal_id=deal.id, delivery_id=delivery.id, at=at), of=deal)


def _cancel(session: Session, deal: Deal, delivery: Delivery, reason: str) -> None:
    delivery.cancel(reason)
    freed = _claim(session, delivery, Claim.FREED)
    emit(session, DeliveryCancelled(deal_id=deal.id, delivery_id=delivery.id, piece_ids=freed), of=deal)


def _tell_weighed(session: Session, deal: Deal, delivery: Delivery) -> None:
    brought = _claim(session, delivery, Claim.BROUGHT)
    weighed = DeliveryWeighed(
        deal_id=deal.id, delivery_id=delivery.id, piece_ids=brought, loaded=delivery.loaded, received=delivery.received
    )
    emit(session, weighed, of=deal)


def _claim(session: Session, delivery: Delivery, claim: Claim) -> list[str]:
    """Change what the delivery has of its pieces; their ids."""
    change = update(DeliveryPiece).where(DeliveryPiece.delivery_id == delivery.id).values(claim=claim)
    return sorted(session.scalars(change.returning(DeliveryPiece.piece_id)))
