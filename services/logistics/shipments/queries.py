"""What deliveries carry, and which stand at a gate or have just left it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import page
from chassis.values import Exact, Quantity
from services.logistics.shipments.matching import Carried
from services.logistics.shipments.model import Claim, Delivery, DeliveryPiece, State

# Reads that a reader had kept back belong to the delivery that has just left (RFID.md 4.4, lateness class L1).
JUST_GONE = timedelta(minutes=15)
MOST_DELIVERIES = 100


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


def pieces_expected(session: Session, gate_id: str) -> set[str]:
    """The pieces of every delivery that stands loading at a gate."""
    return set(
        session.scalars(select(DeliveryPiece.piece_id).where(DeliveryPiece.delivery_id.in_(_loading_at(gate_id))))
    )


def pieces_waiting(session: Session, gate_id: str, seen: Collection[str]) -> dict[str, frozenset[str]]:
    """All pieces of each delivery that stands loading at a gate and has one of those seen."""
    touched = set(session.scalars(_carrying(seen).where(DeliveryPiece.delivery_id.in_(_loading_at(gate_id)))))
    return {id: frozenset(piece_ids) for id, piece_ids in pieces_of(session, touched).items()}


def deliveries_gone(session: Session, gate_id: str, seen: Collection[str], at: datetime) -> list[Carried]:
    """The deliveries that have just left by a gate and have one of the pieces seen."""
    lately = Delivery.departed_at.between(at - JUST_GONE, at + JUST_GONE)
    columns = select(Delivery.id, Delivery.deal_id, Delivery.buyer_id, Delivery.seller_id)
    gone = session.execute(
        columns.where(Delivery.gate_id == gate_id, lately, Delivery.id.in_(_carrying(seen))).order_by(Delivery.id)
    ).all()
    piece_ids = pieces_of(session, [row.id for row in gone])
    return [Carried(*row, frozenset(piece_ids[row.id])) for row in gone]


def _loading_at(gate_id: str) -> Select[tuple[str]]:
    return select(Delivery.id).where(Delivery.gate_id == gate_id, Delivery.state == State.LOADING)


def _carrying(piece_ids: Collection[str]) -> Select[tuple[str]]:
    return select(DeliveryPiece.delivery_id).where(DeliveryPiece.piece_id.in_(piece_ids))
