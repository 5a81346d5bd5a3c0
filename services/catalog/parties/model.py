"""A company as identity described it, as far as the catalog must know it."""

from __future__ import annotations

import unicodedata
from typing import Any

from sqlalchemy import ColumnElement, Index
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from chassis.auth import Caller
from services.catalog.base import Base

ADMITTED = "admitted"


class Party(Base):
    """A company: projection of ``identity.party_described``.

    ``known_as`` are the folded texts that name it in an upload; ``licences`` are as identity has them, those that are over
    among them.
    """

    __tablename__ = "party"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    name: Mapped[str]
    state: Mapped[str]
    known_as: Mapped[list[str]] = mapped_column(ARRAY(Text))
    group_id: Mapped[str | None]
    licences: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")

    __table_args__ = (Index("ix_party_known_as", known_as, postgresql_using="gin"),)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return cls.id == caller.party_id


def fold_party_name(text: str) -> str:
    """A company's name, id or identifier without width, case and spaces."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
