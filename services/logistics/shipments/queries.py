"""What deliveries carry, and which stand at a gate or have just left it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import page
from chassis.values import Exact, Quantity
from services.logistics.base import among
from services.logistics.shipments.matching import Carried, Passing, match_deliveries
from services.logistics.shipments.model import Claim, Delivery, DeliveryPiece, Seen, State

# Reads that a reader had kept back belong to the delivery that has just left (RFID.md 4.4, lateness class L1).
JUST_GONE = timedelta(minutes=15)
MOST_DELIVERIES = 100
LANE_TRIPS = 50


class Papers(msgspec.Struct, frozen=True):
    """A delivery with its deal, its buyer and its seller."""

    delivery_id: str
    deal_id: str
    buyer_id: str
    seller_id: str


def deliveries_of_piece(session: Session, caller: Caller, piece_id: str) -> list[Delivery]:
    """The deliveries of a piece that the caller is party to, newest first; at most the last hundred."""
    of_piece = select(DeliveryPiece.delivery_id).where(DeliveryPiece.piece_id == piece_id)
    return page(session, Delivery, caller, None, MOST_DELIVERIES, Delivery.id.in_(of_piece)).items


def pieces_of(session: Session, delivery_ids: Collection[str]) -> dict[str, list[str]]:
    """The pieces of deliveries, by delivery."""
    pairs = select(DeliveryPiece.delivery_id, DeliveryPiece.piece_id).where(DeliveryPiece.delivery_id.in_(delivery_ids))
    found: dict[str, list[str]] = defaultdict(list)
    for delivery_id, piece_id in session.execute(pairs.order_by(DeliveryPiece.piece_id)):
        found[delivery_id].append(piece_id)
    return found


def papers_of(session: Session, delivery_id: str) -> Papers:
    """What a delivery is: its deal and its parties."""
    columns = select(Delivery.id, Delivery.deal_id, Delivery.buyer_id, Delivery.seller_id)
    return Papers(*session.execute(columns.where(Delivery.id == delivery_id)).one())


def buyers_of_deliveries(session: Session, delivery_ids: Collection[str]) -> dict[str, tuple[str, datetime | None]]:
    """Delivery to its buyer and when it was received there; what was called off, or has not left, is not there."""
    columns = select(Delivery.id, Delivery.buyer_id, Delivery.received_at)
    left = Delivery.departed_at.is_not(None), Delivery.state != State.CANCELLED
    found = session.execute(columns.where(Delivery.id.in_(delivery_ids), *left))
    return {id: (buyer_id, received_at) for id, buyer_id, received_at in found}


def pieces_gone(session: Session, warehouse_id: str) -> dict[str, datetime]:
    """The pieces that deliveries have taken out of a warehouse, and when they last left."""
    left = select(DeliveryPiece.piece_id, func.max(Delivery.departed_at).label("at")).join(
        Delivery, Delivery.id == DeliveryPiece.delivery_id
    )
    gone = left.where(
        Delivery.warehouse_id == warehouse_id, Delivery.departed_at.is_not(None), DeliveryPiece.claim != Claim.FREED
    )
    return {row.piece_id: row.at for row in session.execute(gone.group_by(DeliveryPiece.piece_id))}


def deliveries_there(session: Session, delivery_ids: Collection[str]) -> set[str]:
    """Which of the ids are those of deliveries."""
    return set(session.scalars(select(Delivery.id).where(among(Delivery.id, delivery_ids))))


def deliveries_under_way(session: Session, piece_ids: Collection[str]) -> set[str]:
    """The deliveries that carry one of the pieces, or have brought it."""
    carried = select(DeliveryPiece.delivery_id).where(
        among(DeliveryPiece.piece_id, piece_ids), DeliveryPiece.claim != Claim.FREED
    )
    return set(session.scalars(carried.distinct()))


def trips_of_lane(session: Session, delivery: Delivery) -> list[timedelta]:
    """How long the last deliveries between the same companies by the same gate were under way, newest first.

    Those that were received because the time for their tickets was over say nothing of the truck.
    """
    took = Delivery.received_at - Delivery.departed_at
    same = (
        Delivery.gate_id == delivery.gate_id,
        Delivery.buyer_id == delivery.buyer_id,
        Delivery.seller_id == delivery.seller_id,
        Delivery.id != delivery.id,
    )
    found = select(took).where(*same, took > timedelta(), took < Delivery.receive_within)
    return list(session.scalars(found.order_by(Delivery.departed_at.desc()).limit(LANE_TRIPS)))


def deliveries_of_notes(session: Session, note_ids: Collection[str]) -> dict[str, str]:
    """The delivery that each note was used for."""
    found = session.execute(select(Delivery.note_id, Delivery.id).where(Delivery.note_id.in_(note_ids)))
    return {row.note_id: row.id for row in found}


def loading_deliveries(session: Session, deal_id: str) -> list[str]:
    """The ids of the deliveries of a deal that have not left, newest first."""
    loading = select(Delivery.id).where(Delivery.deal_id == deal_id, Delivery.state == State.LOADING)
    return list(session.scalars(loading.order_by(Delivery.id.desc())))


def pieces_under_way(session: Session, deal_id: str, piece_ids: Collection[str]) -> list[str]:
    """Which of the pieces another delivery carries now, or has brought for the deal."""
    taken = (DeliveryPiece.claim == Claim.LIVE) | (
        (DeliveryPiece.deal_id == deal_id) & (DeliveryPiece.claim == Claim.BROUGHT)
    )
    return sorted(
        set(session.scalars(select(DeliveryPiece.piece_id).where(DeliveryPiece.piece_id.in_(piece_ids), taken)))
    )


def quantity_under_way(session: Session, deal_id: str, unit: str) -> Quantity:
    """What the deliveries of a deal carry together, in the deal's unit."""
    quantity = func.coalesce(func.sum(Delivery.__table__.c.quantity_value), 0)
    total = session.scalar(select(quantity).where(Delivery.deal_id == deal_id, Delivery.state != State.CANCELLED))
    return Quantity(Exact(total), unit)


