"""Deliveries over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Paging, View, command, query
from chassis.values import Identifier, Quantity, ShortText
from services.logistics.shipments import commands, queries
from services.logistics.shipments.model import Delivery, Discrepancy, State
from services.logistics.weighing.api import TicketView

routes = Blueprint("deliveries", __name__)


class StartDelivery(Body):
    """A truck for a deal: the pieces that it takes, or a quantity where the deal is over a weight."""

    deal_id: Identifier
    gate_id: Identifier
    piece_ids: Annotated[list[Identifier], Meta(max_length=500)] = []
    quantity: Quantity | None = None
    plate: ShortText
    driver: ShortText


class GiveReason(Body):
    """Why something is done by hand."""

    reason: ShortText


class ListDeliveries(Paging):
    """Which deliveries to list."""

    deal_id: Identifier | None = None
    state: State | None = None


class DiscrepancyView(View):
    """Something that did not fit at the gate. A piece of somebody else's is named to the warehouse alone."""

    kind: str
    piece_id: str | None
    passage_id: str | None
    at: datetime

    @classmethod
    def of(cls, caller: Caller, details: queries.Details, discrepancy: Discrepancy) -> DiscrepancyView:
        is_own = discrepancy.piece_id in details.piece_ids
        may_name = is_own or caller.is_operator or caller.party_id == details.delivery.warehouse_id
        piece_id = discrepancy.piece_id if may_name else None
        return cls(kind=discrepancy.kind, piece_id=piece_id, passage_id=discrepancy.passage_id, at=discrepancy.at)


class DeliveryView(View):
    """A delivery with its weigh tickets and what did not fit; ``due_at`` is when it stops waiting."""

    id: str
    deal_id: str
    gate_id: str
    place: str
    warehouse_id: str
    buyer_id: str
    seller_id: str
    piece_ids: list[str]
    quantity: Quantity
    plate: str
    driver: str
    state: str
    due_at: datetime | None
    started_at: datetime
    departed_at: datetime | None
    departure_seen_by: str | None
    reason: str | None
    received_at: datetime | None
    loaded: Quantity | None
    received: Quantity | None
    tickets: list[TicketView]
    discrepancies: list[DiscrepancyView]

    @classmethod
    def of(cls, caller: Caller, details: queries.Details) -> DeliveryView:
        delivery = details.delivery
        return cls(
            id=delivery.id,
            deal_id=delivery.deal_id,
            gate_id=delivery.gate_id,
            place=delivery.place,
            warehouse_id=delivery.warehouse_id,
            buyer_id=delivery.buyer_id,
            seller_id=delivery.seller_id,
            piece_ids=details.piece_ids,
            quantity=delivery.quantity,
            plate=delivery.plate,
            driver=delivery.driver,
            state=delivery.state,
            due_at=delivery.due_at,
            started_at=delivery.started_at,
            departed_at=delivery.departed_at,
            departure_seen_by=delivery.departure_seen_by,
            reason=delivery.reason,
            received_at=delivery.received_at,
            loaded=delivery.loaded,
            received=delivery.received,
            tickets=[TicketView.of(ticket) for ticket in details.tickets],
            discrepancies=[DiscrepancyView.of(caller, details, one) for one in details.discrepancies],
        )


def _view(session: Session, caller: Caller, delivery: Delivery) -> DeliveryView:
    return DeliveryView.of(caller, queries.add_details(session, [delivery])[0])


@routes.post("/v1/deliveries")
@command(role="warehouse", status=201)
def start_delivery(session: Session, caller: Caller, body: StartDelivery) -> DeliveryView:
    """Set a truck up at one of the warehouse's gates. A piece is on one delivery at a time."""
    delivery = commands.start_delivery(
        session,
        caller,
        deal_id=body.deal_id,
        gate_id=body.gate_id,
        piece_ids=body.piece_ids,
        quantity=body.quantity,
        plate=body.plate,
        driver=body.driver,
    )
    return _view(session, caller, delivery)


@routes.post("/v1/deliveries/<delivery_id>/depart")
@command(role="warehouse")
def confirm_departure(session: Session, caller: Caller, delivery_id: str, body: GiveReason) -> DeliveryView:
    """Say by hand that a truck has left whose tags the gate could not read."""
    return _view(session, caller, commands.confirm_departure(session, caller, delivery_id, body.reason))


@routes.post("/v1/deliveries/<delivery_id>/cancel")
@command(role="warehouse")
def cancel_delivery(session: Session, caller: Caller, delivery_id: str, body: GiveReason) -> DeliveryView:
    """Call off a truck that has not left; its pieces are free for another."""
    return _view(session, caller, commands.cancel_delivery(session, caller, delivery_id, body.reason))


@routes.get("/v1/deliveries")
@query()
def list_deliveries(session: Session, caller: Caller, params: ListDeliveries) -> Page[DeliveryView]:
    """The deliveries that the caller's company sells, buys or loads, newest first."""
    found = queries.list_deliveries(
        session, caller, deal_id=params.deal_id, state=params.state, cursor=params.cursor, limit=params.limit
    )
    return found.map(lambda details: DeliveryView.of(caller, details))


@routes.get("/v1/deliveries/<delivery_id>")
@query()
def show_delivery(session: Session, caller: Caller, delivery_id: str) -> DeliveryView:
    """One delivery."""
    return DeliveryView.of(caller, queries.see_delivery(session, delivery_id, caller))
