"""The tags of pieces: which one was on which piece, from when until when, by whom and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, ForeignKey, Index, select, true, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis import clock
from chassis.auth import Caller
from services.catalog.base import Base, among
from services.catalog.pieces.model import Piece, TagTaken
from services.catalog.rows import Rows

UPLOAD, WAREHOUSE = "upload", "warehouse"


class Tag(Base):
    """A tag on a piece: on one at a time, and a piece has one at a time. ``handled_by`` says whether an upload or the
    warehouse saw to it last; ``bound_by`` and ``retired_by`` are parties."""

    __tablename__ = "tag"
    __table_args__ = (
        Index("ix_tag_piece_id_id", "piece_id", "id"),
        Index("uq_tag_on_piece", "piece_id", unique=True, postgresql_where="retired_at IS NULL"),
        Index("uq_tag_epc", "epc", unique=True, postgresql_where="retired_at IS NULL"),
    )
    constraint_problems = {"uq_tag_epc": TagTaken, "uq_tag_on_piece": TagTaken}

    id: Mapped[str] = mapped_column(primary_key=True)
    piece_id: Mapped[str] = mapped_column(ForeignKey("piece.id"))
    epc: Mapped[str]
    handled_by: Mapped[str]
    bound_at: Mapped[datetime]
    bound_by: Mapped[str]
    bound_reason: Mapped[str | None]
    retired_at: Mapped[datetime | None]
    retired_by: Mapped[str | None]
    retired_reason: Mapped[str | None]

    @classmethod
    def visible_to(cls, caller: Caller) -> ColumnElement[bool]:
        if caller.is_operator:
            return true()
        return cls.piece_id.in_(select(Piece.id).where(Piece.visible_to(caller)))


class _Bound(msgspec.Struct, frozen=True, kw_only=True):
    """A tag's row as it begins."""

    id: str
    piece_id: str
    epc: str
    handled_by: str
    bound_at: datetime
    bound_by: str
    bound_reason: str | None


_BOUND = Rows(Tag, _Bound)


def bind_tags(session: Session, caller: Caller, tags: Mapping[str, str], *, source: str, reason: str | None) -> None:
    """Put tags on pieces that have none and are written already, by the pieces' ids; one statement however many they are."""
    now = clock.now()
    bound = [
        _Bound(
            id=id,
            piece_id=piece_id,
            epc=epc,
            handled_by=source,
            bound_at=now,
            bound_by=caller.party_id,
            bound_reason=reason,
        )
        for id, (piece_id, epc) in zip(clock.new_ids("tag", len(tags)), tags.items(), strict=True)
    ]
    _BOUND.add(session, bound)


def retire_tags(
    session: Session, caller: Caller, piece_ids: Collection[str], *, source: str, reason: str | None
) -> None:
    """Take the tags off pieces; one statement however many they are."""
    values = {"retired_at": clock.now(), "retired_by": caller.party_id, "retired_reason": reason}
    if source == WAREHOUSE:
        values["handled_by"] = source
    on_pieces = update(Tag).where(among(Tag.piece_id, piece_ids), Tag.retired_at.is_(None))
    session.execute(on_pieces.values(**values).execution_options(synchronize_session=False))
