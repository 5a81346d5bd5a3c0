"""A piece and its history, and which pieces others have promised."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, ForeignKey, Index, UniqueConstraint, or_, true
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from chassis.auth import Caller
from chassis.database import quantity
from chassis.problems import Conflict
from chassis.values import Quantity, write_wire
from services.catalog.base import Base
from services.catalog.products.model import find_changes

_encode = msgspec.json.Encoder(enc_hook=write_wire, order="deterministic").encode
FREE = "free"
"""The state of every piece so far: what is promised of it is for orders to say."""


class TagTaken(Conflict):
    """A tag is on another piece already."""


class PieceTwice(Conflict):
    """A piece with this number was described by another request at the same time."""


class Draft(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an upload says of one piece: everything was checked by the market's pack.

    ``product_id`` is the product of the same company that it is one of, if it says so.
    """

    number: str
    attributes: dict[str, str]
    net: Quantity
    gross: Quantity
    warehouse_id: str
    epc: str | None
    product_id: str | None = None

    @property
    def digest(self) -> str:
        """Equal for equal drafts: what tells an upload that is repeated from one that changes something."""
        return hashlib.sha256(_encode(self)).hexdigest()


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a market makes of a draft: what people call it, what it weighs in theory, its certificate, why it is blocked.

    ``market_version`` is that of the pack; ``due_at`` is when a document of it begins or ends to be in force next.
    """

    title: dict[str, str]
    theoretical: Quantity | None
    certificate_no: str | None
    blocked: str | None
    due_at: datetime | None
    market_version: int


class Piece(Base):
    """A single tracked piece. ``maker_id`` and ``number`` name it for ever; ``digest`` is that of the draft it was last
    made from.

    ``warehouse_id`` is the party that keeps it, ``epc`` the code on its tag, ``blocked`` why it may not be listed.
    ``product_id`` is the product that it is one of, if any. ``market_version`` is that of the pack it was described by;
    ``due_at`` when a document of it begins or ends to be in force next.
    """

    __tablename__ = "piece"
    __table_args__ = (
        UniqueConstraint("maker_id", "number"),
        UniqueConstraint("epc"),
        Index("ix_piece_owner_id_id", "owner_id", "id"),
        Index("ix_piece_warehouse_id_id", "warehouse_id", "id"),
        Index("ix_piece_maker_id_certificate_no", "maker_id", "certificate_no"),
        Index("ix_piece_product_id_id", "product_id", "id", postgresql_where="product_id IS NOT NULL"),
        Index("ix_piece_due_at", "due_at", postgresql_where="due_at IS NOT NULL"),
    )
    constraint_problems = {"uq_piece_epc": TagTaken, "uq_piece_maker_id_number": PieceTwice}

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    market: Mapped[str]
    maker_id: Mapped[str]
    owner_id: Mapped[str]
    warehouse_id: Mapped[str]
    number: Mapped[str]
    title: Mapped[dict[str, str]] = mapped_column(JSONB)
    attributes: Mapped[dict[str, str]] = mapped_column(JSONB)
    net: Mapped[Quantity] = quantity("net")
    gross: Mapped[Quantity] = quantity("gross")
    epc: Mapped[str | None]
    theoretical: Mapped[Quantity | None] = quantity("theoretical", nullable=True)
    certificate_no: Mapped[str | None]
    blocked: Mapped[str | None]
    due_at: Mapped[datetime | None]
    product_id: Mapped[str | None] = mapped_column(ForeignKey("product.id"))
    market_version: Mapped[int | None]
    digest: Mapped[str]
    made_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        if caller.is_operator:
            return true()
        mine = caller.party_id
        return or_(cls.owner_id == mine, cls.maker_id == mine, cls.warehouse_id == mine)

    def block(self, reason: str | None, at: datetime, due_at: datetime | None = None) -> dict[str, list[Any]]:
        """Say why it may not be listed, or that it may, and when that may change by itself: what changed."""
        before = content_of(self)
        self.blocked, self.due_at = reason, due_at
        return self._count_change(before, at)

    def tag(self, epc: str | None, at: datetime) -> dict[str, list[Any]]:
        """Say which tag is on it, if any: what changed."""
        before = content_of(self)
        self.epc = epc
        return self._count_change(before, at)

    def pass_to(self, buyer_id: str, at: datetime) -> dict[str, list[Any]]:
        """Make it the buyer's, who keeps it itself from now on: what changed."""
        before = content_of(self)
        self.owner_id = self.warehouse_id = buyer_id
        return self._count_change(before, at)

    def _count_change(self, before: dict[str, Any], at: datetime) -> dict[str, list[Any]]:
        if changes := find_changes(before, content_of(self)):
            self.version, self.changed_at = self.version + 1, at
        return changes


class PieceChange(Base):
    """What changed in a piece, when, and by whom: names with the value before and after. Seen by who owned it then."""

    __tablename__ = "piece_change"
    __table_args__ = (Index("ix_piece_change_piece_id_id", "piece_id", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    piece_id: Mapped[str] = mapped_column(ForeignKey("piece.id"))
    version: Mapped[int]
    owner_id: Mapped[str]
    user_id: Mapped[str]
    at: Mapped[datetime]
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else cls.owner_id == caller.party_id


class OfferedPieces(Base):
    """The pieces that an offer holds.

    Projection of ``orders.offer_described``, free and taken ones together while it does.
    """

    __tablename__ = "offered_pieces"

    offer_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    piece_ids: Mapped[list[str]] = mapped_column(ARRAY(Text))

    __table_args__ = (Index("ix_offered_pieces_piece_ids", piece_ids, postgresql_using="gin"),)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else cls.offer_id.is_(None)


class PassedPiece(Base):
    """A piece that a deal has made its buyer's: orders may say so more than once, and the buyer may have sold it on since."""

    __tablename__ = "passed_piece"

    deal_id: Mapped[str] = mapped_column(primary_key=True)
    piece_id: Mapped[str] = mapped_column(primary_key=True)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        return true() if caller.is_operator else cls.deal_id.is_(None)


def content_of(piece: Any) -> dict[str, Any]:
    """What may change in a piece or in its row, by name: attributes as they are called, and what it has besides."""
    return {
        **piece.attributes,
        "owner_id": piece.owner_id,
        "warehouse_id": piece.warehouse_id,
        "epc": piece.epc,
        "blocked": piece.blocked,
        "product_id": piece.product_id,
        "net": str(piece.net),
        "gross": str(piece.gross),
        "theoretical": str(piece.theoretical) if piece.theoretical else None,
    }
