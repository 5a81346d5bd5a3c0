"""Values as columns: a Money, Quantity or UnitPrice is kept in columns of its own, so that SQL can reckon with it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from sqlalchemy import CHAR, BigInteger, Numeric, String
from sqlalchemy.orm import Composite, composite, mapped_column
from sqlalchemy.types import TypeDecorator

from chassis.values import Exact, Money, Quantity, UnitPrice


class _Plain(TypeDecorator[Decimal]):
    """NUMERIC(18,6) without the zeros that PostgreSQL pads with: 23.450000 is read as 23.45."""

    impl = Numeric(18, 6)
    cache_ok = True

    def process_result_value(self, value: Decimal | None, dialect: Any) -> Decimal | None:
        if value is None:
            return None
        text = format(value, "f")
        return Exact(text.rstrip("0").rstrip(".") if "." in text else text)


def money(name: str, nullable: bool = False) -> Composite[Any]:
    """A Money in two columns, ``name_amount`` and ``name_currency``."""
    return composite(
        _or_none(Money) if nullable else Money,
        mapped_column(f"{name}_amount", BigInteger, nullable=nullable),
        mapped_column(f"{name}_currency", CHAR(3), nullable=nullable),
    )


def quantity(name: str, nullable: bool = False) -> Composite[Any]:
    """A Quantity in two columns, ``name_value`` and ``name_unit``."""
    return composite(
        _or_none(Quantity) if nullable else Quantity,
        mapped_column(f"{name}_value", _Plain, nullable=nullable),
        mapped_column(f"{name}_unit", String(3), nullable=nullable),
    )


def unit_price(name: str, nullable: bool = False) -> Composite[Any]:
    """A UnitPrice in three columns, ``name_value``, ``name_currency`` and ``name_unit``."""
    return composite(
        _or_none(UnitPrice) if nullable else UnitPrice,
        mapped_column(f"{name}_value", _Plain, nullable=nullable),
        mapped_column(f"{name}_currency", CHAR(3), nullable=nullable),
        mapped_column(f"{name}_unit", String(3), nullable=nullable),
    )


def _or_none(kind: type[Any]) -> Callable[..., Any]:
    def make(*values: Any) -> Any:
        return None if values[0] is None else kind(*values)

    return make
