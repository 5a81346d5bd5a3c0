"""One upload that a worker works on: its file in a temporary one, how far it is read, and what comes of each batch."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from datetime import timedelta
from typing import BinaryIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis import clock, telemetry
from chassis.access import AccessDenial
from chassis.auth import AccessEnded, Caller
from chassis.database import Database, get_if_any
from chassis.problems import Invalid
from chassis.uploads.cells import Records, Row, text_of
from chassis.uploads.commands import keep_columns, options_of, recall_columns
from chassis.uploads.fields import Batcher, Field, Importer, Outcome, TotalWords
from chassis.uploads.headings import guess_columns
from chassis.uploads.mistakes import add_mistakes
from chassis.uploads.model import MAX_ROWS, State, TooManyRows, Upload, UploadPart, columns_of
from chassis.uploads.tables import Checked, Mistake, Table, find_format, open_records, read_heading
from chassis.uploads.text_spool import IN_MEMORY_BYTES
from chassis.uploads.xml_parts import IN_A_WORKER

BATCH = 2_000
BATCHES_A_STEP = 8
RECORDS_A_STEP = 20_000
"""Blank rows among them: a step ends after so many however few rows it has found."""
SAMPLES = 3
LONGEST_SAMPLE = 100
SYSTEM = Caller.system("uploads")


class Overtaken(Exception):
    """The upload was cancelled, or another worker has taken it further."""


class _Undone(Exception):
    """Carries out of a transaction what would come of it."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome


class Job:
    """One upload in hand, from when it was claimed until it waits for its sender or is at its end."""

    def __init__(self, importer: Importer, database: Database, upload: Upload, *, lease: timedelta) -> None:
        self.upload_id = upload.id
        self._importer, self._database, self._upload, self._lease = importer, database, upload, lease
        self._state, self._run, self._done_row, self._count = upload.state, upload.run, upload.done_row, upload.rows
        self._begun_at, self._renewed_at = upload.done_row, clock.now()
        self._trace = telemetry.Trace(upload.request_id, None)
        self._file: BinaryIO | None = None
        self._records: Records = iter(())
        self._table: Table | None = None
        self._batcher: Batcher

    def step(self) -> bool:
        """One bounded piece of work; whether that was the last. Raises what the importer's commands raise."""
        token = telemetry.current_trace.set(self._trace)
        try:
            return self._open() if self._state == State.OPENING else self._read_on()
        except Overtaken:
            return True
        except (Invalid, AccessEnded) as problem:
            self._refuse(problem.detail or problem.title())
            return True
        finally:
            telemetry.current_trace.reset(token)

    def close(self) -> None:
        """Give the temporary files up."""
        with suppress(ValueError, AttributeError):
            self._records.close()  # type: ignore[attr-defined]
        if self._table is not None:
            self._table.close()
        if self._file is not None:
            self._file.close()

    def _list_fields(self, session: Session) -> list[Field]:
        return self._importer.fields(session, self._upload.caller, options_of(self._upload))

    def _open(self) -> bool:
        """Find out what the file is and what its columns are."""
        self._file = self._database.look(lambda session: spool_parts(session, self.upload_id))
        format = find_format(self._file)
        self._records = open_records(self._file, self._upload.sheet, IN_A_WORKER)
        heading_row, headings = read_heading(self._records)
        samples = _take_samples(self._records)

        def keep(session: Session) -> None:
            upload = self._lock(session)
            fields = self._list_fields(session)
            columns = recall_columns(session, upload, fields, guess_columns(fields, headings))
            upload.format, upload.heading_row = format, heading_row
            upload.columns = [{"index": n, "samples": each} for n, each in enumerate(zip(*samples, strict=False))]
            keep_columns(upload, fields, columns)
            upload.stand("open", clock.now())

        self._database.run(keep)
        return True

    def _read_on(self) -> bool:
        """Take the next batches in, and pass over what is in already; at the end of the file finish.

        A batch is read and checked while the one before it is on its way to the database.
        """
        if self._table is None:
            self._table = self._open_table()
        with ThreadPoolExecutor(1) as storing:
            under_way: Future[None] | None = None
            try:
                for _ in range(BATCHES_A_STEP):
                    checked, last_row, is_end = self._read_batch()
                    if under_way is not None:
                        under_way.result()
                        under_way = None
                    if checked is not None and last_row > self._done_row:
                        under_way = storing.submit(copy_context().run, self._take_in, checked, last_row)
                    if is_end:
                        break
            finally:
                if under_way is not None:
                    under_way.result()
        return self._finish() if is_end else self._renew()

    def _read_batch(self) -> tuple[Checked | None, int, bool]:
        """The next rows as they are understood, the number of the last of them, and whether the file ends there."""
        assert self._table is not None
        records, is_end = _take_batch(self._records, until_row=self._begun_at)
        return (self._table.read(records), records[-1][0], is_end) if records else (None, 0, is_end)

    def _open_table(self) -> Table:
        upload = self._upload
        fields, self._batcher, totals = self._database.look(self._prepare)
        self._file = self._database.look(lambda session: spool_parts(session, self.upload_id))
        self._records = open_records(self._file, upload.sheet, IN_A_WORKER)
        read_heading(self._records)
        return Table(fields, columns_of(upload), check=self._batcher.check, totals=totals)

    def _prepare(self, session: Session) -> tuple[list[Field], Batcher, TotalWords]:
        importer, caller, options = self._importer, self._upload.caller, options_of(self._upload)
        return (
            importer.fields(session, caller, options),
            importer.open(session, caller, options),
            importer.totals(session, options),
        )

    def _take_in(self, checked: Checked, last_row: int) -> None:
        if self._count + checked.count > MAX_ROWS:
            raise TooManyRows(f"the file has more than {MAX_ROWS} rows: send it in parts")
        rows = [values for _, values in checked.rows]
        outcome = Outcome()
        if self._state == State.CHECKING and rows:
            outcome = self._try_out(rows)

        def commit(session: Session) -> None:
            upload = self._lock(session)
            _refuse_ended_access(session, upload)
            result = self._batcher.store(session, rows) if self._state == State.APPLYING and rows else outcome
            self._note(session, upload, checked, result, last_row)

        self._database.run(commit)
        self._done_row, self._count = last_row, self._count + checked.count

    def _try_out(self, rows: Sequence[dict]) -> Outcome:
        """What would become of rows: they are taken in by a transaction that is undone."""

        def undo(session: Session) -> None:
            raise _Undone(self._batcher.store(session, rows))

        try:
            self._database.run(undo)
        except _Undone as undone:
            return undone.outcome
        raise AssertionError("unreachable")

    def _note(self, session: Session, upload: Upload, checked: Checked, outcome: Outcome, last_row: int) -> None:
        taken = outcome.created + outcome.updated + outcome.unchanged
        upload.rows += checked.count
        upload.created += outcome.created
        upload.updated += outcome.updated
        upload.unchanged += outcome.unchanged
        upload.refused += checked.count - taken
        upload.totals_differing += checked.unsound
        upload.note_progress(last_row)
        upload.changed_at, upload.leased_until = clock.now(), clock.now() + self._lease
        add_mistakes(session, upload, self._list_mistakes(checked, outcome))

    def _list_mistakes(self, checked: Checked, outcome: Outcome) -> list[Mistake]:
        assert self._table is not None
        refused = [
            self._table.mistake(checked.rows[place][0], checked.cells[place], name, reason)
            for place, name, reason in outcome.refused
        ]
        return sorted([*checked.mistakes, *refused], key=lambda each: each.row)

    def _finish(self) -> bool:
        def finish(session: Session) -> None:
            upload = self._lock(session)
            upload.rows_expected = upload.rows
            if self._state == State.CHECKING:
                upload.stand("finish_check", clock.now())
            else:
                upload.end("finish", clock.now())

        self._database.run(finish)
        return True

    def _renew(self) -> bool:
        """Keep the lease while rows are passed over, which commits nothing."""
        if clock.now() < self._renewed_at + self._lease / 4:
            return False

        def renew(session: Session) -> None:
            self._lock(session).leased_until = clock.now() + self._lease

        self._database.run(renew)
        self._renewed_at = clock.now()
        return False

    def _refuse(self, reason: str) -> None:
        def refuse(session: Session) -> None:
            self._lock(session).end("refuse", clock.now(), reason)

        with suppress(Overtaken):
            self._database.run(refuse)

    def _lock(self, session: Session) -> Upload:
        """The upload as it was left, locked. Raises Overtaken when it is not so any more."""
        upload = get_if_any(session, Upload, self.upload_id, SYSTEM)
        now = (upload.state, upload.run, upload.done_row) if upload else None
        if upload is None or now != (self._state, self._run, self._done_row):
            raise Overtaken
        return upload


