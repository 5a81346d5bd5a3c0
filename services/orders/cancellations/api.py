"""Cancellations over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Paging, View, command, query
from chassis.values import Identifier, LongText, Quantity
from events.orders import Side
from services.orders.cancellations import commands, queries
from services.orders.cancellations.commands import CancelReason
from services.orders.cancellations.model import Cancellation, State

routes = Blueprint("cancellations", __name__)


class ProposeCancellation(Body):
    """Pieces of the deal or a quantity of it, why, and a note for the other side."""

    reason: CancelReason
    piece_ids: Annotated[list[Identifier], Meta(min_length=1, max_length=200)] | None = None
    quantity: Quantity | None = None
    note: LongText | None = None


class CancellationView(View):
    """A cancellation: ``due_at`` is until when a proposal can be answered."""

    id: str
    deal_id: str
    state: State
    due_at: datetime | None
    proposed_by: Side
    piece_ids: list[str]
    quantity: Quantity
    reason: CancelReason
    note: str | None
    proposed_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, cancellation: Cancellation) -> CancellationView:
        return cls(**{name: getattr(cancellation, name) for name in cls.__struct_fields__})


@routes.post("/v1/deals/<deal_id>/cancellations")
@command(role="signatory", status=201)
def propose(session: Session, caller: Caller, deal_id: str, body: ProposeCancellation) -> CancellationView:
    """Propose to the other side to cancel a paid part that is on no truck, or all that is unpaid: nobody forfeits anything."""
    proposed = commands.propose(
        session,
        caller,
        deal_id,
        piece_ids=body.piece_ids,
        quantity=body.quantity,
        reason=body.reason,
        note=body.note,
    )
    return CancellationView.of(proposed)


@routes.get("/v1/deals/<deal_id>/cancellations")
@query()
def list_cancellations(session: Session, caller: Caller, deal_id: str, params: Paging) -> Page[CancellationView]:
    """What was proposed to be cancelled of a deal, newest first."""
    found = queries.list_cancellations(session, caller, deal_id, cursor=params.cursor, limit=params.limit)
    return found.map(CancellationView.of)


@routes.post("/v1/deals/<deal_id>/cancellations/<cancellation_id>/agree")
@command(role="signatory")
def agree(session: Session, caller: Caller, deal_id: str, cancellation_id: str) -> CancellationView:
    """Agree to a cancellation that the other side proposed; it stands unless some of the part is on a truck by now."""
    return CancellationView.of(commands.agree(session, caller, cancellation_id, deal_id))


@routes.post("/v1/deals/<deal_id>/cancellations/<cancellation_id>/decline")
@command(role="signatory")
def decline(session: Session, caller: Caller, deal_id: str, cancellation_id: str) -> CancellationView:
    """Decline a cancellation that the other side proposed."""
    return CancellationView.of(commands.decline(session, caller, cancellation_id, deal_id))


@routes.post("/v1/deals/<deal_id>/cancellations/<cancellation_id>/withdraw")
@command(role="signatory")
def withdraw(session: Session, caller: Caller, deal_id: str, cancellation_id: str) -> CancellationView:
    """Withdraw a cancellation that your company proposed."""
    return CancellationView.of(commands.withdraw(session, caller, cancellation_id, deal_id))
