"""Shows documents to whoever may see what carries them; pictures and papers alike."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import or_
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from chassis.problems import NotFound
from services.catalog.documents.carriers import see_carrier
from services.catalog.documents.model import Document, Subject, Use
from services.catalog.documents.queries import find_scans, read_file

_ALL = Caller.system("catalog")


class Filed(NamedTuple):
    """A document and what a scanner has found in its file: unscanned, clean or bad."""

    document: Document
    scan: str


def list_documents(
    session: Session,
    caller: Caller,
    subject: Subject,
    subject_id: str,
    *,
    use: Use,
    cursor: str | None,
    limit: int,
) -> Page[Filed]:
    """The documents or the pictures of a thing that the caller may see, newest first.

    Those that were replaced are for who added them and the operator. Raises NotFound.
    """
    see_carrier(session, caller, subject, subject_id)
    where = [Document.subject == subject, Document.subject_id == subject_id, Document.use == use]
    if not caller.is_operator:
        where.append(or_(Document.replaced_at.is_(None), Document.party_id == caller.party_id))
    found = page(session, Document, _ALL, cursor, limit, *where)
    scans = find_scans(session, [document.file_id for document in found.items])
    return found.map(lambda document: Filed(document, scans[document.file_id]))


def see_document(session: Session, caller: Caller, document_id: str) -> Filed:
    """A document of a thing that the caller may see. Raises NotFound."""
    document = see(session, Document, document_id, _ALL)
    see_carrier(session, caller, document.subject, document.subject_id)
    is_own = caller.is_operator or document.party_id == caller.party_id
    if document.replaced_at is not None and not is_own:
        raise NotFound(f"no document {document_id!r}")
    return Filed(document, find_scans(session, [document.file_id])[document.file_id])


def see_file(session: Session, caller: Caller, document_id: str) -> tuple[Document, bytes]:
    """A document and its file. Raises NotFound, or HarmfulFile."""
    document, _ = see_document(session, caller, document_id)
    return document, read_file(session, document.file_id)