def spool_parts(session: Session, upload_id: str) -> BinaryIO:
    """The file of an upload, put together in a temporary one of which little is held in memory."""
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115
    numbers = select(UploadPart.number).where(UploadPart.upload_id == upload_id).order_by(UploadPart.number)
    for number in session.scalars(numbers).all():
        part = select(UploadPart.body).where(UploadPart.upload_id == upload_id, UploadPart.number == number)
        file.write(session.scalars(part).one())
    file.seek(0)
    return file  # type: ignore[return-value]


def _take_batch(records: Records, *, until_row: int) -> tuple[list[Row], bool]:
    """The next rows that are not blank, none beyond a row if it is still to come; and whether the file ends there."""
    batch: list[Row] = []
    for count, record in enumerate(records, start=1):
        if any(record[1]):
            batch.append(record)
        if len(batch) == BATCH or count == RECORDS_A_STEP or (batch and record[0] == until_row):
            return batch, False
    return batch, True


def _take_samples(records: Records) -> list[list[str]]:
    samples: list[list[str]] = []
    for count, (_, cells) in enumerate(records, start=1):
        if any(cells):
            samples.append([text_of(cell)[:LONGEST_SAMPLE] for cell in cells])
        if len(samples) == SAMPLES or count == RECORDS_A_STEP:
            break
    return samples


def _refuse_ended_access(session: Session, upload: Upload) -> None:
    ended = select(AccessDenial.subject).where(
        AccessDenial.denied, AccessDenial.subject.in_([upload.user_id, upload.party_id])
    )
    if session.scalars(ended.limit(1)).first() is not None:
        raise AccessEnded("the company or its user may no longer act")
