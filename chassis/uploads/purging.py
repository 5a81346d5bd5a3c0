"""Throws away the files of uploads that are at their end, and later the uploads themselves, a bounded number at a time."""

from __future__ import annotations

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from chassis import clock
from chassis.uploads.model import KEPT, Upload, UploadMistake, UploadPart

PARTS_AT_ONCE = 16
MISTAKES_AT_ONCE = 5_000


def purge_uploads(session: Session) -> int:
    """Throw away some parts of a file whose time is over, or an upload that was kept long enough; how much went."""
    query = select(Upload).where(Upload.purge_at <= clock.now()).order_by(Upload.purge_at).limit(1)
    upload = session.scalars(query.with_for_update(skip_locked=True)).one_or_none()
    if upload is None:
        return 0
    return _purge_file(session, upload) if upload.file_purged_at is None else _purge_rest(session, upload)


def _purge_file(session: Session, upload: Upload) -> int:
    some = select(UploadPart.number).where(UploadPart.upload_id == upload.id).limit(PARTS_AT_ONCE)
    gone = session.execute(
        delete(UploadPart).where(UploadPart.upload_id == upload.id, UploadPart.number.in_(some))
    ).rowcount
    if gone < PARTS_AT_ONCE:
        upload.file_purged_at = clock.now()
        upload.purge_at = (upload.ended_at or clock.now()) + KEPT
    return gone + 1


def _purge_rest(session: Session, upload: Upload) -> int:
    key = (UploadMistake.upload_id, UploadMistake.run, UploadMistake.place)
    some = select(*key).where(UploadMistake.upload_id == upload.id).limit(MISTAKES_AT_ONCE)
    gone = session.execute(delete(UploadMistake).where(tuple_(*key).in_(some))).rowcount
    if gone < MISTAKES_AT_ONCE:
        session.delete(upload)
    return gone + 1
