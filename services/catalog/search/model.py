"""What was said of things that can be found, kept so that the search index can be made again at any time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Identity, Index, false, true
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import BigInteger, Text

from chassis.auth import Caller
from services.catalog.base import Base


class SearchedThing(Base):
    """An offer, a product or a posting, as the search's own consumer group heard of it; ``event`` is the content.

    ``touched_at`` is when something that its document is made of was last heard, ``made_at`` when it was first.
    """

    __tablename__ = "searched_thing"

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger)
    owner_id: Mapped[str] = mapped_column(index=True)
    warehouse_id: Mapped[str | None] = mapped_column(index=True)
    product_id: Mapped[str | None] = mapped_column(index=True)
    is_open: Mapped[bool]
    piece_ids: Mapped[list[str]] = mapped_column(ARRAY(Text))
    event: Mapped[dict[str, Any]] = mapped_column(JSONB)
    made_at: Mapped[datetime]
    touched_at: Mapped[datetime] = mapped_column(index=True)

    __table_args__ = (Index("ix_searched_thing_piece_ids", piece_ids, postgresql_using="gin"),)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else false()


class SearchedOffer(Base):
    """What the release before kept of offers: it may still run while this one is rolled out, and nothing here reads it."""

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
        return false()


class RatedDeal(Base):
    """A deal and how it ended: what the ratings of both sides are made of.

    ``outcome`` is open, kept, or the side (seller, buyer) that broke it.
    """

    __tablename__ = "rated_deal"

    id: Mapped[str] = mapped_column(primary_key=True)
    seller_id: Mapped[str] = mapped_column(index=True)
    buyer_id: Mapped[str] = mapped_column(index=True)
    outcome: Mapped[str]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else false()


class SearchedLock(Base):
    """Licences that open something to a buyer; ``needs`` are as the events say them."""

    __tablename__ = "searched_lock"

    id: Mapped[str] = mapped_column(primary_key=True)
    needs: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true()


class SearchedWord(Base):
    """A Latin word that something was found by: what a misspelled one may have meant. ``number`` is their order."""

    __tablename__ = "searched_word"

    word: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, Identity(), unique=True)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true()
