"""Products as rows: what is read, made and changed of many of them at once, without objects of the ORM."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy.orm import Session

from services.catalog.products.model import Product, ProductChange
from services.catalog.rows import Rows


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A product's row: the columns of its table."""

    id: str
    version: int
    market: str
    market_version: int
    product_type: str
    owner_id: str
    number: str
    group_id: str | None
    state: str
    title: dict[str, str]
    attributes: dict[str, str]
    texts: dict[str, str]
    gtin: str | None
    hidden_by: list[dict[str, Any]] | None
    equal_keys: list[str] | None
    blocked: str | None
    due_at: datetime | None
    proposed: dict[str, Any] | None
    reason: str | None
    digest: str
    made_by: str
    made_at: datetime
    changed_at: datetime


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a product's history."""

    id: str
    product_id: str
    version: int
    user_id: str
    at: datetime
    changes: dict[str, list[Any]]


class Known(NamedTuple):
    """What must be known of a product to see whether a draft changes it."""

    id: str
    digest: str
    market: str
    state: str


_ROWS = Rows(Product, Row, constant=("id", "owner_id", "number", "market", "made_by", "made_at"))
_CHANGES = Rows(ProductChange, Change)
_KNOWN = (
    "SELECT number, id, digest, market, state FROM product WHERE owner_id = %(owner_id)s AND number = ANY(%(numbers)s)"
)


def find_known(session: Session, owner_id: str, numbers: Sequence[str]) -> dict[str, Known]:
    """A company's products by number, as far as they are there."""
    found = session.connection().exec_driver_sql(_KNOWN, {"owner_id": owner_id, "numbers": list(numbers)})
    return {number: Known(*known) for number, *known in found}


def lock_rows(session: Session, ids: Sequence[str]) -> dict[str, Row]:
    """Products by id, locked for change in the order of their ids."""
    return _ROWS.lock(session, ids)


def add_rows(session: Session, rows: Sequence[Row]) -> None:
    """Make products."""
    _ROWS.add(session, rows)


def change_rows(session: Session, rows: Sequence[Row], changes: Sequence[Change]) -> None:
    """Change products that were locked, and remember what changed in them."""
    _ROWS.change(session, rows)
    _CHANGES.add(session, changes)
