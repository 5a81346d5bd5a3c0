"""Theoretical weight: what a piece of a product form weighs by a formula or a table of its market, in exact decimals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from chassis.values import UNITS, Exact, Quantity

if TYPE_CHECKING:
    from services.catalog.markets.pack import Attribute

_context = Context(prec=100, rounding=ROUND_HALF_UP, traps=[Inexact])
_rounding = Context(prec=100, rounding=ROUND_HALF_UP)


class Theory(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the weight of a piece follows from its measures; ``source`` is the standard that says so.

    It is the product of the numbers ``of`` the piece, each in the base unit of what it measures (metres, pieces), and of
    ``factor`` or of the value that ``table`` has for the number ``by``; rounded once, half up, to ``decimals``.
    """

    source: Annotated[str, Meta(min_length=1)]
    of: Annotated[list[str], Meta(min_length=1)]
    decimals: Annotated[int, Meta(ge=0, le=6)]
    factor: Exact | None = None
    by: str | None = None
    table: dict[str, Exact] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes that it needs."""
        return (*self.of, *([self.by] if self.by else []))


def weigh(
    theory: Theory, numbers: Mapping[str, str], attributes: Mapping[str, Attribute], unit: str
) -> Quantity | None:
    """What a piece with these numbers weighs, in ``unit``; None where one is missing or the table does not have it."""
    if any(name not in numbers for name in theory.names):
        return None
    product = theory.factor if theory.by is None else _look_up(theory, Decimal(numbers[theory.by]))
    if product is None:
        return None
    for name in theory.of:
        product = _context.multiply(product, in_base_unit(numbers[name], attributes[name]))
    rounded = product.quantize(Decimal(1).scaleb(-theory.decimals), rounding=ROUND_HALF_UP, context=_rounding)
    return Quantity(Exact(format(rounded.normalize(_rounding), "f")), unit)


def in_base_unit(number: str, attribute: Attribute) -> Decimal:
    """A number of an attribute in the base unit of what it measures (5.5 mm is 0.0055)."""
    return _context.multiply(Decimal(number), UNITS[attribute.unit].factor if attribute.unit else Decimal(1))


def _look_up(theory: Theory, number: Decimal) -> Decimal | None:
    return next((value for key, value in theory.table.items() if Decimal(key) == number), None)


def find_bad_theory(theory: Theory, attributes: Mapping[str, Attribute]) -> Iterator[tuple[str, str]]:
    """What is wrong in a theory: key and reason."""
    for key, name in [("of", name) for name in theory.of] + ([("by", theory.by)] if theory.by else []):
        if name not in attributes:
            yield key, f"there is no attribute {name!r}"
        elif attributes[name].type != "number":
            yield key, f"{name!r} is not a number"
    if (theory.factor is None) == (theory.by is None):
        yield "factor", "state a factor, or a table and what it is looked up by"
    if bool(theory.table) != (theory.by is not None):
        yield "table", "a table is looked up by an attribute"
    for key in theory.table:
        if not key.replace(".", "", 1).isdecimal() or not key.isascii():
            yield f"table.{key}", "is not a number in plain digits"
    if any(value <= 0 for value in (*theory.table.values(), *([theory.factor] if theory.factor is not None else []))):
        yield "factor", "nothing weighs nothing"
