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
from chassis.problems import Refused
from chassis.values import Identifier, Quantity, ShortText
from services.logistics.discrepancies.api import DiscrepancyView
from services.logistics.shipments import commands, details
from services.logistics.shipments.model import Delivery, State
from services.logistics.weighing.api import TicketView

routes = Blueprint("deliveries", __name__)


class StartDelivery(Body):
    """A truck that was loaded by a pick-up note: all that the note is over, unless pieces or a quantity are named.

    Plate and driver are the note's.
    """

    note_id: Identifier
    code: Identifier
    gate_id: Identifier
    piece_ids: Annotated[list[Identifier], Meta(max_length=500)] | None = None
    quantity: Quantity | None = None


class GiveReason(Body):
    """Why something is done by hand."""

    reason: ShortText


class ListDeliveries(Paging):
    """Which deliveries to list."""

    deal_id: Identifier | None = None
    state: State | None = None


class DeliveryView(View):
    """A delivery with its weigh tickets and what did not fit; ``due_at`` is when it stops waiting.

    ``accepted_stage`` is whole, undisputed or decided once orders has accepted its weights.
    """

    id: str
    deal_id: str
    note_id: str | None
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
    third_party: Quantity | None
    weigher_id: str | None
    accepted_stage: str | None
    tickets: list[TicketView]
    discrepancies: list[DiscrepancyView]

    @classmethod
    def of(cls, caller: Caller, shown: details.Details) -> DeliveryView:
        delivery = shown.delivery
        return cls(
            id=delivery.id,
            deal_id=delivery.deal_id,
            note_id=delivery.note_id,
            gate_id=delivery.gate_id,
            place=delivery.place,
            warehouse_id=delivery.warehouse_id,
            buyer_id=delivery.buyer_id,
            seller_id=delivery.seller_id,
            piece_ids=shown.piece_ids,
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
            third_party=delivery.third_party,
            weigher_id=delivery.weigher_id,
            accepted_stage=delivery.accepted_stage,
            tickets=[TicketView.of(ticket) for ticket in shown.tickets],
            discrepancies=[DiscrepancyView.of(caller, one) for one in shown.discrepancies],
        )


def _view(session: Session, caller: Caller, delivery: Delivery) -> DeliveryView:
    return DeliveryView.of(caller, details.add_details(session, [delivery])[0])


@routes.post("/v1/deliveries")
@command(role="warehouse", status=201)
def start_delivery(session: Session, caller: Caller, body: StartDelivery) -> DeliveryView | Refused:
    """Confirm what a truck has loaded by its pick-up note. A note is used once; what was not loaded is free again."""
    outcome = commands.start_delivery(
        session,
        caller,
        note_id=body.note_id,
        code=body.code,
        gate_id=body.gate_id,
        piece_ids=body.piece_ids,
        quantity=body.quantity,
    )
    return outcome if isinstance(outcome, Refused) else _view(session, caller, outcome)


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
    found = details.list_deliveries(
        session, caller, deal_id=params.deal_id, state=params.state, cursor=params.cursor, limit=params.limit
    )
    return found.map(lambda one: DeliveryView.of(caller, one))


@routes.get("/v1/deliveries/<delivery_id>")
@query()
def show_delivery(session: Session, caller: Caller, delivery_id: str) -> DeliveryView:
    """One delivery."""
    return DeliveryView.of(caller, details.see_delivery(session, delivery_id, caller))
