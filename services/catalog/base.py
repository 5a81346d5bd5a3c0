"""The base of the catalog's tables, one criterion for many values, and the lock of a company's uploads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Text, any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from chassis import database

Base: Any = database.base("catalog")


def among(column: Any, values: Iterable[str]) -> ColumnElement[bool]:
    """Whether a text column is one of the values.

    One parameter however many there are, so that the statement stays the same.
    """
    return column == any_(literal(sorted(set(values)), ARRAY(Text)))


def lock_uploads(session: Session, party_id: str) -> None:
    """Let what a company sends wait for what it has sent before, until this transaction ends."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(party_id, 0))))
