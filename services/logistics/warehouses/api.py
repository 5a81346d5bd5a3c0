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
from services.logistics.warehouses.model import Gate, GateRulesVersion
from services.logistics.warehouses.rules import GateRules

routes = Blueprint("gates", __name__)


class NameGate(Body):
    """What a gate is called, and the place that trail and delivery show."""

    name: ShortText
    place: ShortText


class RegisterGate(NameGate):
    """A gate with a name and the place that trail and delivery show.

    A passage closes after ``closing_ms`` without a read and lasts ``longest_s`` at most; ``ghost_reads`` reads and one of
    ``ghost_rssi_dbm`` speak for a tag; reads whose time is more than ``clock_skew_s`` off are kept and make nothing. These
    are the first version of its rules, which say more.
    """

    closing_ms: Annotated[int, Meta(ge=100, le=60_000)] = 2_000
    longest_s: Annotated[int, Meta(ge=1, le=600)] = 120
    ghost_reads: Annotated[int, Meta(ge=0, le=1_000)] = 3
    ghost_rssi_dbm: Annotated[int, Meta(ge=-120, le=0)] = -60
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
    rules = GateRules(
        closing_ms=body.closing_ms,
        longest_s=body.longest_s,
        ghost_reads=body.ghost_reads,
        ghost_rssi_dbm=body.ghost_rssi_dbm,
        clock_skew_s=body.clock_skew_s,
    )
    gate = commands.register_gate(session, caller, name=body.name, place=body.place, rules=rules)
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


@routes.put("/v1/gates/<gate_id>")
@command(role="warehouse", idempotent=False)
def rename_gate(session: Session, caller: Caller, gate_id: str, body: NameGate) -> GateView:
    """Give a gate another name and place. Its rules stay."""
    return GateView.of(commands.rename_gate(session, caller, gate_id, name=body.name, place=body.place))


class ChangeRules(Body):
    """The rules of a gate, whole."""

    rules: GateRules


class RulesView(View):
    """A version of a gate's rules; ``made_by`` is the user who made it."""

    gate_id: str
    version: int
    rules: GateRules
    made_at: datetime
    made_by: str | None

    @classmethod
    def of(cls, found: GateRulesVersion) -> RulesView:
        return cls(
            gate_id=found.gate_id,
            version=found.version,
            rules=found.read(),
            made_at=found.made_at,
            made_by=found.made_by,
        )


class VersionsView(View):
    """The versions of a gate's rules, newest first."""

    items: list[RulesView]


@routes.get("/v1/gates/<gate_id>/rules")
@query()
def show_rules(session: Session, caller: Caller, gate_id: str) -> RulesView:
    """The rules of a gate that are in force."""
    return RulesView.of(queries.see_rules(session, gate_id, caller))


@routes.get("/v1/gates/<gate_id>/rules/versions")
@query()
def list_rules(session: Session, caller: Caller, gate_id: str) -> VersionsView:
    """Every version of a gate's rules, newest first."""
    return VersionsView(items=[RulesView.of(found) for found in queries.list_rules(session, gate_id, caller)])


@routes.put("/v1/gates/<gate_id>/rules")
@command(role="warehouse", idempotent=False)
def change_rules(session: Session, caller: Caller, gate_id: str, body: ChangeRules) -> RulesView:
    """Change the rules of a gate from now on. What is left out is as for a new gate.

    What passed before stays judged by the rules of its time. The same rules again are no new version.
    """
    return RulesView.of(commands.change_rules(session, caller, gate_id, body.rules))
