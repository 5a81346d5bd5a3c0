"""Reads and passages over HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import Page
from chassis.http import File, Instant, Paging, Params, Published, View, command, query, stream
from chassis.values import Identifier
from services.logistics.discrepancies.model import Discrepancy
from services.logistics.rfid import queries, trying
from services.logistics.rfid.model import Sighting, State
from services.logistics.rfid.passing import Meant
from services.logistics.rfid.readers import queries as readers
from services.logistics.rfid.readers.bodies import PostReads
from services.logistics.rfid.readers.posting import tell_posted
from services.logistics.rfid.readers.web import clocks_of_app
from services.logistics.rfid.recordings import MOST_BYTES
from services.logistics.rfid.stages.passages import Observation
from services.logistics.rfid.stretches import from_us
from services.logistics.rfid.trying import Trial

routes = Blueprint("passages", __name__)
RECORDING = "application/x-ndjson"


class AcceptedView(View):
    """How many reads were accepted."""

    accepted: int


class SightingView(View):
    """A tag in a passage, with its Digital Link and the piece that wore it, where known.

    ``direction`` is in, out or unknown, and ``by`` what says so; ``contradicts``: it goes where it already was said to be;
    ``lost_to`` is the neighbouring gate that it passed instead.
    """

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
    direction: str | None
    by: str | None
    contradicts: bool
    lost_to: str | None

    @classmethod
    def of(cls, sighting: Sighting) -> SightingView:
        return cls(**{name: getattr(sighting, name) for name in cls.__struct_fields__})


class OddPieceView(View):
    """A piece that did not fit: not_read, wrong_truck or no_delivery."""

    kind: str
    piece_id: str | None
    delivery_id: str | None

    @classmethod
    def of(cls, discrepancy: Discrepancy) -> OddPieceView:
        return cls(kind=discrepancy.kind, piece_id=discrepancy.piece_id, delivery_id=discrepancy.delivery_id)


class ReasonView(View):
    """Why a gate did not simply let something pass."""

    code: str
    text: str
    piece_id: str | None
    epc: str | None


class PassageView(View):
    """What went through a gate. A party to a delivery sees its own goods only, and no verdict.

    ``verdict`` is release, stop or check. Reads that come late may show that it was otherwise: then its state is
    ``taken_back``, and ``superseded_by`` stands for it with a higher ``version``. ``is_late``: its own reads came too late to
    be of a passage with others.
    """

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
    epcis_event_ids: list[str]
    version: int
    superseded_by: str | None
    taken_back_at: datetime | None
    is_late: bool
    rules_version: int | None
    verdict: str | None
    plate: str | None
    reasons: list[ReasonView]

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
            epcis_event_ids=passage.event_ids or [],
            version=passage.version,
            superseded_by=passage.superseded_by,
            taken_back_at=passage.taken_back_at,
            is_late=passage.is_late,
            rules_version=passage.rules_version,
            verdict=passage.verdict if details.is_ours else None,
            plate=passage.plate if details.is_ours else None,
            reasons=[ReasonView(**reason) for reason in passage.reasons] if details.is_ours else [],
        )


class ListPassages(Paging):
    """Which passages to list; those that were taken back only when that state is asked for."""

    gate_id: Identifier | None = None
    delivery_id: Identifier | None = None
    state: State | None = None


@routes.post("/v1/gates/<gate_id>/reads")
@stream(role="warehouse", status=202)
def post_reads(session: Session, caller: Caller, gate_id: str, body: PostReads) -> Published[AcceptedView]:
    """Hand in what a gate's reader has seen, with the API key of that gate, or of a reader that is registered there.

    Accepted means kept; it is worked off at once.
    """
    reader = readers.see_speaker(session, caller, gate_id, body.reader_id)
    told = tell_posted(session, gate_id, reader and reader.id, body, now=clock.now(), clocks=clocks_of_app())
    return Published(AcceptedView(accepted=len(body.reads)), told)


class AskReads(Params):
    """From when until when: the last hour, if nothing is said."""

    since: Instant | None = None
    until: Instant | None = None


@routes.get("/v1/gates/<gate_id>/reads")
@query(gives=(RECORDING,))
def record_reads(session: Session, caller: Caller, gate_id: str, params: AskReads) -> File:
    """What a gate's readers read, as a recorded read file on which rules may be tried out.

    Reads are kept for 30 days, and at most 50,000 are given at a time.
    """
    since, until = params.since or clock.now() - timedelta(hours=1), params.until or clock.now()
    return File(
        RECORDING, f"{gate_id}.ndjson", queries.record_reads(session, caller, gate_id, since=since, until=until)
    )


@routes.get("/v1/passages")
@query()
def list_passages(session: Session, caller: Caller, params: ListPassages) -> Page[PassageView]:
    """What went through the gates of the caller's warehouse or carried its goods, newest first."""
    found = queries.list_passages(
        session,
        caller,
        gate_id=params.gate_id,
        delivery_id=params.delivery_id,
        state=params.state,
        cursor=params.cursor,
        limit=params.limit,
    )
    return found.map(PassageView.of)


