"""The base of the catalog's tables, and one criterion for many values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Text, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY

from chassis import database

Base: Any = database.base("catalog")


def among(column: Any, values: Iterable[str]) -> ColumnElement[bool]:
    """Whether a text column is one of the values.

    One parameter however many there are, so that the statement stays the same.
    """
    return column == any_(literal(sorted(set(values)), ARRAY(Text)))
