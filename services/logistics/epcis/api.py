"""The capture interface of EPCIS 2.0 over HTTP, and the repository's front door."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from flask import Blueprint
from msgspec import Meta
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.http import Headers, Params, Reply, View, command, query
from services.logistics.epcis import capturing, jobs, read_json, read_xml, write_json
from services.logistics.epcis.contexts import STANDARD
from services.logistics.epcis.dialect import (
    EPCIS,
    OLD_XML,
    PREFIX,
    XML,
    choose_media_type,
    quote_id,
    read_format,
    write_created,
    write_events,
    write_view,
)
from services.logistics.epcis.exceptions import ValidationException
from services.logistics.epcis.fields import Document
from services.logistics.epcis.kept import show_kept
from services.logistics.epcis.limits import MOST_BYTES
from services.logistics.epcis.model import EpcisCapture
from services.logistics.epcis.object_event import write_time

routes = Blueprint("epcis", __name__, url_prefix=PREFIX)
routes.dialect = EPCIS  # type: ignore[attr-defined]

CAPTURERS = ("warehouse", "seller", "purchaser")
RESOURCES = [
    "events",
    "eventTypes",
    "epcs",
    "bizSteps",
    "bizLocations",
    "readPoints",
    "dispositions",
    "capture",
    "queries",
]
TOKEN_LIFE = timedelta(days=1)


class JobPaging(Params):
    """The page of a list of capture jobs."""

    perPage: Annotated[int, Meta(ge=1, le=100)] = 30  # noqa: N815
    nextPageToken: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_\-]{1,200}(?![\s\S])")] | None = None  # noqa: N815


class JobView(
    View,
    rename={
        "capture_id": "captureID",
        "created_at": "createdAt",
        "finished_at": "finishedAt",
        "capture_error_behaviour": "captureErrorBehaviour",
    },
):
    """A capture job, as the standard shapes it."""

    capture_id: str
    created_at: datetime
    finished_at: datetime
    running: bool
    success: bool
    capture_error_behaviour: str
    errors: list[dict[str, Any]]

    @classmethod
    def of(cls, job: EpcisCapture) -> JobView:
        """The view of a job, which is done as soon as it is there."""
        return cls(
            capture_id=job.id,
            created_at=job.created_at,
            finished_at=job.finished_at,
            running=False,
            success=job.success,
            capture_error_behaviour=job.behaviour,
            errors=job.errors,
        )


@routes.get("/", strict_slashes=False)
@query(shared=True)
def discover(headers: Headers) -> Reply:
    """What there is in the repository."""
    return write_view(headers, {"@context": STANDARD, "type": "Collection", "member": RESOURCES})


@routes.post("/capture")
@command(role=CAPTURERS, idempotent=False, status=202, max_bytes=MOST_BYTES)
def capture(session: Session, caller: Caller, headers: Headers, body: bytes) -> Reply:
    """Take in an EPCISDocument or EPCISQueryDocument; the Location is the job that says what became of it."""
    job = capturing.capture_document(session, caller, _read_document(headers, body), _read_behaviour(headers))
    return write_created(f"capture/{job.id}", status=202)


@routes.get("/capture")
@query()
def list_captures(session: Session, caller: Caller, headers: Headers, params: JobPaging) -> Reply:
    """The capture jobs of the caller's company, newest first."""
    page = jobs.list_captures(session, caller, params.nextPageToken, params.perPage)
    extra = []
    if page.next:
        link = f'<{PREFIX}/capture?perPage={params.perPage}&nextPageToken={page.next}>; rel="next"'
        extra = [("Link", link), ("GS1-Next-Page-Token-Expires", write_time(clock.now() + TOKEN_LIFE))]
    return write_view(headers, page.map(JobView.of).items, name="captureJobs", extra=extra)


@routes.get("/capture/<capture_id>")
@query()
def show_capture(session: Session, caller: Caller, headers: Headers, capture_id: str) -> Reply:
    """A capture job: what became of a document."""
    return write_view(headers, JobView.of(jobs.show_capture(session, caller, capture_id)), name="captureJob")


@routes.post("/events")
@command(role=CAPTURERS, idempotent=False, status=201, max_bytes=MOST_BYTES)
def capture_event(session: Session, caller: Caller, headers: Headers, body: bytes) -> Reply:
    """Take in one event; the Location is the event's own."""
    event, captured = capturing.capture_one(session, caller, _read_document(headers, body))
    created = write_created(f"events/{quote_id(captured.event_id)}")
    media_type = choose_media_type(headers)
    if media_type in (XML, OLD_XML):
        return created
    told = write_json.write_event(event) | {"eventID": captured.event_id}
    shown = write_view(headers, told)
    return Reply(created.status, [*shown.headers, *created.headers], shown.body)


@routes.get("/events/<path:event_id>")
@query()
def show_event(session: Session, caller: Caller, headers: Headers, event_id: str) -> Reply:
    """What is kept under an eventID: the event, and the declaration that it was an error where there is one."""
    format = read_format(headers)
    rows = jobs.events_of_id(session, caller, event_id)
    return write_events(headers, show_kept(session, rows, format))


def _read_document(headers: Headers, body: bytes) -> Document:
    media_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    syntax = read_xml if media_type in (XML, OLD_XML) else read_json
    return capturing.read_body(body, syntax.read_document)


def _read_behaviour(headers: Headers) -> capturing.Behaviour:
    match headers.get("GS1-Capture-Error-Behaviour", "rollback").strip():
        case "rollback":
            return "rollback"
        case "proceed":
            return "proceed"
        case _:
            raise ValidationException("GS1-Capture-Error-Behaviour is rollback or proceed")
