"""The base of the tables of settlement, and the column that keeps an immutable struct as JSON."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from chassis import database
from chassis.values import read_wire, write_wire

Base: Any = database.base("settlement")


class Stored(TypeDecorator[Any]):
    """A struct, or a list of them, as JSON; it is read back with its types and replaced whole, never changed in place."""

    impl = JSONB
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__(none_as_null=True)
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else msgspec.to_builtins(value, enc_hook=write_wire)

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return None if value is None else msgspec.convert(value, self.kind, dec_hook=read_wire)
