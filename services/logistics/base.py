"""The base of the tables of logistics, one criterion for many values, and the guard of those that are only ever added to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Text, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY

from chassis import database

Base: Any = database.base("logistics")


def among(column: Any, values: Iterable[str]) -> ColumnElement[bool]:
    """Whether a text column is one of the values: one parameter however many there are."""
    return column == any_(literal(sorted(set(values)), ARRAY(Text)))


REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is only ever added to', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
"""Run by the first migration: the rows of a guarded table are neither changed nor deleted, not by the owner either."""


def guard_table(table: str) -> tuple[str, str]:
    """The statements that make a table append-only; ``refuse_change()`` is there already."""
    return (
        f"CREATE TRIGGER {table}_only_added_to BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM logistics_app",
    )
