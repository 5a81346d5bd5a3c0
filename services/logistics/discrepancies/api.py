"""Discrepancies over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Paging, View, command, query
from chassis.values import Identifier, ShortText
from services.logistics.discrepancies import commands, queries
from services.logistics.discrepancies.kinds import Kind, Result
from services.logistics.discrepancies.model import State

routes = Blueprint("discrepancies", __name__)


class CloseDiscrepancy(Body):
    """What it was: one of the ``results`` of the discrepancy, and why. ``piece_ids`` where it names no piece itself."""

    result: Result
    reason: ShortText
    piece_ids: Annotated[list[Identifier], Meta(max_length=500)] = []


class AssignDiscrepancy(Body):
    """Who looks into it: a user of the warehouse, or whoever has a role there; without either, anybody of the warehouse."""

    user_id: Identifier | None = None
    role: Literal["purchaser", "seller", "signatory", "finance", "warehouse", "admin"] | None = None


class ListDiscrepancies(Paging):
    """Which discrepancies to list; ``owner_id`` is the user whom they were given to."""

    delivery_id: Identifier | None = None
    state: State | None = None
    kind: Kind | None = None
    owner_id: Identifier | None = None
    gate_id: Identifier | None = None
    stock_take_id: Identifier | None = None


class DiscrepancyView(View):
    """Something that did not fit at a gate or in a stock-take: a task of the warehouse.

    ``results`` are those that it may be closed with. What is somebody else's, and who looks into it, is named to the warehouse
    alone. ``epcis_event_id`` is what was captured of it, ``closing_event_ids`` what its result was recorded as.
    """

    id: str
    kind: str
    piece_id: str | None
    epc: str | None
    parent: str | None
    other_parent: str | None
    detail: str | None
    gate_id: str | None
    zone_id: str | None
    stock_take_id: str | None
    epcis_event_id: str | None
    owner_id: str | None
    owner_role: str | None
    assigned_at: datetime | None
    assigned_by: str | None
    results: list[str]
    result: str | None
    closing_event_ids: list[str]
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
        one, may_name, is_ours = details.discrepancy, details.names_piece_to(caller), details.is_ours(caller)
        return cls(
            id=one.id,
            kind=one.kind,
            piece_id=one.piece_id if may_name else None,
            epc=one.epc if may_name else None,
            parent=one.parent if is_ours else None,
            other_parent=one.other_parent if is_ours else None,
            detail=one.detail if is_ours else None,
            gate_id=one.gate_id,
            zone_id=one.zone_id,
            stock_take_id=one.stock_take_id,
            epcis_event_id=one.epcis_event_id if is_ours else None,
            owner_id=one.owner_id if is_ours else None,
            owner_role=one.owner_role if is_ours else None,
            assigned_at=one.assigned_at,
            assigned_by=one.assigned_by if is_ours else None,
            results=one.results,
            result=one.result,
            closing_event_ids=one.closing_event_ids if is_ours else [],
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
        kind=params.kind,
        owner_id=params.owner_id,
        gate_id=params.gate_id,
        stock_take_id=params.stock_take_id,
        cursor=params.cursor,
        limit=params.limit,
    )
    return found.map(lambda details: DiscrepancyView.of(caller, details))


@routes.get("/v1/discrepancies/<discrepancy_id>")
@query()
def show_discrepancy(session: Session, caller: Caller, discrepancy_id: str) -> DiscrepancyView:
    """One discrepancy."""
    return DiscrepancyView.of(caller, queries.see_discrepancy(session, discrepancy_id, caller))


@routes.post("/v1/discrepancies/<discrepancy_id>/assign")
@command(role="warehouse")
def assign_discrepancy(
    session: Session, caller: Caller, discrepancy_id: str, body: AssignDiscrepancy
) -> DiscrepancyView:
    """Give a discrepancy to a user of the warehouse, or to whoever has a role there."""
    assigned = commands.assign_discrepancy(session, caller, discrepancy_id, user_id=body.user_id, role=body.role)
    return DiscrepancyView.of(caller, queries.add_details(session, [assigned])[0])


@routes.post("/v1/discrepancies/<discrepancy_id>/close")
@command(role="warehouse")
def close_discrepancy(session: Session, caller: Caller, discrepancy_id: str, body: CloseDiscrepancy) -> DiscrepancyView:
    """Say what a discrepancy was: the EPCIS event or correction that follows is captured. It stays on its delivery, closed."""
    closed = commands.close_discrepancy(
        session, caller, discrepancy_id, result=body.result, reason=body.reason, piece_ids=body.piece_ids
    )
    return DiscrepancyView.of(caller, queries.add_details(session, [closed])[0])
