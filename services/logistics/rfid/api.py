"""Reads and passages over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Instant, Paging, Published, View, query, stream
from chassis.messages import wrap
from chassis.values import Identifier
from events.logistics import TagRead, TagsRead
from services.logistics.discrepancies.model import Discrepancy
from services.logistics.rfid import queries
from services.logistics.rfid.model import Sighting
from services.logistics.warehouses import queries as gates

routes = Blueprint("passages", __name__)

Epc = Annotated[str, Meta(pattern=r"^[0-9A-Fa-f]{24}(?![\s\S])")]
Sequence = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class ReadTag(Body):
    """One sight of one tag: 24 hex digits of a 96-bit EPC, the antenna, the signal in dBm and the reader's time."""

    sequence: Sequence
    epc: Epc
    antenna: Annotated[int, Meta(ge=0, le=65_535)]
    rssi_dbm: Annotated[float, Meta(ge=-200, le=100)]
    at: Instant


class PostReads(Body):
    """A batch of reads. A read is known by ``boot`` and ``sequence``: sent again it counts once.

    A reader that begins to count anew after a restart says so by another ``boot``.
    """

    reads: Annotated[list[ReadTag], Meta(min_length=1, max_length=1_000)]
    boot: Identifier = "0"


class AcceptedView(View):
    """How many reads were accepted."""

    accepted: int


class SightingView(View):
    """A tag in a passage, with its Digital Link and the piece that wore it, where known."""

    epc: str
    link: str | None
    piece_id: str | None
    delivery_id: str | None
    reads: int
    rssi_dbm: float
    antennas: list[int]
    first_seen: datetime
    last_seen: datetime
    is_ghost: bool

    @classmethod
    def of(cls, sighting: Sighting) -> SightingView:
        return cls(**{name: getattr(sighting, name) for name in cls.__struct_fields__})


class OddPieceView(View):
    """A piece that did not fit: not_read, wrong_truck or no_delivery."""

    kind: str
    piece_id: str
    delivery_id: str | None

    @classmethod
    def of(cls, discrepancy: Discrepancy) -> OddPieceView:
        return cls(kind=discrepancy.kind, piece_id=discrepancy.piece_id, delivery_id=discrepancy.delivery_id)


class PassageView(View):
    """What went through a gate. A party to a delivery sees its own goods only."""

    id: str
    gate_id: str
    state: str
    opened_at: datetime
    first_seen: datetime | None
    last_seen: datetime | None
    reads: int
    delivery_ids: list[str]
    sightings: list[SightingView]
    discrepancies: list[OddPieceView]
    epcis_event_id: str | None

    @classmethod
    def of(cls, details: queries.Details) -> PassageView:
        passage = details.passage
        return cls(
            id=passage.id,
            gate_id=passage.gate_id,
            state=passage.state,
            opened_at=passage.opened_at,
            first_seen=passage.first_seen,
            last_seen=passage.last_seen,
            reads=passage.reads,
            delivery_ids=details.delivery_ids,
            sightings=[SightingView.of(sighting) for sighting in details.sightings],
            discrepancies=[OddPieceView.of(discrepancy) for discrepancy in details.discrepancies],
            epcis_event_id=passage.epcis_event_id,
        )


class ListPassages(Paging):
    """Which passages to list."""

    gate_id: Identifier | None = None
    delivery_id: Identifier | None = None


@routes.post("/v1/gates/<gate_id>/reads")
@stream(role="warehouse", status=202)
def post_reads(session: Session, caller: Caller, gate_id: str, body: PostReads) -> Published[AcceptedView]:
    """Hand in what a gate's reader has seen, with the API key of that gate.

    Accepted means kept; it is worked off at once.
    """
    gates.see_device_gate(session, gate_id, caller)
    reads = [
        TagRead(sequence=read.sequence, epc=read.epc.upper(), antenna=read.antenna, rssi_dbm=read.rssi_dbm, at=read.at)
        for read in body.reads
    ]
    batch = TagsRead(gate_id=gate_id, boot=body.boot, received_at=clock.now(), reads=reads)
    return Published(AcceptedView(accepted=len(reads)), [wrap(batch, "logistics")])


@routes.get("/v1/passages")
@query()
def list_passages(session: Session, caller: Caller, params: ListPassages) -> Page[PassageView]:
    """What went through the gates of the caller's warehouse or carried its goods, newest first."""
    found = queries.list_passages(
        session,
        caller,
        gate_id=params.gate_id,
        delivery_id=params.delivery_id,
        cursor=params.cursor,
        limit=params.limit,
    )
    return found.map(PassageView.of)


@routes.get("/v1/passages/<passage_id>")
@query()
def show_passage(session: Session, caller: Caller, passage_id: str) -> PassageView:
    """One passage."""
    return PassageView.of(queries.see_passage(session, passage_id, caller))
