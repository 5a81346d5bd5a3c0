"""Theoretical weight: what a piece of a product type weighs by a formula or a table of its market, in exact decimals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from chassis.units import UNITS
from chassis.values import Exact, Quantity
from services.catalog.markets.texts import fold_size

if TYPE_CHECKING:
    from services.catalog.markets.attributes import Attribute

_context = Context(prec=100, rounding=ROUND_HALF_UP, traps=[Inexact])
_rounding = Context(prec=100, rounding=ROUND_HALF_UP)


class Deviation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """By how many per cent a piece may weigh more or less than it should, where the table's number is at most ``up_to``."""

    percent: Exact
    up_to: Exact | None = None


class Theory(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the weight of a piece follows from its measures; ``source`` is the standard that says so.

    It is the product of the numbers ``of`` the piece, each in the base unit of what it measures (metres, pieces), and of
    ``factor`` or of the value that ``table`` has for the number ``by`` (``texts`` for a text: the size of a section);
    rounded once, half up, to ``decimals``. A row of ``deviations`` is for numbers ``by`` up to its ``up_to``, the last
    one for all others.
    """

    source: Annotated[str, Meta(min_length=1)]
    of: Annotated[list[str], Meta(min_length=1)]
    decimals: Annotated[int, Meta(ge=0, le=6)]
    factor: Exact | None = None
    by: str | None = None
    table: dict[str, Exact] = {}
    texts: dict[str, Exact] = {}
    deviations: list[Deviation] = []

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
    product = theory.factor if theory.by is None else _look_up(theory, numbers[theory.by])
    if product is None:
        return None
    for name in theory.of:
        product = _context.multiply(product, in_base_unit(numbers[name], attributes[name]))
    rounded = product.quantize(Decimal(1).scaleb(-theory.decimals), rounding=ROUND_HALF_UP, context=_rounding)
    return Quantity(Exact(format(rounded.normalize(_rounding), "f")), unit)


def deviation_of(theory: Theory, numbers: Mapping[str, str]) -> Exact | None:
    """By how many per cent a piece with these numbers may differ from its theoretical weight; None where nothing says so."""
    number = numbers.get(theory.by) if theory.by else None
    for row in theory.deviations:
        if row.up_to is None or (number is not None and theory.table and Decimal(number) <= row.up_to):
            return row.percent
    return None


def in_base_unit(number: str, attribute: Attribute) -> Decimal:
    """A number of an attribute in the base unit of what it measures (5.5 mm is 0.0055)."""
    return _context.multiply(Decimal(number), UNITS[attribute.unit].factor if attribute.unit else Decimal(1))


def _look_up(theory: Theory, value: str) -> Decimal | None:
    if theory.texts:
        size = fold_size(value)
        return next((weight for key, weight in theory.texts.items() if fold_size(key) == size), None)
    return next((weight for key, weight in theory.table.items() if Decimal(key) == Decimal(value)), None)


def find_bad_theory(theory: Theory, attributes: Mapping[str, Attribute]) -> Iterator[tuple[str, str]]:
    """What is wrong in a theory: key and reason."""
    for name in theory.of:
        yield from _find_bad_name("of", name, attributes, "number")
    if theory.by:
        yield from _find_bad_name("by", theory.by, attributes, "text" if theory.texts else "number")
    if (theory.factor is None) == (theory.by is None):
        yield "factor", "state a factor, or a table and what it is looked up by"
    if bool(theory.table) + bool(theory.texts) != (theory.by is not None):
        yield "table", "a table (of numbers, or of texts) is looked up by an attribute"
    for key in theory.table:
        if not key.replace(".", "", 1).isdecimal() or not key.isascii():
            yield f"table.{key}", "is not a number in plain digits"
    yield from _find_same_sizes(theory)
    weights = (*theory.table.values(), *theory.texts.values(), *([] if theory.factor is None else [theory.factor]))
    if any(weight <= 0 for weight in weights):
        yield "factor", "nothing weighs nothing"
    yield from _find_bad_deviations(theory)


def _find_bad_name(key: str, name: str, attributes: Mapping[str, Attribute], type: str) -> Iterator[tuple[str, str]]:
    if name not in attributes:
        yield key, f"there is no attribute {name!r}"
    elif attributes[name].type != type:
        yield key, f"{name!r} is not a {type}"


def _find_same_sizes(theory: Theory) -> Iterator[tuple[str, str]]:
    owners: dict[str, str] = {}
    for key in theory.texts:
        if (other := owners.setdefault(fold_size(key), key)) != key:
            yield f"texts.{key}", f"is the size {other!r} already"


def _find_bad_deviations(theory: Theory) -> Iterator[tuple[str, str]]:
    limits = [row.up_to for row in theory.deviations]
    for i, row in enumerate(theory.deviations):
        if not 0 < row.percent <= 100:
            yield f"deviations[{i}].percent", "is not between 0 and 100 per cent"
        if row.up_to is None and i < len(limits) - 1:
            yield f"deviations[{i}].up_to", "only the last one is for all others"
        if row.up_to is not None and not theory.table:
            yield f"deviations[{i}].up_to", "there is no table of numbers that it could be a limit of"
    stated = [limit for limit in limits if limit is not None]
    if stated != sorted(set(stated)):
        yield "deviations", "the limits do not rise"
