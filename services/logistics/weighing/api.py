"""Weigh tickets over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.http import Body, Instant, View, command
from chassis.values import Exact, Quantity, ShortText
from services.logistics.shipments.model import End
from services.logistics.weighing import commands
from services.logistics.weighing.model import KG, WeighTicket

routes = Blueprint("tickets", __name__)


class Weight(Quantity, frozen=True):
    """A weight in kilograms or tonnes."""

    unit: Literal["KGM", "TNE"]


class RecordTicket(Body):
    """What a scale said: net is gross less tare exactly, and ``weighed_at`` has passed."""

    end: End
    scale: ShortText
    plate: ShortText
    gross: Weight
    tare: Weight
    net: Weight
    weighed_at: Instant


class TicketView(View):
    """A weigh ticket, in kilograms."""

    id: str
    delivery_id: str
    end: str
    scale: str
    plate: str
    gross: Quantity
    tare: Quantity
    net: Quantity
    weighed_at: datetime
    recorded_at: datetime
    recorded_by: str
    replaces: str | None

    @classmethod
    def of(cls, ticket: WeighTicket) -> TicketView:
        return cls(
            id=ticket.id,
            delivery_id=ticket.delivery_id,
            end=ticket.end,
            scale=ticket.scale,
            plate=ticket.plate,
            gross=Quantity(Exact(ticket.gross_kg), KG),
            tare=Quantity(Exact(ticket.tare_kg), KG),
            net=Quantity(Exact(ticket.net_kg), KG),
            weighed_at=ticket.weighed_at,
            recorded_at=ticket.recorded_at,
            recorded_by=ticket.recorded_by,
            replaces=ticket.replaces,
        )


@routes.post("/v1/deliveries/<delivery_id>/tickets")
@command(role="warehouse", status=201)
def record_ticket(session: Session, caller: Caller, delivery_id: str, body: RecordTicket) -> TicketView:
    """Record the weigh ticket of one end: loading by the deal's warehouse, receiving by its buyer.

    It cannot be changed.
    """
    ticket = commands.record_ticket(
        session,
        caller,
        delivery_id=delivery_id,
        end=body.end,
        scale=body.scale,
        plate=body.plate,
        gross=body.gross,
        tare=body.tare,
        net=body.net,
        weighed_at=body.weighed_at,
    )
    return TicketView.of(ticket)
