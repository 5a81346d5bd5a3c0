"""The base of the tables of orders, the column that keeps an immutable struct as JSON, and a criterion for many ids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import BindParameter, ColumnElement, Text, any_, bindparam, literal
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from chassis import database
from chassis.values import read_wire, write_wire

Base: Any = database.base("orders")
PLAIN = {"synchronize_session": False}
"""Execution options of a statement that changes many rows of which the session holds none."""


class _Stored(TypeDecorator[Any]):
    """Writes a struct, or a list of them, as JSON and reads it back with its types."""

    impl = JSONB
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__(none_as_null=True)
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else msgspec.to_builtins(value, enc_hook=write_wire)

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return None if value is None else msgspec.convert(value, self.kind, dec_hook=read_wire)


def stored(kind: Any) -> Mapped[Any]:
    """A JSONB column that holds a struct type or a list of one; the value is replaced whole, never changed in place."""
    return mapped_column(_Stored(kind))


def among(column: Any, ids: Iterable[str] | BindParameter[Any]) -> ColumnElement[bool]:
    """Whether a text column is one of the ids: one parameter however many there are, so one statement."""
    return column == any_(ids if isinstance(ids, BindParameter) else literal(sorted(ids), ARRAY(Text)))


def many(name: str) -> BindParameter[Any]:
    """A parameter that is a list of ids."""
    return bindparam(name, type_=ARRAY(Text))
