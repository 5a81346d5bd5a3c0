"""A piece as the catalog described it, and who may ask where it is."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.orm import Mapped, mapped_column

from chassis.auth import Caller
from services.logistics.base import Base


class PieceViewer(Base):
    """A company that may ask where a piece is, because it is or was party to a deal over it."""

    __tablename__ = "piece_viewer"

    piece_id: Mapped[str] = mapped_column(primary_key=True)
    party_id: Mapped[str] = mapped_column(primary_key=True)


class Piece(Base):
    """A tracked piece: projection of ``catalog.piece_described``.

    ``epc`` is the hex digits of its tag in upper case, ``link`` the canonical URI that those name.
    """

    __tablename__ = "piece"

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    number: Mapped[str]
    owner_id: Mapped[str]
    warehouse_id: Mapped[str]
    epc: Mapped[str | None] = mapped_column(index=True)
    link: Mapped[str | None] = mapped_column(index=True)

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        if caller.is_operator:
            return true()
        viewers = select(PieceViewer.piece_id).where(PieceViewer.party_id == caller.party_id)
        return or_(cls.owner_id == caller.party_id, cls.warehouse_id == caller.party_id, cls.id.in_(viewers))
