"""Shows deliveries to the companies they concern, and finds those that stand at a gate or have just left it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from chassis.values import Exact, Quantity
from services.logistics.shipments.matching import Carried
from services.logistics.shipments.model import Claim, Delivery, DeliveryPiece, Discrepancy, State
from services.logistics.weighing import queries as weighing
from services.logistics.weighing.model import WeighTicket

# Reads that a reader had kept back belong to the delivery that has just left (RFID.md 4.4, lateness class L1).
JUST_GONE = timedelta(minutes=15)
MOST_DELIVERIES = 100


class Details(msgspec.Struct, frozen=True):
    """A delivery with its pieces, its tickets and what did not fit."""

    delivery: Delivery
    piece_ids: list[str]
    tickets: list[WeighTicket]
    discrepancies: list[Discrepancy]


def add_details(session: Session, deliveries: Collection[Delivery]) -> list[Details]:
    """Deliveries with what belongs to them, in one statement for each kind."""
    ids = [delivery.id for delivery in deliveries]
    pieces, tickets, findings = (
        pieces_of(session, ids),
        weighing.tickets_of(session, ids),
        discrepancies_of(session, ids),
    )
    return [Details(one, pieces[one.id], tickets[one.id], findings[one.id]) for one in deliveries]


def see_delivery(session: Session, delivery_id: str, caller: Caller) -> Details:
    """A delivery that the caller is party to. Raises NotFound."""
    return add_details(session, [see(session, Delivery, delivery_id, caller)])[0]


def list_deliveries(
    session: Session, caller: Caller, *, deal_id: str | None, state: State | None, cursor: str | None, limit: int
) -> Page[Details]:
    """The deliveries that the caller is party to, newest first."""
    where: list[ColumnElement[bool]] = []
    if deal_id is not None:
        where.append(Delivery.deal_id == deal_id)
    if state is not None:
        where.append(Delivery.state == state)
    found = page(session, Delivery, caller, cursor, limit, *where)
    return Page(add_details(session, found.items), found.next)


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


def discrepancies_of(session: Session, delivery_ids: Collection[str]) -> dict[str, list[Discrepancy]]:
    """What did not fit, by delivery."""
    found: dict[str, list[Discrepancy]] = defaultdict(list)
    for one in session.scalars(
        select(Discrepancy).where(Discrepancy.delivery_id.in_(delivery_ids)).order_by(Discrepancy.id)
    ):
        found[one.delivery_id].append(one)
    return found


def discrepancies_at(session: Session, passage_ids: Collection[str]) -> dict[str, list[Discrepancy]]:
    """What did not fit, by passage."""
    found: dict[str, list[Discrepancy]] = defaultdict(list)
    for one in session.scalars(
        select(Discrepancy).where(Discrepancy.passage_id.in_(passage_ids)).order_by(Discrepancy.id)
    ):
        found[one.passage_id].append(one)
    return found


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
