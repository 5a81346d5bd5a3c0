"""What orders said of an offer, kept so that the search index can be made again at any time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Index, true
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from chassis.auth import Caller
from services.catalog.base import Base

OPEN_OFFER = ("listed", "partly_taken")


class SearchedOffer(Base):
    """An offer: projection of ``orders.offer_described`` by the search's own consumer group; ``event`` is its content.

    ``touched_at`` is when something that its document is made of was last heard.
    """

    __tablename__ = "searched_offer"

    offer_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    seller_id: Mapped[str] = mapped_column(index=True)
    warehouse_id: Mapped[str] = mapped_column(index=True)
    is_open: Mapped[bool]
    piece_ids: Mapped[list[str]] = mapped_column(ARRAY(Text))
    event: Mapped[dict[str, Any]] = mapped_column(JSONB)
    touched_at: Mapped[datetime] = mapped_column(index=True)

    __table_args__ = (Index("ix_searched_offer_piece_ids", piece_ids, postgresql_using="gin"),)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else cls.is_open
