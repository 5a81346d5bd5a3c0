"""In which order answers come, and how a page goes on where another ended: by the key of its last event, never by counting."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Integer,
    Numeric,
    String,
    Text,
    case,
    cast,
    func,
    literal,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSONPATH, array

from services.logistics.epcis.model import EpcisEvent
from services.logistics.epcis.query.conditions import Order
from services.logistics.epcis.query.names import Name
from services.logistics.epcis.query.paths import ANY, STAMP, UNDECLARED, fill_name

_NONE, _TEXT, _NUMBER = 0, 1, 2
COMPARED = 100
"""Characters of an extension field that count for its order: all of them go into the address of the next page."""


class Cursor(msgspec.Struct, frozen=True):
    """Where a page goes on: behind the event with this key; ``left`` are the answers still wanted, if there is a limit."""

    key: tuple[str, ...]
    left: int | None = None


def list_keys(order: Order, spell: Any) -> list[ColumnElement[Any]]:
    """What to order by, last the sequence, which no two events share. ``spell`` names a field whose prefix is undeclared."""
    if isinstance(order.by, Name):
        return [*_field_keys(order.by, spell), EpcisEvent.sequence]
    return [getattr(EpcisEvent, order.by), EpcisEvent.sequence]


def sort_by(keys: Sequence[ColumnElement[Any]], order: Order) -> list[ColumnElement[Any]]:
    """The keys in the wanted direction."""
    return [key.asc() if order.ascending else key.desc() for key in keys]


def follows(keys: Sequence[ColumnElement[Any]], order: Order, cursor: Cursor) -> ColumnElement[bool]:
    """What comes behind a cursor. Raises ValueError for one of another order."""
    kinds = [DateTime(timezone=True), BigInteger()]
    if isinstance(order.by, Name):
        kinds = [Integer(), Numeric(), Text(collation="C"), BigInteger()]
    bound = [literal(_read(kind, text), kind) for kind, text in zip(kinds, cursor.key, strict=True)]
    return tuple_(*keys) > tuple_(*bound) if order.ascending else tuple_(*keys) < tuple_(*bound)


def write_key(values: Sequence[Any]) -> tuple[str, ...]:
    """The key of an event as a cursor has it."""
    return tuple(value.isoformat() if isinstance(value, datetime) else str(value) for value in values)


def _read(kind: Any, text: str) -> Any:
    if isinstance(kind, DateTime):
        return datetime.fromisoformat(text)
    if isinstance(kind, Text):
        return text
    return Decimal(text) if isinstance(kind, Numeric) and not isinstance(kind, Integer) else int(text)


def _field_keys(name: Name, spell: Any) -> list[ColumnElement[Any]]:
    """Numbers and times by their size, then texts by their characters; what an event lacks comes first or last."""
    found = [func.jsonb_path_query_first(EpcisEvent.fields, cast(path, JSONPATH)) for path in _paths(name, spell)]
    first = func.coalesce(*found) if len(found) > 1 else found[0]
    text = func.left(first.op("#>>")(array([], type_=Text)), COMPARED, type_=Text)
    is_number = text.bool_op("~")(literal(ANY, String))
    is_time = text.bool_op("~")(literal(STAMP, String)) & func.pg_input_is_valid(text, "timestamptz")
    number = case(
        (is_number, cast(text, Numeric)),
        (is_time, func.extract("epoch", cast(text, DateTime(timezone=True)))),
        else_=literal(0, Numeric),
    )
    rank = case((text.is_(None), _NONE), (is_number | is_time, _NUMBER), else_=_TEXT)
    letters = case((rank == _TEXT, text), else_="").collate("C")
    return [rank, number, letters]


def _paths(name: Name, spell: Any) -> list[ColumnElement[Any]]:
    paths = [literal(f"$.{part}[*]", String) for part in fill_name("%", name)]
    return [func.replace(path, UNDECLARED, spell(name)) for path in paths] if name.prefix else paths
