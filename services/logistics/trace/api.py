"""Trails over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.http import View, query
from services.logistics.trace import queries

routes = Blueprint("trails", __name__)


class WhereaboutsView(View):
    """Where a piece is: in_warehouse, loading, in_transit or received."""

    state: str
    place: str | None
    since: datetime | None
    delivery_id: str | None


class StepView(View):
    """Something that happened to a piece: loading, departed or received."""

    at: datetime
    what: str
    delivery_id: str
    place: str | None


class TrailView(View):
    """Where a piece is and has been; ``events`` are EPCIS 2.0 events, newest first, as far as they are about it."""

    piece_id: str
    number: str
    epc: str | None
    warehouse_id: str
    whereabouts: WhereaboutsView
    steps: list[StepView]
    events: list[dict[str, Any]]

    @classmethod
    def of(cls, trail: queries.Trail) -> TrailView:
        here = trail.whereabouts
        return cls(
            piece_id=trail.piece.id,
            number=trail.piece.number,
            epc=trail.piece.epc,
            warehouse_id=trail.piece.warehouse_id,
            whereabouts=WhereaboutsView(
                state=here.state, place=here.place, since=here.since, delivery_id=here.delivery_id
            ),
            steps=[
                StepView(at=one.at, what=one.what, delivery_id=one.delivery_id, place=one.place) for one in trail.steps
            ],
            events=trail.events,
        )


@routes.get("/v1/trails/<piece_id>")
@query()
def show_trail(session: Session, caller: Caller, piece_id: str) -> TrailView:
    """Where a piece is and where it has been, for its owner, its warehouse and the parties of a deal over it."""
    return TrailView.of(queries.find_trail(session, caller, piece_id))
