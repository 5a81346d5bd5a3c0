"""The mistakes that a market pack makes in its terms, fees and conversions of units."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, get_args

from chassis.units import UNITS
from chassis.values import CURRENCY_EXPONENTS, Exact
from events.catalog import NumberRange, PeriodRange, TextChoice
from events.orders import DeliveryMode, TaxBasis, WeighingRule
from services.catalog.markets.pack import Pack

_TERM_WORDS = {
    "tax_basis": get_args(TaxBasis),
    "weighing_rule": get_args(WeighingRule),
    "delivery_mode": get_args(DeliveryMode),
    "deposit_use": ("counts", "held"),
    "deposit_kind": ("performance_bond", "earnest"),
    "release": ("settlement", "invoice"),
}


def find_bad_terms(pack: Pack) -> Iterator[tuple[str, str]]:
    """What is wrong in terms and fees: key and reason."""
    terms = pack.terms
    for name in terms.__struct_fields__:
        value = getattr(terms, name)
        if isinstance(value, NumberRange):
            yield from _find_bad_range(f"terms.{name}", value, Exact(0))
        elif isinstance(value, TextChoice) and value.default not in value.allowed:
            yield f"terms.{name}.default", f"{value.default!r} is not one of those allowed"
    for name in terms.periods.__struct_fields__:
        yield from _find_bad_range(f"terms.periods.{name}", getattr(terms.periods, name), timedelta(seconds=1))
    for name, words in _TERM_WORDS.items():
        for word in getattr(terms, name).allowed:
            if word not in words:
                yield f"terms.{name}.allowed", f"{word!r} is not one of {', '.join(words)}"
    yield from _find_unknown_codes(pack)
    if terms.default_tax_rate not in terms.tax_rates:
        yield "terms.default_tax_rate", "is not one of tax_rates"
    for key, rates in (
        ("terms.tax_rates", terms.tax_rates),
        ("fees", [getattr(pack.fees, name) for name in pack.fees.__struct_fields__]),
        ("terms.most_dispute_limit", [terms.most_dispute_limit]),
    ):
        if any(not 0 <= rate < 1 for rate in rates):
            yield key, "a rate is a fraction of at least 0 and less than 1"
    for name in ("buyer_deposit_percent", "seller_deposit_percent"):
        if getattr(terms, name).most > 100:
            yield f"terms.{name}.most", "is more than 100 per cent"
    if not 0 <= terms.earnest_cap_percent <= 100:
        yield "terms.earnest_cap_percent", "is not between 0 and 100 per cent"


def _find_bad_range(key: str, numbers: NumberRange | PeriodRange, floor: Any) -> Iterator[tuple[str, str]]:
    if numbers.least < floor:
        yield f"{key}.least", f"is less than {floor}"
    if not numbers.least <= numbers.default <= numbers.most:
        yield f"{key}.default", "is not between least and most"


def _find_unknown_codes(pack: Pack) -> Iterator[tuple[str, str]]:
    terms = pack.terms
    for key, codes, known in (
        ("terms.currency.allowed", terms.currency.allowed, CURRENCY_EXPONENTS),
        ("terms.price_unit.allowed", terms.price_unit.allowed, UNITS),
        ("terms.weight_unit", [terms.weight_unit], UNITS),
    ):
        for code in codes:
            if code not in known:
                yield key, f"{code!r} is not known"


def find_bad_conversions(pack: Pack) -> Iterator[tuple[str, str]]:
    """What is wrong in conversions: key and reason. What a price is for converts into what goods are counted in."""
    convertible = {pack.terms.weight_unit} | {type.units.base for type in pack.types if type.units}
    for i, conversion in enumerate(pack.conversions):
        here, there = UNITS.get(conversion.unit), UNITS.get(conversion.into)
        if here is None or there is None or here.dimension != there.dimension:
            yield f"conversions[{i}]", f"{conversion.unit} does not convert into {conversion.into}"
        elif here.factor != conversion.factor * there.factor:
            yield f"conversions[{i}].factor", f"one {conversion.unit} is {here.factor / there.factor} {conversion.into}"
        convertible |= {conversion.unit} if conversion.into in convertible else set()
    for unit in pack.terms.price_unit.allowed:
        if unit not in convertible:
            yield "terms.price_unit.allowed", f"no conversion leads from {unit} to {pack.terms.weight_unit}"
