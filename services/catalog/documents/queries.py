"""Looks documents up: the papers that count, and the files for those who may have them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.problems import NotFound
from services.catalog.base import among
from services.catalog.documents.model import Document, Scan, StoredFile, Subject
from services.catalog.documents.papers import Paper


class HarmfulFile(NotFound):
    """A scanner for viruses has found something in the file: it is given to nobody."""


def read_file(session: Session, file_id: str) -> bytes:
    """The bytes of a file. Raises HarmfulFile."""
    query = select(StoredFile.state, StoredFile.found, StoredFile.body).where(StoredFile.id == file_id)
    state, found, body = session.execute(query).one()
    if state == Scan.BAD:
        raise HarmfulFile(f"it was found in it: {found}")
    return body


def find_papers(session: Session, subject: Subject, ids: Iterable[str]) -> dict[str, list[Paper]]:
    """The papers that things carry and that were not replaced, by their ids; a harmful file is none."""
    wanted = list(ids)
    if not wanted:
        return {}
    query = select(Document).join(StoredFile, StoredFile.id == Document.file_id)
    query = query.where(
        Document.subject == subject,
        Document.use == "document",
        Document.replaced_at.is_(None),
        StoredFile.state != Scan.BAD,
        among(Document.subject_id, wanted),
    )
    found: dict[str, list[Paper]] = {}
    for document in session.scalars(query):
        found.setdefault(document.subject_id, []).append(document.paper)
    return found


def find_scans(session: Session, file_ids: Iterable[str]) -> dict[str, str]:
    """What a scanner has found in files, by their ids: unscanned, clean or bad."""
    rows = session.execute(select(StoredFile.id, StoredFile.state).where(among(StoredFile.id, file_ids)))
    return {id: str(state) for id, state in rows}
