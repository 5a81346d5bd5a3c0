"""What a company does with its uploads: begin, send parts, close, map, check, apply, cancel. The worker does the rest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock, telemetry
from chassis.auth import Caller
from chassis.database import get
from chassis.problems import Invalid, NotFound
from chassis.refusals import MissingRole
from chassis.uploads.fields import Field, Importer, Options
from chassis.uploads.headings import Column, factor_of
from chassis.uploads.model import (
    MAX_FILE_BYTES,
    MAX_OPEN,
    MAX_PARTS,
    WAITS_FOR,
    FileTooLarge,
    PartDamaged,
    PartDiffers,
    PartsMissing,
    State,
    TooManyUploads,
    Upload,
    UploadMapping,
    UploadMistake,
    UploadPart,
    columns_of,
    digest_headings,
)
from chassis.uploads.tables import list_missing

Importers = Mapping[str, Importer]


class UnknownKind(Invalid):
    """There is no such kind of upload here."""


class UnknownColumn(Invalid):
    """The file has no such column, its rows have no such field, or the field no such unit."""


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """What is said of a file before it is sent."""

    kind: str
    market: str
    file_name: str
    sheet: str | None
    language: str


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a column of a file is: ``index`` counts from nought; no field means that it is not read."""

    index: int
    field: str | None
    unit: str | None


def find_importer(importers: Importers, kind: str) -> Importer:
    """The importer of a kind. Raises UnknownKind."""
    if (importer := importers.get(kind)) is None:
        raise UnknownKind(f"one of {', '.join(sorted(importers))}", field="$.kind")
    return importer


def _find_own(importers: Importers, caller: Caller, kind: str) -> Importer:
    importer = find_importer(importers, kind)
    if not caller.has(importer.role):
        raise MissingRole(f"the role {importer.role} is needed", roles=[importer.role])
    return importer


def options_of(upload: Upload) -> Options:
    """What an upload is of."""
    return Options(market=upload.market)


def get_upload(session: Session, caller: Caller, importers: Importers, upload_id: str) -> tuple[Upload, Importer]:
    """An upload of the caller's company, locked, and its importer. Raises NotFound or MissingRole."""
    upload = get(session, Upload, upload_id, caller)
    if upload.kind not in importers or upload.party_id != caller.party_id:
        raise NotFound(f"no upload {upload_id!r}")
    return upload, _find_own(importers, caller, upload.kind)


def begin_upload(session: Session, caller: Caller, importers: Importers, beginning: Beginning) -> Upload:
    """An upload that waits for its parts.

    Raises UnknownKind, MissingRole, TooManyUploads, or what the importer says of the market.
    """
    importer = _find_own(importers, caller, beginning.kind)
    importer.fields(session, caller, Options(market=beginning.market))
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"upload {caller.party_id}", 0))))
    open_ones = select(func.count()).where(Upload.party_id == caller.party_id, Upload.state.not_in(list(Upload.final)))
    if (session.scalar(open_ones) or 0) >= MAX_OPEN:
        raise TooManyUploads(f"{MAX_OPEN} are not at their end: apply or cancel one", most=MAX_OPEN)
    now = clock.now()
    upload = Upload(
        id=clock.new_id("upload"),
        kind=beginning.kind,
        market=beginning.market,
        party_id=caller.party_id,
        file_name=beginning.file_name,
        sheet=beginning.sheet,
        language=beginning.language,
        state=State.RECEIVING,
        columns=[],
        missing=[],
        due_at=now + WAITS_FOR,
        made_at=now,
        changed_at=now,
        **dict.fromkeys(_COUNTS, 0),
    )
    upload.note_sender(caller, telemetry.current_request_id())
    session.add(upload)
    return upload


_COUNTS = (
    "part_count", "size_bytes", "run", "done_row", "rows", "created", "updated", "unchanged", "refused", "mistakes",
    "totals_differing", "attempts",
)  # fmt: skip


