"""Looks at uploads, at what is wrong in their files, and at the columns that a file may have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, read_cursor, see, write_cursor
from chassis.problems import Invalid, NotFound
from chassis.uploads.commands import Importers, find_importer, options_of
from chassis.uploads.fields import Field, Options
from chassis.uploads.mistakes import read_mistakes, walk_mistakes
from chassis.uploads.model import Upload, UploadPart
from chassis.uploads.reasons import Language, Words
from chassis.uploads.tables import Mistake
from chassis.uploads.writers import MEDIA_TYPES, Format, write_table
from chassis.wire import Look, Streamed

_HEADINGS = {"zh": ("行", "列", "内容", "原因"), "en": ("row", "column", "value", "reason")}
_NAMES = {"zh": "错误", "en": "errors"}
_KNOWN_TEXTS = 4_096


def see_upload(session: Session, caller: Caller, importers: Importers, upload_id: str) -> Upload:
    """An upload of the caller's company. Raises NotFound."""
    upload = see(session, Upload, upload_id, caller)
    if upload.kind not in importers:
        raise NotFound(f"no upload {upload_id!r}")
    return upload


def list_uploads(
    session: Session, caller: Caller, importers: Importers, cursor: str | None, limit: int
) -> Page[Upload]:
    """The uploads of the caller's company, newest first."""
    return page(session, Upload, caller, cursor, limit, Upload.kind.in_(importers))


def see_part(session: Session, caller: Caller, importers: Importers, upload_id: str, number: int) -> tuple[int, str]:
    """The size and digest of a part that has come. Raises NotFound when it has not, or was thrown away."""
    upload = see_upload(session, caller, importers, upload_id)
    wanted = (UploadPart.upload_id == upload.id, UploadPart.number == number)
    found = session.execute(select(UploadPart.size_bytes, UploadPart.sha256).where(*wanted)).one_or_none()
    if found is None:
        raise NotFound(f"part {number} is not there")
    return found.size_bytes, found.sha256


def list_fields(session: Session, caller: Caller, importers: Importers, kind: str, market: str) -> list[Field]:
    """The columns that a file of a kind may have. Raises UnknownKind, or what the importer says of the market."""
    return find_importer(importers, kind).fields(session, caller, Options(market=market))


def words_of(session: Session, importers: Importers, upload: Upload) -> Words:
    """How the reasons of an upload are told."""
    return importers[upload.kind].words(session, options_of(upload))


def list_mistakes(
    session: Session, caller: Caller, importers: Importers, upload_id: str, *, cursor: str | None, limit: int
) -> tuple[Upload, Page[Mistake]]:
    """What the last check or application found wrong, in the order of the file. Raises NotFound or Invalid."""
    upload = see_upload(session, caller, importers, upload_id)
    found = read_mistakes(session, upload, after=_read_place(cursor), most=limit + 1)
    more = write_cursor(str(found[limit - 1][0])) if len(found) > limit else None
    return upload, Page([mistake for _, mistake in found[:limit]], more)


def _read_place(cursor: str | None) -> int:
    place = "0" if cursor is None else read_cursor(cursor)
    if not (place.isascii() and place.isdecimal() and len(place) < 9):
        raise Invalid("this is not a cursor that a list has given", field="$.cursor")
    return int(place)


def write_mistakes(
    session: Session, caller: Caller, importers: Importers, upload_id: str, *, format: Format, language: Language | None
) -> Streamed:
    """What is wrong as a file for people, a row for each cell, unless told otherwise in the language of its sender.

    Raises NotFound.
    """
    upload = see_upload(session, caller, importers, upload_id)
    words, language = words_of(session, importers, upload), language or upload.language  # type: ignore[assignment]

    def write(look: Look) -> Iterator[bytes]:
        rows = _tell(walk_mistakes(look, upload), words, language)
        return write_table(format, _HEADINGS[language], rows, numbers=(True, False, False, False))

    return Streamed(MEDIA_TYPES[format], f"{upload.file_name}-{_NAMES[language]}.{format}", write)


def _tell(mistakes: Iterator[Mistake], words: Words, language: Language) -> Iterator[Sequence[str]]:
    told: dict[str, str] = {}
    for mistake in mistakes:
        if mistake.reason not in told:
            if len(told) >= _KNOWN_TEXTS:
                told.clear()
            told[mistake.reason] = words.tell(mistake.reason, language, mistake.zh)
        yield str(mistake.row), mistake.column, mistake.value, told[mistake.reason]
