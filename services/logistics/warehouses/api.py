"""Gates over HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Paging, View, command, query
from chassis.values import ShortText
from services.logistics.warehouses import commands, queries
from services.logistics.warehouses.model import Gate

routes = Blueprint("gates", __name__)


class RegisterGate(Body):
    """A gate with a name and the place that trail and delivery show.

    A passage closes after ``closing_ms`` without a read and lasts ``longest_s`` at most; a tag with fewer than
    ``ghost_reads`` reads, none above ``ghost_rssi_dbm``, is left out; reads whose time is more than ``clock_skew_s``
    off get the platform's time.
    """

    name: ShortText
    place: ShortText
    closing_ms: Annotated[int, Meta(ge=100, le=60_000)] = 2_000
    longest_s: Annotated[int, Meta(ge=1, le=600)] = 120
    ghost_reads: Annotated[int, Meta(ge=0, le=1_000)] = 3
    ghost_rssi_dbm: Annotated[int, Meta(ge=-120, le=0)] = -65
    clock_skew_s: Annotated[int, Meta(ge=0, le=604_800)] = 86_400


class GateView(View):
    """A gate and its rules."""

    id: str
    party_id: str
    name: str
    place: str
    closing_ms: int
    longest_s: int
    ghost_reads: int
    ghost_rssi_dbm: int
    clock_skew_s: int
    created_at: datetime

    @classmethod
    def of(cls, gate: Gate) -> GateView:
        return cls(
            id=gate.id,
            party_id=gate.party_id,
            name=gate.name,
            place=gate.place,
            closing_ms=gate.closing // timedelta(milliseconds=1),
            longest_s=gate.longest // timedelta(seconds=1),
            ghost_reads=gate.ghost_reads,
            ghost_rssi_dbm=gate.ghost_rssi_dbm,
            clock_skew_s=gate.clock_skew // timedelta(seconds=1),
            created_at=gate.created_at,
        )


@routes.post("/v1/gates")
@command(role="warehouse", status=201)
def register_gate(session: Session, caller: Caller, body: RegisterGate) -> GateView:
    """Register a gate of the caller's warehouse.

    Its reader needs an API key made with ``device`` set to the gate's id.
    """
    gate = commands.register_gate(
        session,
        caller,
        name=body.name,
        place=body.place,
        closing=timedelta(milliseconds=body.closing_ms),
        longest=timedelta(seconds=body.longest_s),
        ghost_reads=body.ghost_reads,
        ghost_rssi_dbm=body.ghost_rssi_dbm,
        clock_skew=timedelta(seconds=body.clock_skew_s),
    )
    return GateView.of(gate)


@routes.get("/v1/gates")
@query()
def list_gates(session: Session, caller: Caller, params: Paging) -> Page[GateView]:
    """The gates of the caller's company, newest first."""
    return queries.list_gates(session, caller, params.cursor, params.limit).map(GateView.of)


@routes.get("/v1/gates/<gate_id>")
@query()
def show_gate(session: Session, caller: Caller, gate_id: str) -> GateView:
    """One gate."""
    return GateView.of(queries.see_gate(session, gate_id, caller))
