"""Markets as they were last told to the other services, and every version of their packs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, UniqueConstraint, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from services.catalog.base import Base

RELEASE, OPERATOR = "release", "operator"


class Market(Base):
    """An industry: ``digest`` tells whether its pack has changed since ``version`` was told.

    ``pack`` is its content then; ``source`` is who changed it last, a release of the platform or an operator.
    """

    __tablename__ = "market"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    digest: Mapped[str]
    pack: Mapped[dict[str, Any]] = mapped_column(JSONB)
    source: Mapped[str] = mapped_column(server_default=RELEASE)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true()


class MarketVersion(Base):
    """A pack as it was published: what was made under it keeps it. ``user_id`` is the operator who did, if one did.

    The content of the latest version stands in Market alone.
    """

    __tablename__ = "market_version"
    __table_args__ = (UniqueConstraint("market", "version"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    market: Mapped[str]
    version: Mapped[int]
    digest: Mapped[str]
    pack: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    source: Mapped[str]
    user_id: Mapped[str | None]
    published_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true()
