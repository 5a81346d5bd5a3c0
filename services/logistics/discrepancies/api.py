"""Discrepancies over HTTP."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Paging, View, command, query
from chassis.values import Identifier, ShortText
from services.logistics.discrepancies import commands, queries
from services.logistics.discrepancies.model import State

routes = Blueprint("discrepancies", __name__)


class CloseDiscrepancy(Body):
    """What it was."""

    reason: ShortText


class ListDiscrepancies(Paging):
    """Which discrepancies to list."""

    delivery_id: Identifier | None = None
    state: State | None = None


class DiscrepancyView(View):
    """Something that did not fit at the gate: not_read, wrong_truck or no_delivery.

    A piece of somebody else's is named to the warehouse alone. ``closed_by`` is the user who found out what it was.
    """

    id: str
    kind: str
    piece_id: str | None
    passage_id: str | None
    delivery_id: str | None
    note_id: str | None
    at: datetime
    state: str
    closed_at: datetime | None
    closed_by: str | None
    reason: str | None

    @classmethod
    def of(cls, caller: Caller, details: queries.Details) -> DiscrepancyView:
        one, may_name = details.discrepancy, details.names_piece_to(caller)
        return cls(
            id=one.id,
            kind=one.kind,
            piece_id=one.piece_id if may_name else None,
            passage_id=one.passage_id,
            delivery_id=one.delivery_id,
            note_id=one.note_id if may_name else None,
            at=one.at,
            state=one.state,
            closed_at=one.closed_at,
            closed_by=one.closed_by,
            reason=one.reason,
        )


@routes.get("/v1/discrepancies")
@query()
def list_discrepancies(session: Session, caller: Caller, params: ListDiscrepancies) -> Page[DiscrepancyView]:
    """What did not fit at the gates of the caller's warehouse or with its deliveries, newest first."""
    found = queries.list_discrepancies(
        session,
        caller,
        delivery_id=params.delivery_id,
        state=params.state,
        cursor=params.cursor,
        limit=params.limit,
    )
    return found.map(lambda details: DiscrepancyView.of(caller, details))


@routes.get("/v1/discrepancies/<discrepancy_id>")
@query()
def show_discrepancy(session: Session, caller: Caller, discrepancy_id: str) -> DiscrepancyView:
    """One discrepancy."""
    return DiscrepancyView.of(caller, queries.see_discrepancy(session, discrepancy_id, caller))


@routes.post("/v1/discrepancies/<discrepancy_id>/close")
@command(role="warehouse")
def close_discrepancy(session: Session, caller: Caller, discrepancy_id: str, body: CloseDiscrepancy) -> DiscrepancyView:
    """Say what a discrepancy was; it stays on its delivery, closed."""
    closed = commands.close_discrepancy(session, caller, discrepancy_id, body.reason)
    return DiscrepancyView.of(caller, queries.add_details(session, [closed])[0])
