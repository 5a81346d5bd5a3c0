"""A market as it was last told to the other services."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from services.catalog.base import Base


class Market(Base):
    """An industry: ``digest`` tells whether its pack has changed since ``version`` was told.

    ``pack`` is its content then.
    """

    __tablename__ = "market"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    digest: Mapped[str]
    pack: Mapped[dict[str, Any]] = mapped_column(JSONB)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true()
