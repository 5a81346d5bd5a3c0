"""Products side by side: a row an attribute, numbers in one unit, what differs marked."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.problems import Invalid, NotFound
from chassis.units import UNITS
from chassis.values import Exact
from services.catalog.markets.pack import Attribute, Bilingual
from services.catalog.products.queries import Shown, find_products

MOST_COMPARED = 10
DECIMALS = 6


class BadComparison(Invalid):
    """Two to ten different products can be compared."""


class ComparedValue(msgspec.Struct, frozen=True):
    """What a product has: ``value`` as it is kept, in the row's unit, and ``text`` as people read it, in both languages."""

    value: str
    text: Bilingual


class ComparedRow(msgspec.Struct, frozen=True):
    """An attribute of the products, in their order; null where one has nothing. ``unit`` is that of all numbers."""

    attribute: str
    label: Bilingual
    unit: str | None
    values: list[ComparedValue | None]
    differs: bool


def compare_products(session: Session, caller: Caller, ids: Sequence[str]) -> tuple[list[Shown], list[ComparedRow]]:
    """Products in the order they were named in, and a row for each attribute that one of them has and that may be compared.

    Raises BadComparison, or NotFound that names what is missing.
    """
    if not 2 <= len(set(ids)) == len(ids) <= MOST_COMPARED:
        raise BadComparison(f"name 2 to {MOST_COMPARED} different ones", field="$.ids")
    found = find_products(session, caller, ids)
    if missing := sorted(set(ids) - found.keys()):
        raise NotFound(f"no product {', '.join(missing)}", missing=missing)
    products = [found[id] for id in ids]
    return products, compare(products)


def compare(products: Sequence[Shown]) -> list[ComparedRow]:
    """The rows of a comparison, in the order of the first product's market, then of the others'."""
    names: dict[str, Attribute] = {}
    for product, kind in products:
        for attribute in kind.pack.attributes:
            if attribute.comparable and attribute.name in product.attributes:
                names.setdefault(attribute.name, attribute)
    return [_make_row(attribute, products) for attribute in names.values()]


def _make_row(attribute: Attribute, products: Sequence[Shown]) -> ComparedRow:
    unit = attribute.unit if all(_converts(attribute, each) for each in products) else None
    values = [_read(attribute, unit, shown) for shown in products]
    return ComparedRow(
        attribute=attribute.name,
        label=attribute.label,
        unit=unit,
        values=values,
        differs=len({value.value if value else None for value in values}) > 1,
    )


def _converts(attribute: Attribute, shown: Shown) -> bool:
    """Whether a product's unit of an attribute measures what that of the row does."""
    theirs = shown.kind.pack.by_name.get(attribute.name)
    if theirs is None or theirs.unit == attribute.unit:
        return True
    here, there = UNITS.get(theirs.unit or ""), UNITS.get(attribute.unit or "")
    return here is not None and there is not None and here.dimension == there.dimension


def _read(attribute: Attribute, unit: str | None, shown: Shown) -> ComparedValue | None:
    kept, theirs = shown.product.attributes.get(attribute.name), shown.kind.pack.by_name.get(attribute.name)
    if kept is None or theirs is None:
        return None
    if theirs.type != "number":
        pack = shown.kind.pack
        return ComparedValue(kept, Bilingual(zh=pack.show(theirs, kept, "zh"), en=pack.show(theirs, kept, "en")))
    kept = convert_number(kept, theirs.unit, unit) if unit else kept
    measure = UNITS.get(unit or theirs.unit or "")
    zh, en = (measure.zh, measure.en) if measure else ("", "")
    return ComparedValue(kept, Bilingual(zh=f"{kept} {zh}".strip(), en=f"{kept} {en}".strip()))


def convert_number(kept: str, unit: str | None, into: str) -> str:
    """A kept number in another unit of the same dimension, to six decimals, without noughts that do not count."""
    if unit is None or unit == into:
        return kept
    value = Exact(kept) * UNITS[unit].factor / UNITS[into].factor
    return format(round(value, DECIMALS).normalize(), "f")
