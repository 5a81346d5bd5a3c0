"""Weigh tickets over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.http import Body, Instant, View, command
from chassis.values import Identifier, Quantity, ShortText
from services.logistics.shipments.model import End
from services.logistics.weighing import commands, queries
from services.logistics.weighing.model import in_kilograms

routes = Blueprint("tickets", __name__)


class Weight(Quantity, frozen=True):
    """A weight in kilograms or tonnes."""

    unit: Literal["KGM", "TNE"]


class RecordTicket(Body):
    """What a scale said: net is gross less tare exactly, and ``weighed_at`` has passed.

    With ``replaces`` it corrects the ticket of this end that is in force, once buyer and seller have both signed.
    """

    end: End
    scale: ShortText
    plate: ShortText
    gross: Weight
    tare: Weight
    net: Weight
    weighed_at: Instant
    replaces: Identifier | None = None

    def read(self) -> commands.Weighing:
        """What the scale said, as the commands take it."""
        named = {name: getattr(self, name) for name in commands.Weighing.__struct_fields__}
        return commands.Weighing(**named)


class TicketView(View):
    """A weigh ticket, in kilograms.

    ``state`` is in_force, replaced, proposed, declined, overtaken (the delivery was accepted before both sides had signed) or
    too_late (it crossed with the acceptance); ``signed_by`` are the sides that have signed a correction.
    """

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
    state: str
    signed_by: list[str]

    @classmethod
    def of(cls, standing: queries.Standing) -> TicketView:
        ticket = standing.ticket
        return cls(
            id=ticket.id,
            delivery_id=ticket.delivery_id,
            end=ticket.end,
            scale=ticket.scale,
            plate=ticket.plate,
            gross=in_kilograms(ticket.gross_kg),
            tare=in_kilograms(ticket.tare_kg),
            net=in_kilograms(ticket.net_kg),
            weighed_at=ticket.weighed_at,
            recorded_at=ticket.recorded_at,
            recorded_by=ticket.recorded_by,
            replaces=ticket.replaces,
            state=standing.state,
            signed_by=standing.signed_by,
        )


@routes.post("/v1/deliveries/<delivery_id>/tickets")
@command(role=("warehouse", "operator"), status=201)
def record_ticket(session: Session, caller: Caller, delivery_id: str, body: RecordTicket) -> TicketView:
    """Record a weigh ticket: loading by the deal's warehouse, receiving by its buyer, third party by that or the operator.

    It cannot be changed, but corrected by another that buyer and seller both sign.
    """
    return TicketView.of(
        commands.record_ticket(session, caller, delivery_id=delivery_id, weighing=body.read(), replaces=body.replaces)
    )


@routes.post("/v1/deliveries/<delivery_id>/tickets/<ticket_id>/sign")
@command(role="warehouse")
def sign_correction(session: Session, caller: Caller, delivery_id: str, ticket_id: str) -> TicketView:
    """Sign a correction for the buyer or the seller; it is in force once both have."""
    return TicketView.of(commands.sign_correction(session, caller, delivery_id, ticket_id))


@routes.post("/v1/deliveries/<delivery_id>/tickets/<ticket_id>/decline")
@command(role="warehouse")
def decline_correction(session: Session, caller: Caller, delivery_id: str, ticket_id: str) -> TicketView:
    """Refuse a correction, or take one's own back, for the buyer or the seller."""
    return TicketView.of(commands.decline_correction(session, caller, delivery_id, ticket_id))