def pieces_expected(session: Session, gate_id: str, *, since: datetime, again: Collection[str] = ()) -> dict[str, str]:
    """The pieces of every delivery that stands loading at a gate, or left by it no earlier than ``since``; each's delivery.

    ``again`` are deliveries that are taken as if they still stood there.
    """
    there = DeliveryPiece.delivery_id.in_(_there(gate_id, since, again))
    found = session.execute(select(DeliveryPiece.piece_id, DeliveryPiece.delivery_id).where(there))
    return {row.piece_id: row.delivery_id for row in found}


def pieces_waiting(
    session: Session, gate_id: str, seen: Collection[str], *, at: datetime, again: Collection[str] = ()
) -> dict[str, frozenset[str]]:
    """All pieces of each delivery that stood loading at a gate then and has one of those seen."""
    there = DeliveryPiece.delivery_id.in_(_there(gate_id, at, again))
    touched = set(session.scalars(_carrying(seen).where(there)))
    return {id: frozenset(piece_ids) for id, piece_ids in pieces_of(session, touched).items()}


def deliveries_gone(session: Session, gate_id: str, seen: Collection[str], at: datetime) -> list[Carried]:
    """The deliveries that have just left by a gate and have one of the pieces seen."""
    lately = Delivery.departed_at.between(at - JUST_GONE, at + JUST_GONE)
    columns = select(Delivery.id, Delivery.deal_id, Delivery.buyer_id, Delivery.seller_id, Delivery.plate)
    gone = session.execute(
        columns.where(Delivery.gate_id == gate_id, lately, Delivery.id.in_(_carrying(seen))).order_by(Delivery.id)
    ).all()
    piece_ids = pieces_of(session, [row.id for row in gone])
    return [Carried(*row[:4], frozenset(piece_ids[row.id]), row.plate) for row in gone]


def foresee_gate(session: Session, gate_id: str, seen: frozenset[str], at: datetime) -> Passing:
    """What ``commands.pass_gate`` would say of pieces that leave now; nothing is moved on."""
    waiting = pieces_waiting(session, gate_id, seen, at=at)
    gone = [one for one in deliveries_gone(session, gate_id, seen, at) if one.delivery_id not in waiting]
    match = match_deliveries(seen, waiting, frozenset().union(*(carried.piece_ids for carried in gone)))
    columns = select(Delivery.id, Delivery.deal_id, Delivery.buyer_id, Delivery.seller_id, Delivery.plate)
    left = session.execute(columns.where(Delivery.id.in_(match.departed)).order_by(Delivery.id))
    return Passing(
        [*gone, *(Carried(*row[:4], waiting[row.id], row.plate) for row in left)], match.departed, match.findings
    )


def _there(gate_id: str, since: datetime, again: Collection[str]) -> Select[tuple[str]]:
    """Deliveries at a gate that load, that left by it from then on (RFID.md 4.4: late reads belong to them), or are named."""
    left = Delivery.departed_at.between(since, since + JUST_GONE) & (Delivery.departure_seen_by == Seen.GATE)
    there = or_(Delivery.state == State.LOADING, left, Delivery.id.in_(list(again)))
    return select(Delivery.id).where(Delivery.gate_id == gate_id, there)


def _carrying(piece_ids: Collection[str]) -> Select[tuple[str]]:
    return select(DeliveryPiece.delivery_id).where(among(DeliveryPiece.piece_id, piece_ids))
