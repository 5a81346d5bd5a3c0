"""Adds documents and pictures to things, takes them back, and keeps what a scanner has found."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get, see
from chassis.problems import Forbidden, Invalid
from services.catalog.base import lock_uploads
from services.catalog.certificates.commands import review_file
from services.catalog.documents.carriers import Carrier, get_carrier, review
from services.catalog.documents.files import find_flaw
from services.catalog.documents.model import Document, Scan, StoredFile, Subject, Use
from services.catalog.documents.storing import keep_file
from services.catalog.markets.rules import DocumentRule

OTHER = "other"
MOST_DOCUMENTS = 200
A_DAY = timedelta(days=1)


class UnknownDocument(Invalid):
    """The market asks for no such document of these goods: call it other."""


class UnknownDocumentType(Invalid):
    """The document is of none of the types that the market knows."""


class IncompleteDocument(Invalid):
    """Something must be said of this document that was not."""


class NotAFile(Invalid):
    """The file is not a whole one of the type that it was sent as."""


class TooManyDocuments(Invalid):
    """One thing carries no more documents and pictures."""


class NotYourDocument(Forbidden):
    """Another company has added this."""


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a file: which document it is, in which languages, from when until when."""

    rule: str
    number: str | None = None
    type: str | None = None
    languages: list[str] = []
    issued_on: date | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    name: str | None = None


def add_document(
    session: Session,
    caller: Caller,
    subject: Subject,
    subject_id: str,
    said: Statement,
    *,
    use: Use,
    media_type: str,
    body: bytes,
) -> Document:
    """Add a file to a thing of the caller's company; one with the same rule and number is replaced.

    The very same again changes nothing. Raises NotFound, NotTheOwner, UnknownDocument, UnknownDocumentType,
    IncompleteDocument, NotAFile or TooManyDocuments.
    """
    lock_uploads(session, caller.party_id)
    carrier = get_carrier(session, caller, subject, subject_id)
    if use == "document":
        said = _check(carrier, said)
    if flaw := find_flaw(body, media_type):
        raise NotAFile(flaw, field="$")
    number = said.number or said.rule
    before = _find_in_force(session, subject_id)
    same = next((each for each in before if (each.rule, each.number) == (said.rule, number)), None)
    if same is None and len(before) >= MOST_DOCUMENTS:
        raise TooManyDocuments(f"it has {MOST_DOCUMENTS}", field="$")
    file_id = keep_file(session, body)
    document = _make(caller, subject, subject_id, said, use, number=number, media_type=media_type, file_id=file_id)
    document.size = len(body)
    if same is not None:
        if _says_the_same(same, document):
            return same
        same.replaced_at, document.revision = clock.now(), _find_revision(session, document) + 1
        session.flush()
    else:
        document.revision = _find_revision(session, document) + 1
    session.add(document)
    session.flush()
    review(session, caller, subject, [subject_id])
    return document


def withdraw_document(session: Session, caller: Caller, document_id: str) -> Document:
    """Take a document back that the caller's company has added; it is kept as one that was replaced.

    What has passed to another company keeps it. Raises NotFound, NotTheOwner or NotYourDocument.
    """
    lock_uploads(session, caller.party_id)
    document = see(session, Document, document_id, caller)
    if document.party_id != caller.party_id:
        raise NotYourDocument("its owner withdraws it")
    get_carrier(session, caller, document.subject, document.subject_id)
    document = get(session, Document, document_id, caller)
    if document.replaced_at is None:
        document.replaced_at = clock.now()
        session.flush()
        review(session, caller, document.subject, [document.subject_id])
    return document


def record_scan(session: Session, caller: Caller, payload: dict[str, Any], outcome: dict[str, Any]) -> None:
    """Keep what a scanner has found in a file; things that lose a document by that are looked at again."""
    if "found" not in outcome:
        return
    file = get(session, StoredFile, payload["file_id"], caller)
    name = "condemn" if outcome["found"] else "clear"
    if not file.can(name):
        return
    file.move(name)
    file.scanned_at, file.found = clock.now(), outcome["found"][:200] or None
    session.flush()
    if file.state == Scan.BAD:
        _review_carriers(session, caller, file.id)
        review_file(session, caller, file.id)


def _review_carriers(session: Session, caller: Caller, file_id: str) -> None:
    query = select(Document.subject, Document.subject_id).where(
        Document.file_id == file_id, Document.replaced_at.is_(None)
    )
    found: dict[Any, set[str]] = {}
    for subject, subject_id in session.execute(query):
        found.setdefault(subject, set()).add(subject_id)
    for subject in sorted(found):
        review(session, caller, subject, found[subject])


def _check(carrier: Carrier, said: Statement) -> Statement:
    """What is said of a document, checked by its rule of the market."""
    if said.rule == OTHER:
        return said
    rule = next((each for each in carrier.rules if each.name == said.rule), None)
    if rule is None:
        known = ", ".join([*(each.name for each in carrier.rules), OTHER])
        raise UnknownDocument(f"it is one of {known}", field="$.rule")
    if rule.expires and said.valid_until is None:
        raise IncompleteDocument("it states an end of validity", field="$.valid_until")
    if rule.most_age_days is not None and said.issued_on is None:
        raise IncompleteDocument("its age counts", field="$.issued_on")
    if said.issued_on is not None and said.issued_on > (clock.now() + A_DAY).date():
        raise IncompleteDocument("is still to come", field="$.issued_on")
    if said.valid_from and said.valid_until and said.valid_from >= said.valid_until:
        raise IncompleteDocument("is not after valid_from", field="$.valid_until")
    if rule.languages and not said.languages:
        raise IncompleteDocument(f"it must be had in {', '.join(rule.languages)}", field="$.languages")
    return msgspec.structs.replace(said, type=_find_type(carrier, rule, said.type))


def _find_type(carrier: Carrier, rule: DocumentRule, text: str | None) -> str | None:
    """The code of a type of document, by any name that the market has for it."""
    if rule.types is None:
        return None
    choices = carrier.pack.choices[rule.types]
    named = {name: choice.code for choice in choices for name in choice.names}
    if text not in named:
        raise UnknownDocumentType(f"it is one of {', '.join(choice.code for choice in choices)}", field="$.type")
    return named[text]


def _find_in_force(session: Session, subject_id: str) -> list[Document]:
    query = select(Document).where(Document.subject_id == subject_id, Document.replaced_at.is_(None))
    return list(session.scalars(query))


def _find_revision(session: Session, document: Document) -> int:
    """The last revision that there was of a document of this number."""
    query = select(Document.revision).where(
        Document.subject_id == document.subject_id,
        Document.rule == document.rule,
        Document.number == document.number,
    )
    return max(session.scalars(query), default=0)


def _make(
    caller: Caller,
    subject: Subject,
    subject_id: str,
    said: Statement,
    use: Use,
    *,
    number: str,
    media_type: str,
    file_id: str,
) -> Document:
    return Document(
        id=clock.new_id("document"),
        subject=subject,
        subject_id=subject_id,
        use=use,
        rule=said.rule,
        number=number,
        type=said.type,
        languages=sorted(set(said.languages)),
        issued_on=said.issued_on,
        valid_from=said.valid_from,
        valid_until=said.valid_until,
        name=said.name or number,
        media_type=media_type,
        file_id=file_id,
        party_id=caller.party_id,
        user_id=caller.user_id,
        added_at=clock.now(),
    )


def _says_the_same(one: Document, other: Document) -> bool:
    return (one.file_id, one.type, one.name, one.use, one.paper) == (
        other.file_id,
        other.type,
        other.name,
        other.use,
        other.paper,
    )
