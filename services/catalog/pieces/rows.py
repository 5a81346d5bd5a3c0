"""Pieces as rows: what is read, made and changed of many of them at once, without objects of the ORM."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from chassis.values import Exact, Quantity
from services.catalog.pieces.model import Piece, PieceChange
from services.catalog.rows import Rows


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A piece's row: the columns of its table."""

    id: str
    version: int
    market: str
    maker_id: str
    owner_id: str
    warehouse_id: str
    number: str
    title: dict[str, str]
    attributes: dict[str, str]
    net_value: Decimal
    net_unit: str
    gross_value: Decimal
    gross_unit: str
    epc: str | None
    theoretical_value: Decimal | None
    theoretical_unit: str | None
    certificate_no: str | None
    blocked: str | None
    due_at: datetime | None
    product_id: str | None
    market_version: int | None
    digest: str
    made_at: datetime
    changed_at: datetime

    @property
    def net(self) -> Quantity:
        """What it weighs."""
        return Quantity(Exact(self.net_value), self.net_unit)

    @property
    def gross(self) -> Quantity:
        """What it weighs with what it is packed in."""
        return Quantity(Exact(self.gross_value), self.gross_unit)

    @property
    def theoretical(self) -> Quantity | None:
        """What it weighs by its market's formula or table."""
        if self.theoretical_value is None or self.theoretical_unit is None:
            return None
        return Quantity(Exact(self.theoretical_value), self.theoretical_unit)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a piece's history."""

    id: str
    piece_id: str
    version: int
    owner_id: str
    user_id: str
    at: datetime
    changes: dict[str, list[Any]]


_ROWS = Rows(Piece, Row, constant=("id", "maker_id", "owner_id", "number", "market", "made_at"))
_CHANGES = Rows(PieceChange, Change)


def lock_rows(session: Session, ids: Iterable[str]) -> dict[str, Row]:
    """Pieces by id, locked for change in the order of their ids."""
    return _ROWS.lock(session, ids)


def add_rows(session: Session, rows: Sequence[Row]) -> None:
    """Make pieces."""
    _ROWS.add(session, rows)


def change_rows(session: Session, rows: Sequence[Row], changes: Sequence[Change]) -> None:
    """Change pieces that were locked, and remember what changed in them."""
    _ROWS.change(session, rows)
    _CHANGES.add(session, changes)
