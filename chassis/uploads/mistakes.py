"""Writes down what is wrong in a file, row by row and column by column, and reads it again, without objects for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.uploads.model import MAX_MISTAKES, Upload
from chassis.uploads.tables import Mistake
from chassis.wire import Look

PAGE = 2_000
_ADD = text(
    "INSERT INTO upload_mistake (upload_id, run, place, row, heading, value, reason, reason_zh) "
    'SELECT :upload_id, :run, :first + place, "row", heading, value, reason, reason_zh '
    "FROM unnest(:rows ::int[], :headings ::text[], :values ::text[], :reasons ::text[], :reasons_zh ::text[]) "
    'WITH ORDINALITY AS mistake ("row", heading, value, reason, reason_zh, place)'
)
_READ = text(
    'SELECT place, "row", heading, value, reason, reason_zh FROM upload_mistake '
    "WHERE upload_id = :upload_id AND run = :run AND place > :after ORDER BY place LIMIT :most"
)


def add_mistakes(session: Session, upload: Upload, mistakes: Sequence[Mistake]) -> None:
    """Count mistakes of the present run behind those that are there, and keep them while there is room."""
    kept = mistakes[: max(0, MAX_MISTAKES - upload.mistakes)]
    if kept:
        asked = {
            "upload_id": upload.id,
            "run": upload.run,
            "first": upload.mistakes,
            "rows": [each.row for each in kept],
            "headings": [keep_writable(each.column) for each in kept],
            "values": [keep_writable(each.value) for each in kept],
            "reasons": [keep_writable(each.reason) for each in kept],
            "reasons_zh": [each.zh and keep_writable(each.zh) for each in kept],
        }
        session.execute(_ADD, asked)
    upload.mistakes += len(mistakes)


def read_mistakes(session: Session, upload: Upload, *, after: int, most: int) -> list[tuple[int, Mistake]]:
    """Mistakes of the last run with their places, in the order of the file."""
    asked = {"upload_id": upload.id, "run": upload.run, "after": after, "most": most}
    return [(place, Mistake(*mistake)) for place, *mistake in session.execute(_READ, asked)]


def walk_mistakes(look: Look, upload: Upload) -> Iterator[Mistake]:
    """All mistakes of the last run that were kept, a page at a time."""
    after = 0
    while page := look(lambda session, since=after: read_mistakes(session, upload, after=since, most=PAGE)):
        after = page[-1][0]
        yield from (mistake for _, mistake in page)


def keep_writable(text: str) -> str:
    """A text without what a database cannot keep: noughts and halves of characters become marks."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
