"""Milestones of deliveries over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.http import Body, Instant, View, command, query
from services.logistics.milestones import commands, queries
from services.logistics.milestones.eta import Eta
from services.logistics.milestones.timeline import Entry, Timeline

routes = Blueprint("milestones", __name__)

ContainerNumber = Annotated[str, Meta(min_length=11, max_length=16, pattern=r"^[A-Za-z0-9 /\-]+(?![\s\S])")]


class PlanDelivery(Body):
    """When a delivery is to leave and to arrive, and the freight containers (ISO 6346) that it travels in."""

    departs_at: Instant | None = None
    arrives_at: Instant | None = None
    containers: Annotated[list[ContainerNumber], Meta(max_length=20)] = []


class MilestoneView(View):
    """Something that is planned or estimated to happen to a delivery, or has happened: first ``at``, last ``until``.

    ``dcsa_code`` is the DCSA's equipment event type where it is about a container. ``told_by`` are the companies whose word it
    is, ``event_ids`` their EPCIS events. ``detail`` says what kind of discrepancy, or what an estimate rests on.
    """

    code: str
    classifier: str
    at: datetime
    until: datetime
    place: str | None
    container: str | None
    dcsa_code: str | None
    piece_ids: list[str]
    event_ids: list[str]
    told_by: list[str]
    detail: str | None
    discrepancy_id: str | None

    @classmethod
    def of(cls, entry: Entry) -> MilestoneView:
        one = entry.milestone
        return cls(
            code=one.code,
            classifier=entry.classifier,
            at=one.at,
            until=one.until,
            place=one.place,
            container=one.container,
            dcsa_code=one.dcsa_code,
            piece_ids=list(one.piece_ids),
            event_ids=list(one.event_ids),
            told_by=list(one.told_by),
            detail=one.detail,
            discrepancy_id=entry.ref or None,
        )


class EtaView(View):
    """When a delivery will arrive, and what says so.

    ``basis`` is plan, plan_moved (by how much it left too late or early) or lane: the median ``typical_s`` of ``samples`` earlier
    deliveries between the same companies by the same gate, since the departure. It is overdue when its time is over, or that of the
    planned departure that it rests on.
    """

    at: datetime
    basis: str
    samples: int
    typical_s: int | None
    is_overdue: bool

    @classmethod
    def of(cls, eta: Eta) -> EtaView:
        typical_s = None if eta.typical is None else round(eta.typical.total_seconds())
        return cls(
            at=eta.at,
            basis=eta.basis,
            samples=eta.samples,
            typical_s=typical_s,
            is_overdue=eta.is_overdue(clock.now()),
        )


class TimelineView(View):
    """What is planned, estimated and has happened, in order of time; ``eta`` as long as it has not arrived and anything says so."""

    delivery_id: str
    deal_id: str
    state: str
    milestones: list[MilestoneView]
    eta: EtaView | None

    @classmethod
    def of(cls, timeline: Timeline) -> TimelineView:
        return cls(
            delivery_id=timeline.delivery.id,
            deal_id=timeline.delivery.deal_id,
            state=timeline.delivery.state,
            milestones=[MilestoneView.of(entry) for entry in timeline.entries],
            eta=EtaView.of(timeline.eta) if timeline.eta else None,
        )


@routes.get("/v1/deliveries/<delivery_id>/milestones")
@query()
def show_milestones(session: Session, caller: Caller, delivery_id: str) -> TimelineView:
    """What happened to a delivery and will, from the EPCIS events of whoever captured them."""
    return TimelineView.of(queries.see_timeline(session, delivery_id, caller))


@routes.post("/v1/deliveries/<delivery_id>/plan")
@command(role=("warehouse", "seller", "purchaser"))
def plan_delivery(session: Session, caller: Caller, delivery_id: str, body: PlanDelivery) -> TimelineView:
    """Say when a delivery is to leave and to arrive, and in which containers; what was said before is replaced."""
    planned = commands.plan_delivery(
        session,
        caller,
        delivery_id,
        departs_at=body.departs_at,
        arrives_at=body.arrives_at,
        containers=body.containers,
    )
    return TimelineView.of(queries.timeline_of(session, planned))