@routes.get("/v1/passages/<passage_id>")
@query()
def show_passage(session: Session, caller: Caller, passage_id: str) -> PassageView:
    """One passage."""
    return PassageView.of(queries.see_passage(session, passage_id, caller))


class TriedPassageView(View):
    """A passage as it would have been: its tags, the EPCIS events that it would make, and what the gate would say."""

    first_seen: datetime
    last_seen: datetime
    tags: list[TriedTagView]
    biz_steps: list[str]
    delivery_ids: list[str]
    verdict: str
    reasons: list[ReasonView]

    @classmethod
    def of(cls, meant: Meant) -> TriedPassageView:
        span = meant.found.span
        return cls(
            first_seen=from_us(span.first_us),
            last_seen=from_us(span.last_us),
            tags=[TriedTagView.of(one, meant) for one in meant.found.observations],
            biz_steps=[told.event.fields["bizStep"] for told in meant.told],
            delivery_ids=sorted(one.delivery_id for one in meant.passing.carried),
            verdict=meant.judgement.verdict,
            reasons=[
                ReasonView(code=one.code, text=one.text, piece_id=one.piece_id, epc=one.epc)
                for one in meant.judgement.reasons
            ],
        )


class TriedTagView(View):
    """A tag in such a passage."""

    epc: str
    link: str | None
    piece_id: str | None
    reads: int
    rssi_dbm: float
    direction: str
    by: str
    is_ghost: bool

    @classmethod
    def of(cls, seen: Observation, meant: Meant) -> TriedTagView:
        return cls(
            epc=seen.epc,
            link=meant.known.links.get(seen.epc),
            piece_id=meant.known.piece_of.get(seen.epc),
            reads=seen.reads,
            rssi_dbm=seen.rssi_dbm,
            direction=seen.direction,
            by=seen.by,
            is_ghost=seen.is_ghost,
        )


class TrialView(View):
    """What rules make of a recorded file: how many passages, the first 200 of them, and the tags that stand there.

    ``version`` is that of the rules in force, null for those that were tried.
    """

    version: int | None
    count: int
    passages: list[TriedPassageView]
    parked: list[str]

    @classmethod
    def of(cls, trial: Trial) -> TrialView:
        passages = [TriedPassageView.of(meant) for meant in trial.passages]
        return cls(version=trial.version, count=trial.count, passages=passages, parked=trial.parked)


class ComparisonView(View):
    """What a recorded file is by the rules in force, and by those that it brings, where it brings any."""

    before: TrialView
    after: TrialView | None


@routes.post("/v1/gates/<gate_id>/rules/try")
@command(role="warehouse", idempotent=False, accept=(RECORDING,), max_bytes=MOST_BYTES)
def try_rules(session: Session, caller: Caller, gate_id: str, body: bytes) -> ComparisonView:
    """Try rules out on a recorded read file; nothing is written.

    Each line is a read (``epc``, ``at``, ``antenna``, ``rssi_dbm``), an edge of the photo-eye (``is_high``, ``at``), or the
    rules to be tried (``rules``).
    """
    before, after = trying.try_rules(session, caller, gate_id, body)
    return ComparisonView(before=TrialView.of(before), after=after and TrialView.of(after))
