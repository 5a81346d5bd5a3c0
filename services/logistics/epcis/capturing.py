"""Takes documents in: read, checked, hashed and kept in the transaction of the request, together with the job that says so.

There is no queue: the answer 202 means that the job is done, and a process that dies leaves either all of a document or nothing
of it. What a document says wrong is refused at once; what the repository already holds otherwise is told by the job.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

import msgspec
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from services.logistics.epcis import read_json, read_xml, storing
from services.logistics.epcis.checks import check_document, check_event, refusals
from services.logistics.epcis.commands import Captured, capture_prepared
from services.logistics.epcis.exceptions import (
    MOST_ERRORS,
    CaptureLimitExceededException,
    EpcisProblem,
    ResourceAlreadyExistsException,
    ValidationException,
    refuse_findings,
    refuse_unreadable,
)
from services.logistics.epcis.fields import Document, Event
from services.logistics.epcis.findings import Finding, NotReadable
from services.logistics.epcis.identifiers import canonical
from services.logistics.epcis.limits import MOST_EVENTS, MOST_MASTER
from services.logistics.epcis.model import EpcisCapture, EpcisMaster
from services.logistics.epcis.preparing import MOST_NAME_BYTES, Prepared, check_storable, prepare_event

Behaviour = Literal["rollback", "proceed"]


def read_body(body: bytes, *, is_xml: bool) -> Document:
    """The document of a request. Raises ValidationException or CaptureLimitExceededException."""
    try:
        document = (read_xml if is_xml else read_json).read_document(body)
    except NotReadable as error:
        raise refuse_unreadable(error) from None
    if len(document.events) > MOST_EVENTS:
        raise CaptureLimitExceededException(f"there are {len(document.events)} events, at most {MOST_EVENTS} are taken")
    return document


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
    rows = [prepare_event(event) for event in right]
    if behaviour == "rollback" and (taken := _find_taken(session, caller.party_id, rows)):
        errors = [_say_taken(place, rows[place]) for place in taken]
    else:
        captured = capture_prepared(session, rows, owner_id=caller.party_id, capture_id=job.id)
        errors += _say_all_taken(rows, captured)
        job.events = sum(one.is_same for one in captured)
        if behaviour == "rollback" and errors:
            raise ResourceAlreadyExistsException("somebody else captures the same events at this moment: try again")
        _keep_master_data(session, caller.party_id, document)
    job.finished_at, job.success, job.errors = clock.now(), not errors, errors[:MOST_ERRORS]
    session.add(job)
    return job


def capture_one(session: Session, caller: Caller, document: Document) -> tuple[Event, Captured]:
    """Keep a single event. Raises ValidationException, and ResourceAlreadyExistsException when its id was captured before."""
    if len(document.events) != 1:
        raise ValidationException(f"there are {len(document.events)} events, here one is taken")
    ((event,), _) = _check(document, "rollback")
    (captured,) = capture_prepared(session, [prepare_event(event)], owner_id=caller.party_id)
    if not captured.is_new:
        raise ResourceAlreadyExistsException(
            f"there is an event {captured.event_id[:200]}", event_id=captured.event_id, same=captured.is_same
        )
    return event, captured


def _check(document: Document, behaviour: Behaviour) -> tuple[list[Event], list[dict[str, object]]]:
    """The events that are right, and what is wrong with the others. Raises ValidationException."""
    if behaviour == "rollback":
        findings = refusals(check_document(document, most=MOST_ERRORS))
        findings = findings or [one for place, event in enumerate(document.events) for one in _check_room(event, place)]
        if findings:
            raise refuse_findings(findings)
        return document.events, []
    around = refusals(check_document(msgspec.structs.replace(document, events=[])))
    if around:
        raise refuse_findings(around)
    right, errors = [], []
    for place, event in enumerate(document.events):
        wrong = refusals(check_event(event, f"$.eventList[{place}]")) or _check_room(event, place)
        if wrong:
            errors.append(_tell(refuse_findings(wrong)))
        else:
            right.append(event)
    return right, errors


def _check_room(event: Event, place: int) -> list[Finding]:
    return check_storable(event, f"$.eventList[{place}]")


def _find_taken(session: Session, owner_id: str, rows: Sequence[Prepared]) -> list[int]:
    """The places of events whose name stands for something else already, here or in the repository."""
    kept = storing.find_kept(session, owner_id, {(one.event_id, one.is_error) for one in rows})
    hashes = {name: hash for name, (_, hash) in kept.items()}
    taken = []
    for place, one in enumerate(rows):
        if hashes.setdefault((one.event_id, one.is_error), one.hash) != one.hash:
            taken.append(place)
    return taken


def _say_all_taken(rows: Sequence[Prepared], captured: Sequence[Captured]) -> list[dict[str, object]]:
    pairs = enumerate(zip(rows, captured, strict=True))
    return [_say_taken(place, row) for place, (row, one) in pairs if not one.is_same]


def _say_taken(place: int, one: Prepared) -> dict[str, object]:
    detail = f"$.eventList[{place}]: another event {one.event_id[:200]} was captured before"
    return _tell(ResourceAlreadyExistsException(detail))


def _tell(problem: EpcisProblem) -> dict[str, object]:
    return problem.document()


def _keep_master_data(session: Session, owner_id: str, document: Document) -> None:
    rows = {row["vocabulary"] + " " + row["id"]: row for row in _list_master_data(owner_id, document)}
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


def _list_master_data(owner_id: str, document: Document) -> Collection[dict[str, object]]:
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
