"""Zones, and the stays of tags in them, over HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Paging, View, command, query
from chassis.values import Identifier, ShortText
from services.logistics.zones import commands, queries
from services.logistics.zones.model import Antenna, State, Stay, Zone

routes = Blueprint("zones", __name__)


class ZoneAntenna(Body):
    """An antenna of the zone's gate; ``reader_id`` where the gate has registered readers."""

    antenna: Annotated[int, Meta(ge=0, le=65_535)]
    reader_id: Identifier | None = None


class ZoneSetting(Body):
    """What a zone is called, and the antennas of its gate that hear it.

    A tag has left when it was not read for ``lost_after_s``: a minute on a shelf, ten in a cold store.
    """

    name: ShortText
    antennas: Annotated[list[ZoneAntenna], Meta(max_length=256)] = []
    lost_after_s: Annotated[int, Meta(ge=2, le=1_209_600)] = 60

    @property
    def heard_by(self) -> list[Antenna]:
        """The antennas as the zone keeps them."""
        return [(one.reader_id or "", one.antenna) for one in self.antennas]

    @property
    def lost_after(self) -> timedelta:
        """After how long without a read a tag has left."""
        return timedelta(seconds=self.lost_after_s)


class RegisterZone(ZoneSetting):
    """A zone of the caller's warehouse: read by the antennas of a gate, or, without any, by handhelds only."""

    gate_id: Identifier | None = None


class ZoneAntennaView(View):
    """An antenna that hears a zone."""

    antenna: int
    reader_id: str | None


class ZoneView(View):
    """A zone; without a gate it is read by handhelds only."""

    id: str
    party_id: str
    name: str
    gate_id: str | None
    antennas: list[ZoneAntennaView]
    lost_after_s: int
    created_at: datetime

    @classmethod
    def of(cls, zone: Zone) -> ZoneView:
        return cls(
            id=zone.id,
            party_id=zone.party_id,
            name=zone.name,
            gate_id=zone.gate_id,
            antennas=[
                ZoneAntennaView(antenna=antenna, reader_id=reader_id or None)
                for reader_id, antenna in sorted(zone.heard_by)
            ],
            lost_after_s=zone.lost_after // timedelta(seconds=1),
            created_at=zone.created_at,
        )


class ListStays(Paging):
    """Which stays to list: of a zone or of a piece, those that go on (``present``) or are over (``left``)."""

    zone_id: Identifier | None = None
    piece_id: Identifier | None = None
    state: State | None = None


class StayView(View):
    """A tag in a zone, with the piece that wore it, where known; ``left_at`` once it is not there any more."""

    id: str
    zone_id: str
    epc: str
    link: str | None
    piece_id: str | None
    state: str
    entered_at: datetime
    last_seen: datetime
    left_at: datetime | None

    @classmethod
    def of(cls, stay: Stay) -> StayView:
        return cls(**{name: getattr(stay, name) for name in cls.__struct_fields__})


@routes.post("/v1/zones")
@command(role="warehouse", status=201)
def register_zone(session: Session, caller: Caller, body: RegisterZone) -> ZoneView:
    """Register a zone of the caller's warehouse."""
    zone = commands.register_zone(
        session,
        caller,
        name=body.name,
        gate_id=body.gate_id,
        antennas=body.heard_by,
        lost_after=body.lost_after,
    )
    return ZoneView.of(zone)


@routes.get("/v1/zones")
@query()
def list_zones(session: Session, caller: Caller, params: Paging) -> Page[ZoneView]:
    """The zones of the caller's warehouse, newest first."""
    return queries.list_zones(session, caller, cursor=params.cursor, limit=params.limit).map(ZoneView.of)


@routes.get("/v1/zones/<zone_id>")
@query()
def show_zone(session: Session, caller: Caller, zone_id: str) -> ZoneView:
    """One zone."""
    return ZoneView.of(queries.see_zone(session, zone_id, caller))


@routes.put("/v1/zones/<zone_id>")
@command(role="warehouse", idempotent=False)
def change_zone(session: Session, caller: Caller, zone_id: str, body: ZoneSetting) -> ZoneView:
    """Give a zone another setting, whole, from now on. Its gate stays; a tag that is not heard there any more leaves in time."""
    zone = commands.change_zone(
        session, caller, zone_id, name=body.name, antennas=body.heard_by, lost_after=body.lost_after
    )
    return ZoneView.of(zone)


@routes.get("/v1/stays")
@query()
def list_stays(session: Session, caller: Caller, params: ListStays) -> Page[StayView]:
    """What is and was in the zones of the caller's warehouse, newest first."""
    found = queries.list_stays(
        session,
        caller,
        zone_id=params.zone_id,
        piece_id=params.piece_id,
        state=params.state,
        cursor=params.cursor,
        limit=params.limit,
    )
    return found.map(StayView.of)


@routes.get("/v1/stays/<stay_id>")
@query()
def show_stay(session: Session, caller: Caller, stay_id: str) -> StayView:
    """One stay."""
    return StayView.of(queries.see_stay(session, stay_id, caller))
