"""Keeps files under their SHA-256, each once, and has them scanned."""

from __future__ import annotations

import hashlib

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.errands import OwedErrand, owe
from services.catalog.documents.model import Scan, StoredFile

SCAN_FILE = "scan_file"
MOST_OWED = 10_000


def keep_file(session: Session, body: bytes) -> str:
    """Keep a file; its id is its SHA-256 in hexadecimal digits. One that is there already is not kept again."""
    file_id = hashlib.sha256(body).hexdigest()
    row = insert(StoredFile).values(id=file_id, body=body, state=Scan.UNSCANNED).on_conflict_do_nothing()
    if session.scalars(row.returning(StoredFile.id)).first() is not None:
        _owe_scan(session, file_id)
    return file_id


def owe_scans(session: Session) -> None:
    """Have files scanned that were kept before there was a scanner, or that it could not be asked about; at most MOST_OWED."""
    is_owed = select(OwedErrand.id).where(
        OwedErrand.subject == StoredFile.id, OwedErrand.kind == SCAN_FILE, OwedErrand.state == "owed"
    )
    unscanned = select(StoredFile.id).where(StoredFile.state == Scan.UNSCANNED, ~is_owed.exists())
    for file_id in session.scalars(unscanned.order_by(StoredFile.id).limit(MOST_OWED)).all():
        _owe_scan(session, file_id)


def _owe_scan(session: Session, file_id: str) -> None:
    owe(session, SCAN_FILE, file_id, {"file_id": file_id})
