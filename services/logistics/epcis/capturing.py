"""Takes documents in: read, checked, hashed and kept in the transaction of the request, together with the job that says so.

There is no queue: the answer 202 means that the job is done, and a process that dies leaves either all of a document or nothing
of it. What a document says wrong is refused at once; what the repository already holds otherwise is told by the job.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Literal

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from services.logistics.epcis import storing
from services.logistics.epcis.checks import check_envelope, check_placed, refusals, write_path
from services.logistics.epcis.commands import Captured, capture_prepared
from services.logistics.epcis.exceptions import (
    MOST_ERRORS,
    CaptureLimitExceededException,
    ResourceAlreadyExistsException,
    ValidationException,
    refuse_findings,
    refuse_unreadable,
)
from services.logistics.epcis.fields import Document, Event
from services.logistics.epcis.findings import Finding, NotReadable
from services.logistics.epcis.identifiers import canonical
from services.logistics.epcis.limits import JOBS_KEPT, MOST_MASTER
from services.logistics.epcis.model import EpcisCapture, EpcisMaster
from services.logistics.epcis.preparing import MOST_NAME_BYTES, Prepared, check_storable, prepare_event

Behaviour = Literal["rollback", "proceed"]
_MOST_OF_EVENT = 10
_MOST_FORGOTTEN = 10


def read_body(body: bytes, read_document: Callable[[bytes], Document]) -> Document:
    """The document of a request. Raises ValidationException or CaptureLimitExceededException."""
    try:
        return read_document(body)
    except NotReadable as error:
        raise refuse_unreadable(error) from None


def capture_document(session: Session, caller: Caller, document: Document, behaviour: Behaviour) -> EpcisCapture:
    """Keep the events and the master data of a document. With ``rollback`` all of it or nothing, with ``proceed`` what is right.

    Raises ValidationException: with ``rollback`` for anything that is wrong, with ``proceed`` for what is around the events.
    """
    job = EpcisCapture(
        id=clock.new_id("capture"),
        owner_id=caller.party_id,
        created_at=clock.now(),
        finished_at=clock.now(),
        success=True,
        behaviour=behaviour,
        events=0,
        errors=[],
    )
    right, errors = _check(document, behaviour)
    paths = [write_path(document, place) for place in right]
    rows = [prepare_event(event) for event in right.values()]
    if behaviour == "rollback" and (taken := _find_taken(session, caller.party_id, rows)):
        errors = [_say_taken(paths[place], rows[place]) for place in taken]
    else:
        captured = capture_prepared(session, rows, owner_id=caller.party_id, capture_id=job.id)
        told = zip(paths, rows, captured, strict=True)
        errors += [_say_taken(path, row) for path, row, one in told if not one.is_same]
        job.events = sum(one.is_same for one in captured)
        if behaviour == "rollback" and errors:
            raise ResourceAlreadyExistsException("somebody else captures the same events at this moment: try again")
        _keep_master_data(session, caller.party_id, document)
    job.finished_at, job.success, job.errors = clock.now(), not errors, errors[:MOST_ERRORS]
    session.add(job)
    _forget_jobs(session, caller.party_id)
    return job


def capture_one(session: Session, caller: Caller, document: Document) -> tuple[Event, Captured]:
    """Keep a single event. Raises ValidationException, and ResourceAlreadyExistsException when its id was captured before."""
    if len(document.events) != 1:
        raise ValidationException(f"there are {len(document.events)} events, here one is taken")
    _check(document, "rollback")
    (event,) = document.events
    (captured,) = capture_prepared(session, [prepare_event(event)], owner_id=caller.party_id)
    if not captured.is_new:
        raise ResourceAlreadyExistsException(
            f"there is an event {captured.event_id[:200]}", event_id=captured.event_id, same=captured.is_same
        )
    return event, captured


def _check(document: Document, behaviour: Behaviour) -> tuple[dict[int, Event], list[dict[str, object]]]:
    """The events that are right by their places, and what is wrong with others. Raises ValidationException."""
    wrong = refusals(check_envelope(document))
    if wrong and behaviour == "proceed":
        raise refuse_findings(wrong)
    right: dict[int, Event] = {}
    errors: list[dict[str, object]] = []
    for place, event in enumerate(document.events):
        found = _find_wrong(document, place)
        if not found:
            right[place] = event
        elif behaviour == "rollback":
            wrong += found
        elif len(errors) < MOST_ERRORS:
            errors.append(refuse_findings(found[:_MOST_OF_EVENT]).document())
        if len(wrong) >= MOST_ERRORS:
            break
    if wrong:
        raise refuse_findings(wrong)
    return right, errors


def _find_wrong(document: Document, place: int) -> list[Finding]:
    """Why an event of a document is not kept."""
    wrong = refusals(check_placed(document, place))
    return wrong or check_storable(document.events[place], write_path(document, place))


def _find_taken(session: Session, owner_id: str, rows: Sequence[Prepared]) -> list[int]:
    """The places of events whose name stands for something else already, here or in the repository."""
    kept = storing.find_kept(session, owner_id, {(one.event_id, one.is_error) for one in rows})
    hashes = {name: hash for name, (_, hash) in kept.items()}
    taken = []
    for place, one in enumerate(rows):
        if hashes.setdefault((one.event_id, one.is_error), one.hash) != one.hash:
            taken.append(place)
    return taken


def _say_taken(path: str, one: Prepared) -> dict[str, object]:
    detail = f"{path}: another event {one.event_id[:200]} was captured before"
    return ResourceAlreadyExistsException(detail).document()


def _forget_jobs(session: Session, owner_id: str) -> None:
    """Throw the oldest of a company's jobs away once they were kept long enough, a few at a time."""
    oldest = select(EpcisCapture.id).where(EpcisCapture.owner_id == owner_id).order_by(EpcisCapture.id)
    some = oldest.limit(_MOST_FORGOTTEN).with_for_update(skip_locked=True)
    old = EpcisCapture.created_at < clock.now() - JOBS_KEPT
    session.execute(delete(EpcisCapture).where(EpcisCapture.id.in_(some), old))


def _keep_master_data(session: Session, owner_id: str, document: Document) -> None:
    rows = {(row["vocabulary"], row["id"]): row for row in _list_master_data(owner_id, document)}
    if len(rows) > MOST_MASTER:
        raise CaptureLimitExceededException(
            f"there are {len(rows)} elements of master data, at most {MOST_MASTER} are taken"
        )
    if not rows:
        return
    statement = insert(EpcisMaster)
    changed = {name: statement.excluded[name] for name in ("attributes", "children")}
    statement = statement.on_conflict_do_update(index_elements=["owner_id", "vocabulary", "id"], set_=changed)
    session.execute(statement, [rows[name] for name in sorted(rows)])


def _list_master_data(owner_id: str, document: Document) -> Collection[dict[str, Any]]:
    rows = []
    for vocabulary in document.master_data:
        for element in vocabulary["vocabularyElementList"]:
            id, kind = canonical(element["id"]), vocabulary["type"]
            if max(len(id.encode()), len(kind.encode())) > MOST_NAME_BYTES:
                raise ValidationException(f"master data: {id[:50]} is longer than {MOST_NAME_BYTES} bytes")
            children = [canonical(child) for child in element.get("children", ())]
            attributes = element.get("attributes", [])
            rows.append(
                {"owner_id": owner_id, "vocabulary": kind, "id": id, "attributes": attributes, "children": children}
            )
    return rows