def read_part_number(text: str) -> int:
    """The number of a part, from 1. Raises NotFound when it is none that a file may have."""
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and 1 <= int(text) <= MAX_PARTS):
        raise NotFound(f"parts are numbered from 1 to {MAX_PARTS}")
    return int(text)


def add_part(
    session: Session, caller: Caller, importers: Importers, upload_id: str, number: int, body: bytes, sha256: str | None
) -> UploadPart:
    """Keep a part of a file; the same bytes again change nothing.

    Raises NotFound, PartDamaged, PartDiffers, FileTooLarge, or IllegalMove when no more parts are taken.
    """
    upload, _ = get_upload(session, caller, importers, upload_id)
    digest = hashlib.sha256(body).hexdigest()
    if sha256 is not None and sha256.lower() != digest:
        raise PartDamaged("send it again", field="$.sha256")
    known = select(UploadPart.sha256).where(UploadPart.upload_id == upload_id, UploadPart.number == number)
    if (before := session.scalar(known)) is not None:
        if before != digest:
            raise PartDiffers(f"part {number} is there: cancel the upload to begin again")
        return UploadPart(upload_id=upload_id, number=number, sha256=digest, size_bytes=len(body))
    _refuse_part(upload, body)
    part = UploadPart(upload_id=upload_id, number=number, sha256=digest, size_bytes=len(body), body=body)
    session.add(part)
    upload.part_count += 1
    upload.size_bytes += len(body)
    upload.changed_at, upload.due_at = clock.now(), clock.now() + WAITS_FOR
    return part


def _refuse_part(upload: Upload, body: bytes) -> None:
    if not upload.can("close"):
        upload.move("close")
    if not body:
        raise Invalid("the part is empty", field="$")
    if upload.size_bytes + len(body) > MAX_FILE_BYTES:
        raise FileTooLarge(f"a file has at most {MAX_FILE_BYTES >> 20} MiB", field="$")


def send_file(session: Session, caller: Caller, importers: Importers, beginning: Beginning, body: bytes) -> Upload:
    """Begin an upload with all of its file, and close it. Raises what these raise."""
    upload = begin_upload(session, caller, importers, beginning)
    session.flush()
    add_part(session, caller, importers, upload.id, 1, body, None)
    session.flush()
    return close_upload(session, caller, importers, upload.id, 1)


def close_upload(session: Session, caller: Caller, importers: Importers, upload_id: str, parts: int) -> Upload:
    """Say that the file has so many parts: the worker looks into it. Raises NotFound, IllegalMove or PartsMissing."""
    upload, _ = get_upload(session, caller, importers, upload_id)
    upload.move("close")
    there = set(session.scalars(select(UploadPart.number).where(UploadPart.upload_id == upload_id)))
    missing = sorted(set(range(1, parts + 1)) ^ there)
    if missing:
        raise PartsMissing("not there, or more than were said", parts=missing[:100])
    upload.due_at, upload.changed_at = None, clock.now()
    return upload


def map_columns(
    session: Session, caller: Caller, importers: Importers, upload_id: str, choices: Sequence[Choice]
) -> Upload:
    """Say what columns are; those that are not named stay as they are. It is kept for files with the same headings.

    Raises NotFound, IllegalMove or UnknownColumn.
    """
    upload, importer = get_upload(session, caller, importers, upload_id)
    upload.stand("map", clock.now())
    fields = importer.fields(session, caller, options_of(upload))
    columns = _choose(columns_of(upload), {each.name: each for each in fields}, choices)
    _refuse_twice(columns)
    keep_columns(upload, fields, columns)
    _keep_mapping(session, upload, columns)
    return upload


