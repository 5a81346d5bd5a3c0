"""What callers send and are shown of uploads."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta

from chassis.uploads.fields import Field
from chassis.uploads.model import MAX_MISTAKES, MAX_PARTS, Upload
from chassis.uploads.reasons import Language, Words
from chassis.uploads.tables import Mistake
from chassis.uploads.writers import Format
from chassis.values import Identifier, ShortText
from chassis.wire import Body, Paging, Params, View

Place = Annotated[int, Meta(ge=1, le=200)]
Digest = Annotated[str, Meta(min_length=64, max_length=64, pattern=r"^[0-9A-Fa-f]{64}(?![\s\S])")]


class BeginUpload(Body):
    """A file that will be sent in parts; ``sheet`` names one of a workbook, otherwise the first that is not empty is read.

    ``language`` is what its sender wants to be told in.
    """

    kind: Identifier
    market: Identifier
    file_name: ShortText
    sheet: ShortText | None = None
    language: Language = "en"


class SendFile(Params):
    """What a small file is that is sent as a whole."""

    kind: Identifier
    market: Identifier
    file_name: ShortText
    sheet: ShortText | None = None
    language: Language = "en"


class SendPart(Params):
    """The SHA-256 of the part in hex digits, if it should be compared."""

    sha256: Digest | None = None


class CloseUpload(Body):
    """How many parts the file has."""

    parts: Annotated[int, Meta(ge=1, le=MAX_PARTS)]


class ColumnChoice(Body):
    """What a column is, counted from 1; no ``field`` means that it is not read. ``unit`` is that of its numbers."""

    column: Place
    field: Identifier | None = None
    unit: ShortText | None = None


class MapColumns(Body):
    """What columns are; those that are not named stay as they are."""

    columns: Annotated[list[ColumnChoice], Meta(min_length=1, max_length=200)]


class AskFields(Params):
    """Of which kind of file."""

    kind: Identifier
    market: Identifier


class AskMistakes(Paging):
    """In which language, otherwise that of the upload."""

    language: Language | None = None


class AskMistakesFile(Params):
    """As which file and in which language, otherwise that of the upload."""

    format: Format = "csv"
    language: Language | None = None


class FieldView(View):
    """A column that a file may have, and the units that its numbers may be in."""

    field: str
    label: dict[str, str]
    headings: list[str]
    required: bool
    units: list[str]

    @classmethod
    def of(cls, field: Field) -> FieldView:
        """The view of a field."""
        return cls(
            field=field.name,
            label=dict(field.label),
            headings=list(field.headings),
            required=field.required and field.default is None,
            units=sorted(field.factors),
        )


class FieldsView(View):
    """The columns that a file may have."""

    fields: list[FieldView]


class PartView(View):
    """A part that has come."""

    part: int
    size_bytes: int
    sha256: str


class ColumnView(View):
    """A column of a file, counted from 1: its heading, what it is and how that is known, and what stands in its first rows.

    ``reason`` says why it is not read.
    """

    column: int
    heading: str
    field: str | None
    unit: str | None
    source: Literal["guessed", "kept", "chosen", "unknown"]
    reason: str | None
    samples: list[str]

    @classmethod
    def of(cls, column: dict[str, Any], words: Words, language: Language) -> ColumnView:
        """The view of a column as an upload keeps it."""
        reason = column["reason"]
        return cls(
            column=column["index"] + 1,
            heading=column["heading"],
            field=column["field"],
            unit=column["unit"],
            source=column["source"],
            reason=words.tell(reason, language) if reason else None,
            samples=column["samples"],
        )


class UploadView(View):
    """An upload. Counts are of its last check or application, also while that runs; ``rows_expected`` is known after one.

    ``missing`` names what every row must have and no column is known for. ``errors`` are wrong cells, of which the first 50,000
    are kept and the others counted as ``errors_left_out``. ``reason`` says why the file was refused as a whole.
    """

    id: str
    kind: str
    market: str
    file_name: str
    sheet: str | None
    language: str
    state: str
    format: str | None
    parts: int
    size_bytes: int
    columns: list[ColumnView]
    missing: list[dict[str, str]]
    rows: int
    rows_expected: int | None
    created: int
    updated: int
    unchanged: int
    refused: int
    errors: int
    errors_left_out: int
    totals_differing: int
    reason: str | None
    user_id: str
    made_at: datetime
    changed_at: datetime
    ended_at: datetime | None
    closes_at: datetime | None
    file_purged_at: datetime | None

    @classmethod
    def of(cls, upload: Upload, words: Words) -> UploadView:
        """The view of an upload, in the language of its sender."""
        language: Language = upload.language  # type: ignore[assignment]
        return cls(
            id=upload.id,
            kind=upload.kind,
            market=upload.market,
            file_name=upload.file_name,
            sheet=upload.sheet,
            language=language,
            state=upload.state,
            format=upload.format,
            parts=upload.part_count,
            size_bytes=upload.size_bytes,
            columns=[ColumnView.of(column, words, language) for column in upload.columns],
            missing=upload.missing,
            rows=upload.rows,
            rows_expected=upload.rows_expected,
            created=upload.created,
            updated=upload.updated,
            unchanged=upload.unchanged,
            refused=upload.refused,
            errors=upload.mistakes,
            errors_left_out=max(0, upload.mistakes - MAX_MISTAKES),
            totals_differing=upload.totals_differing,
            reason=words.tell(upload.reason, language) if upload.reason else None,
            user_id=upload.user_id,
            made_at=upload.made_at,
            changed_at=upload.changed_at,
            ended_at=upload.ended_at,
            closes_at=upload.due_at,
            file_purged_at=upload.file_purged_at,
        )


class MistakeView(View):
    """What is wrong in one cell: its row as a spreadsheet counts it, its column's heading, what stands there, and why it is
    refused."""

    row: int
    column: str
    value: str
    reason: str

    @classmethod
    def of(cls, mistake: Mistake, words: Words, language: Language) -> MistakeView:
        """The view of a mistake in a language."""
        reason = words.tell(mistake.reason, language, mistake.zh)
        return cls(row=mistake.row, column=mistake.column, value=mistake.value, reason=reason)
