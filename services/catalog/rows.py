"""Statements that lock, make and change many rows of a table at once: one each, however many they are, and no objects of the ORM.

Rows travel as one JSON text, which PostgreSQL takes apart: the least that both sides must do for a row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from chassis.values import write_wire

R = TypeVar("R", bound=msgspec.Struct)
_encode = msgspec.json.Encoder(enc_hook=write_wire).encode
_dialect = postgresql.dialect()


class Rows(Generic[R]):
    """A model's table as structs whose fields are columns of it, ``id`` among them; ``constant`` ones never change."""

    def __init__(self, model: Any, struct: type[R], constant: Collection[str] = ("id",)) -> None:
        table, names = model.__table__, struct.__struct_fields__
        types = {name: table.c[name].type.compile(_dialect) for name in names}
        columns = ", ".join(names)
        read = ", ".join(_read(name, types[name]) for name in names)
        sent = ", ".join(f"{name} {type}" for name, type in types.items())
        source = f"FROM json_to_recordset(%(rows)s ::json) AS row ({sent})"
        changed = ", ".join(f"{name} = row.{name}" for name in names if name not in constant)
        self._struct = struct
        self._lock = f"SELECT {read} FROM {table.name} WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE"
        self._add = f"INSERT INTO {table.name} ({columns}) SELECT {columns} {source}"
        self._change = f"UPDATE {table.name} SET {changed} {source} WHERE {table.name}.id = row.id"

    def lock(self, session: Session, ids: Iterable[str]) -> dict[str, R]:
        """Rows by id, locked for change in the order of their ids; one that there is not is absent."""
        found = session.connection().exec_driver_sql(self._lock, {"ids": list(ids)})
        return {row.id: self._struct(**row._mapping) for row in found}

    def add(self, session: Session, rows: Sequence[R]) -> None:
        """Make rows, in their order."""
        _send(session, self._add, rows)

    def change(self, session: Session, rows: Sequence[R]) -> None:
        """Write rows that were locked."""
        _send(session, self._change, rows)


def _read(name: str, type: str) -> str:
    return f"trim_scale({name}) AS {name}" if type.startswith("NUMERIC") else name


def _send(session: Session, statement: str, rows: Sequence[msgspec.Struct]) -> None:
    if rows:
        session.connection().exec_driver_sql(statement, {"rows": _encode(rows).decode()})
