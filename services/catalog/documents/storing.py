"""Keeps files under their SHA-256, each once, and has new ones scanned."""

from __future__ import annotations

import hashlib

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.errands import owe
from services.catalog.documents.model import Scan, StoredFile

SCAN_FILE = "scan_file"


def keep_file(session: Session, body: bytes) -> str:
    """Keep a file; its id is its SHA-256 in hexadecimal digits. One that is there already is not kept again."""
    file_id = hashlib.sha256(body).hexdigest()
    row = insert(StoredFile).values(id=file_id, body=body, state=Scan.UNSCANNED).on_conflict_do_nothing()
    if session.scalars(row.returning(StoredFile.id)).first() is not None:
        owe(session, SCAN_FILE, file_id, {"file_id": file_id})
    return file_id
