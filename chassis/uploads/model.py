"""An upload, the parts in which its file comes, what is wrong in it, and how companies' headings are read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, LargeBinary, Text, true
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller, Kind
from chassis.database import Chassis
from chassis.problems import Conflict, Invalid
from chassis.states import Move, Stateful, state_column
from chassis.uploads.headings import Column

MAX_PART_BYTES = 8 << 20
MAX_PARTS = 1_000
MAX_FILE_BYTES = 512 << 20
MAX_ROWS = 1_000_000
MAX_MISTAKES = 50_000
"""As many are kept of one run; the others are counted."""
MAX_OPEN = 10
"""Uploads of one company that are not at their end."""
WAITS_FOR = timedelta(days=7)
"""An upload of which nothing is heard for so long is closed."""
FILE_KEPT = timedelta(days=1)
"""The bytes of a file are thrown away so long after the end of its upload."""
KEPT = timedelta(days=90)
"""An upload, its counts and its mistakes are forgotten so long after its end."""


class State(StrEnum):
    RECEIVING = "receiving"
    OPENING = "opening"
    OPENED = "opened"
    CHECKING = "checking"
    CHECKED = "checked"
    APPLYING = "applying"
    APPLIED = "applied"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


WORKED_ON = (State.OPENING, State.CHECKING, State.APPLYING)


class PartDiffers(Conflict):
    """This part was sent before with other bytes."""


class PartDamaged(Invalid):
    """The bytes of the part are not those whose digest was said."""


class PartsMissing(Conflict):
    """The parts of the file are not all there."""


class FileTooLarge(Invalid):
    """The file is larger than an upload may be."""


class TooManyRows(Invalid):
    """The file has more rows than one upload may have."""


class TooManyUploads(Conflict):
    """The company has as many uploads that are not at their end as it may have."""


class ColumnsMissing(Conflict):
    """No column of the file is known for something that every row must have."""


class TotalsDiffer(Conflict):
    """A row of totals is not the sum of its rows, so nothing of the file is taken in."""


class Upload(Stateful, Chassis):
    """A file with many rows on its way in: sent in parts, its columns mapped, checked without effect, applied.

    ``columns`` are the file's, ``missing`` the labels of what no column is known for. ``run`` counts checks and applications;
    what is counted, and the mistakes, are of the last one. ``done_row`` is the last row that it has taken in, ``attempts`` how
    often it was begun since without getting further. ``reason`` says why it was refused as a whole.
    """

    __tablename__ = "upload"
    __table_args__ = (
        Index("ix_upload_party_id_id", "party_id", "id"),
        Index("ix_upload_due_at", "due_at"),
        Index("ix_upload_purge_at", "purge_at"),
        Index("ix_upload_worked_on", "leased_until", postgresql_where="state IN ('opening', 'checking', 'applying')"),
    )
    initial = State.RECEIVING
    final = frozenset({State.APPLIED, State.REFUSED, State.CANCELLED, State.EXPIRED})
    waits = frozenset({State.RECEIVING, State.OPENED, State.CHECKED})
    moves = {
        "close": Move(State.RECEIVING, to=State.OPENING),
        "open": Move(State.OPENING, to=State.OPENED),
        "map": Move(State.OPENED, State.CHECKED, to=State.OPENED),
        "check": Move(State.OPENED, State.CHECKED, to=State.CHECKING),
        "finish_check": Move(State.CHECKING, to=State.CHECKED),
        "apply": Move(State.OPENED, State.CHECKED, to=State.APPLYING),
        "finish": Move(State.APPLYING, to=State.APPLIED),
        "refuse": Move(*WORKED_ON, to=State.REFUSED),
        "cancel": Move(*(set(State) - final), to=State.CANCELLED),
        "expire": Move(*waits, to=State.EXPIRED),
    }

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    market: Mapped[str]
    party_id: Mapped[str]
    user_id: Mapped[str]
    caller_kind: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    request_id: Mapped[str | None]
    file_name: Mapped[str]
    sheet: Mapped[str | None]
    language: Mapped[str]
    state: Mapped[State] = state_column(State)
    format: Mapped[str | None]
    part_count: Mapped[int]
    size_bytes: Mapped[int]
    heading_row: Mapped[int | None]
    columns: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    missing: Mapped[list[dict[str, str]]] = mapped_column(JSONB)
    run: Mapped[int]
    done_row: Mapped[int]
    rows: Mapped[int]
    created: Mapped[int]
    updated: Mapped[int]
    unchanged: Mapped[int]
    refused: Mapped[int]
    mistakes: Mapped[int]
    totals_differing: Mapped[int]
    rows_expected: Mapped[int | None]
    reason: Mapped[str | None]
    attempts: Mapped[int]
    leased_by: Mapped[str | None]
    leased_until: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    purge_at: Mapped[datetime | None]
    made_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    file_purged_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else cls.party_id == caller.party_id

    @property
    def caller(self) -> Caller:
        """Whoever sent it: what it does is done in their name."""
        kind: Kind = self.caller_kind  # type: ignore[assignment]
        return Caller(self.user_id, self.party_id, frozenset(self.roles), kind)

    def note_sender(self, caller: Caller, request_id: str | None) -> None:
        """Remember who set it going and by which request."""
        self.user_id, self.caller_kind, self.request_id = caller.user_id, caller.kind, request_id
        self.roles = sorted(caller.roles)

    def begin_run(self, move: str, at: datetime) -> None:
        """Check it, or apply it, from its first row. Raises IllegalMove, ColumnsMissing or TotalsDiffer."""
        if self.can(move) and self.missing:
            raise ColumnsMissing("map them first", missing=[label["en"] for label in self.missing])
        if move == "apply" and self.state == State.CHECKED and self.totals_differing:
            raise TotalsDiffer("mend the file and send it again", totals_differing=self.totals_differing)
        self.move(move)
        self.run += 1
        self.done_row = self.rows = self.created = self.updated = self.unchanged = self.refused = self.mistakes = 0
        self.totals_differing = self.attempts = 0
        self.leased_until = self.leased_by = self.due_at = None
        self.changed_at = at

    def stand(self, move: str, at: datetime) -> None:
        """Move it to where it waits for its sender."""
        self.move(move)
        self.leased_until = self.leased_by = None
        self.changed_at, self.due_at, self.attempts = at, at + WAITS_FOR, 0

    def note_progress(self, row: int) -> None:
        """Remember the last row that was taken in."""
        self.done_row, self.attempts = row, 0

    def end(self, move: str, at: datetime, reason: str | None = None) -> None:
        """Move it to its end: its file is thrown away some time after."""
        self.move(move)
        self.reason = reason
        self.leased_until = self.leased_by = self.due_at = None
        self.changed_at = self.ended_at = at
        self.purge_at = at + FILE_KEPT


class UploadPart(Chassis):
    """A part of a file: its bytes as they came."""

    __tablename__ = "upload_part"

    upload_id: Mapped[str] = mapped_column(ForeignKey("upload.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sha256: Mapped[str]
    size_bytes: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)


class UploadMistake(Chassis):
    """What is wrong in one cell of a file, in the order of its rows; ``run`` is that of the upload that found it."""

    __tablename__ = "upload_mistake"

    upload_id: Mapped[str] = mapped_column(ForeignKey("upload.id"), primary_key=True)
    run: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    row: Mapped[int]
    heading: Mapped[str]
    value: Mapped[str]
    reason: Mapped[str]
    reason_zh: Mapped[str | None]


class UploadMapping(Chassis):
    """How a company reads the columns of files of a kind and market that have these headings."""

    __tablename__ = "upload_mapping"

    party_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    market: Mapped[str] = mapped_column(primary_key=True)
    headings_digest: Mapped[str] = mapped_column(primary_key=True)
    columns: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    changed_at: Mapped[datetime]


def digest_headings(headings: Sequence[str]) -> str:
    """Equal for files with the same headings in the same order."""
    return hashlib.sha256("\x1f".join(headings).encode("utf-8", "surrogatepass")).hexdigest()


def columns_of(upload: Upload) -> list[Column]:
    """The columns of an upload's file."""
    return [
        Column(**{name: value for name, value in column.items() if name in Column.__slots__})
        for column in upload.columns
    ]
