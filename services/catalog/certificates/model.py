"""A certificate and its file, the rule by which a piece without it is blocked, and who has paid for which pieces."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, ForeignKey, Index, UniqueConstraint, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from chassis.auth import Caller
from chassis.problems import Conflict
from services.catalog.base import Base
from services.catalog.markets.pack import CertificateRule

Block = Literal["certificate_missing", "certificate_names_other_heat"]


class CertificateTwice(Conflict):
    """A certificate with this number came by another request at the same time."""


class Certificate(Base):
    """What a maker's certificate names, and its file. One that is replaced is kept; ``number`` and ``revision`` name it."""

    __tablename__ = "certificate"
    __table_args__ = (
        UniqueConstraint("party_id", "number", "revision"),
        Index("uq_certificate_in_force", "party_id", "number", unique=True, postgresql_where="replaced_at IS NULL"),
        Index("ix_certificate_party_id_id", "party_id", "id"),
        Index("ix_certificate_file_id", "file_id"),
    )
    constraint_problems = {
        "uq_certificate_in_force": CertificateTwice,
        "uq_certificate_party_id_number_revision": CertificateTwice,
    }

    id: Mapped[str] = mapped_column(primary_key=True)
    party_id: Mapped[str]
    number: Mapped[str]
    revision: Mapped[int]
    type: Mapped[str]
    heats: Mapped[list[str]] = mapped_column(ARRAY(Text))
    media_type: Mapped[str]
    size: Mapped[int]
    file_id: Mapped[str] = mapped_column(ForeignKey("certificate_file.id"))
    added_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else cls.party_id == caller.party_id

    def says(self, type: str, heats: Collection[str], file_id: str) -> bool:
        """Whether it is this very certificate."""
        return (self.type, set(self.heats), self.file_id) == (type, set(heats), file_id)


class PaidPieces(Base):
    """The pieces of a deal that its buyer has paid for and may have delivered: projection of ``orders.deal_described``."""

    __tablename__ = "paid_pieces"

    deal_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    buyer_id: Mapped[str]
    piece_ids: Mapped[list[str]] = mapped_column(ARRAY(Text))

    __table_args__ = (Index("ix_paid_pieces_piece_ids", piece_ids, postgresql_using="gin"),)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return cls.buyer_id == caller.party_id


def find_block(
    rule: CertificateRule | None, attributes: Mapping[str, str], batches: Collection[str] | None
) -> Block | None:
    """Why a piece may not be listed: ``batches`` are those that its certificate names, None where there is no certificate."""
    if rule is None or not rule.required:
        return None
    if batches is None:
        return "certificate_missing"
    named = {fold_batch(batch) for batch in batches}
    return None if fold_batch(attributes.get(rule.batch, "")) in named else "certificate_names_other_heat"


def fold_batch(text: str) -> str:
    """A heat's number without width, case and spaces."""
    return "".join(unicodedata.normalize("NFKC", text).upper().split())
