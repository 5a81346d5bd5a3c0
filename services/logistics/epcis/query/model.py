"""The tables of queries: named queries, and pages that were ended before their time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from services.logistics.base import Base


class NamedQuery(Base):
    """A query that a company keeps under a name. ``query`` is the JSON object that was sent."""

    __tablename__ = "epcis_query"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[str]
    name: Mapped[str]
    query: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        """A company's own; the operator's are those of the platform."""
        return cls.owner_id == caller.party_id


class EndedPage(Base):
    """The digest of a nextPageToken that its caller ended, kept until the token is past its time anyway."""

    __tablename__ = "epcis_ended_page"

    digest: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime]
