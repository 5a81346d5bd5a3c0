"""A document of a product, a lot or a piece, the file that it is, and whether that was found to be harmful."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal

from sqlalchemy import ColumnElement, ForeignKey, Index, UniqueConstraint, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from chassis.auth import Caller
from chassis.problems import Conflict
from chassis.states import Move, Stateful, state_column
from services.catalog.base import Base
from services.catalog.documents.papers import Paper

Subject = Literal["product", "lot", "piece"]
Use = Literal["document", "media"]


class Scan(StrEnum):
    UNSCANNED = "unscanned"
    CLEAN = "clean"
    BAD = "bad"


class DocumentTwice(Conflict):
    """A document of this kind and number came by another request at the same time."""


class StoredFile(Stateful, Base):
    """The bytes of a file, kept once under their SHA-256, and what a scanner for viruses found in them.

    It is unscanned while the scanner was not asked or has not answered. Once bad it is served to nobody.
    """

    __tablename__ = "certificate_file"

    initial = Scan.UNSCANNED
    final = frozenset({Scan.BAD})
    moves = {
        "clear": Move(Scan.UNSCANNED, to=Scan.CLEAN),
        "condemn": Move(Scan.UNSCANNED, Scan.CLEAN, to=Scan.BAD),
    }

    id: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[bytes] = mapped_column(deferred=True)
    state: Mapped[Any] = state_column(Scan, server_default=Scan.UNSCANNED)
    scanned_at: Mapped[datetime | None]
    found: Mapped[str | None]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return cls.id.is_(None)


class Document(Base):
    """A document or a picture of something; one that is replaced is kept.

    ``subject`` and ``subject_id`` say what carries it; ``rule`` is the market's rule that a document answers, or the role of a
    picture. ``number`` and ``revision`` name it there. ``party_id`` is who added it.
    """

    __tablename__ = "document"
    __table_args__ = (
        UniqueConstraint("subject_id", "rule", "number", "revision"),
        Index(
            "uq_document_in_force",
            "subject_id",
            "rule",
            "number",
            unique=True,
            postgresql_where="replaced_at IS NULL",
        ),
        Index("ix_document_file_id", "file_id"),
    )
    constraint_problems = {
        "uq_document_in_force": DocumentTwice,
        "uq_document_subject_id_rule_number_revision": DocumentTwice,
    }

    id: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str]
    subject_id: Mapped[str]
    use: Mapped[str]
    rule: Mapped[str]
    number: Mapped[str]
    revision: Mapped[int]
    type: Mapped[str | None]
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text))
    issued_on: Mapped[date | None]
    valid_from: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    file_id: Mapped[str] = mapped_column(ForeignKey("certificate_file.id"))
    party_id: Mapped[str]
    user_id: Mapped[str]
    added_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else cls.party_id == caller.party_id

    @property
    def paper(self) -> Paper:
        """What counts of it for the market's rule."""
        return Paper(
            rule=self.rule,
            languages=tuple(self.languages),
            issued_on=self.issued_on,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
        )