def _choose(columns: list[Column], fields: Mapping[str, Field], choices: Sequence[Choice]) -> list[Column]:
    for place, choice in enumerate(choices):
        where = f"$.columns[{place}]"
        if choice.index >= len(columns):
            raise UnknownColumn(f"the file has {len(columns)} columns", field=f"{where}.column")
        if choice.field is not None and choice.field not in fields:
            raise UnknownColumn(f"one of {', '.join(fields)}", field=f"{where}.field")
        if choice.unit is not None and (choice.field is None or factor_of(fields[choice.field], choice.unit) is None):
            raise UnknownColumn(f"no unit of this column is called {choice.unit!r}", field=f"{where}.unit")
        before = columns[choice.index]
        columns[choice.index] = replace(before, field=choice.field, unit=choice.unit, source="chosen", reason=None)
    return columns


def _refuse_twice(columns: Sequence[Column]) -> None:
    first: dict[str, Column] = {}
    for column in columns:
        if column.field is not None and (other := first.setdefault(column.field, column)) is not column:
            raise UnknownColumn(
                f"column {column.index + 1} is the same as column {other.index + 1}: {column.field}", field="$.columns"
            )


def keep_columns(upload: Upload, fields: Sequence[Field], columns: Sequence[Column]) -> None:
    """Note what the columns of a file are, and what none is known for."""
    samples = {column["index"]: column.get("samples", []) for column in upload.columns}
    upload.columns = [asdict(column) | {"samples": samples.get(column.index, [])} for column in columns]
    upload.missing = [{"field": each.name, **each.label} for each in list_missing(fields, columns)]


def _keep_mapping(session: Session, upload: Upload, columns: Sequence[Column]) -> None:
    row: dict[str, Any] = {
        "party_id": upload.party_id,
        "kind": upload.kind,
        "market": upload.market,
        "headings_digest": digest_headings([column.heading for column in columns]),
        "columns": [{"index": each.index, "field": each.field, "unit": each.unit} for each in columns],
        "changed_at": clock.now(),
    }
    made = insert(UploadMapping).values(row)
    kept = made.on_conflict_do_update(
        constraint=UploadMapping.__table__.primary_key,
        set_={"columns": made.excluded["columns"], "changed_at": made.excluded.changed_at},
    )
    session.execute(kept)


def recall_columns(session: Session, upload: Upload, fields: Sequence[Field], columns: list[Column]) -> list[Column]:
    """The columns of a file as its company has mapped files with the same headings before, otherwise as guessed."""
    key = (upload.party_id, upload.kind, upload.market, digest_headings([column.heading for column in columns]))
    kept = session.get(UploadMapping, key)
    by_name = {each.name: each for each in fields}
    for each in kept.columns if kept else []:
        field, unit = each["field"], each["unit"]
        if field is None or (field in by_name and factor_of(by_name[field], unit) is not None):
            before = columns[each["index"]]
            if (before.field, before.unit) != (field, unit):
                columns[each["index"]] = replace(before, field=field, unit=unit, source="kept", reason=None)
    return columns


def start_run(session: Session, caller: Caller, importers: Importers, upload_id: str, move: str) -> Upload:
    """Let the worker check an upload, or apply it. Raises NotFound, IllegalMove, ColumnsMissing or TotalsDiffer."""
    upload, _ = get_upload(session, caller, importers, upload_id)
    upload.begin_run(move, clock.now())
    upload.note_sender(caller, telemetry.current_request_id())
    session.execute(delete(UploadMistake).where(UploadMistake.upload_id == upload_id, UploadMistake.run < upload.run))
    return upload


def cancel_upload(session: Session, caller: Caller, importers: Importers, upload_id: str) -> Upload:
    """End an upload; what was applied stays in. Raises NotFound or IllegalMove."""
    upload, _ = get_upload(session, caller, importers, upload_id)
    upload.end("cancel", clock.now())
    return upload


def expire_upload(session: Session, caller: Caller, upload_id: str) -> None:
    """End an upload that has waited for its sender too long: the timer of a service that mounts uploads."""
    upload = get(session, Upload, upload_id, caller)
    if upload.can("expire") and upload.due_at is not None and upload.due_at <= clock.now():
        upload.end("expire", clock.now())
