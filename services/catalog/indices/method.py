"""The method of a price index, as pure functions in exact decimals: bring a price to the reference, trim, weigh, publish or not.

What may be published follows the sense of the IOSCO principles for price assessments: only concluded deals between independent
parties, and no figure where too few of them stand behind it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

from chassis.units import UNITS
from chassis.values import CURRENCY_EXPONENTS, Exact, Quantity, UnitPrice
from events.orders import DeliveryMode, TaxBasis
from services.catalog.markets.index_rules import Differential, IndexRule

_context = Context(prec=60, rounding=ROUND_HALF_UP)
_STORED = Decimal("0.000001")
_NOTHING = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class Bargain:
    """The terms of a deal that its price is brought to the reference by."""

    price: UnitPrice
    tax_basis: TaxBasis
    tax_rate: Decimal
    place: str
    delivery_mode: DeliveryMode


@dataclass(frozen=True, kw_only=True)
class Line:
    """A part of a deal as an index counts it: its price brought to the reference and its volume, both in the index's unit."""

    piece_id: str | None
    price: Decimal
    volume: Decimal


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A deal's share in an index day; ``buyer`` and ``seller`` are their controlling groups."""

    deal_id: str
    price: Decimal
    volume: Decimal
    buyer: str
    seller: str


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """What the deals of a day come to; ``price`` is None where too little stands behind it."""

    price: Decimal | None
    deals: int
    volume: Decimal
    buyers: int
    sellers: int


def is_reference(rule: IndexRule, attributes: Mapping[str, str]) -> bool:
    """Whether goods are those of an index, or differ from them only in what it has a differential for."""
    named = {each.attribute for each in rule.differentials}
    return all(
        attributes.get(name) == value or (name in named and _find(rule, name, attributes) is not None)
        for name, value in rule.goods.items()
    ) and all(name not in attributes or _is_covered(rule, name, attributes) for name in named)


def _is_covered(rule: IndexRule, name: str, attributes: Mapping[str, str]) -> bool:
    return attributes[name] == rule.goods.get(name) or _find(rule, name, attributes) is not None


def _find(rule: IndexRule, name: str, attributes: Mapping[str, str]) -> Differential | None:
    value = attributes.get(name)
    matching = (each for each in rule.differentials if each.attribute == name and value is not None)
    return next((each for each in matching if _holds(each, value or "")), None)


def _holds(differential: Differential, value: str) -> bool:
    if differential.value is not None:
        return differential.value == value
    number = Decimal(value)
    least, most = differential.least, differential.most
    return (least is None or least <= number) and (most is None or number <= most)


def normalise(rule: IndexRule, bargain: Bargain, attributes: Mapping[str, str]) -> Decimal | None:
    """A deal's price as the reference goods at the reference place would have cost, in the index's unit and tax basis.

    None where the goods, the place, the currency or the unit are not the index's: such a deal does not count.
    """
    add = place_add(rule, bargain.place)
    here, there = UNITS[bargain.price.unit], UNITS[rule.unit]
    if add is None or bargain.price.currency != rule.currency or here.dimension != there.dimension:
        return None
    if not is_reference(rule, attributes):
        return None
    price = _context.divide(_context.multiply(bargain.price.value, there.factor), here.factor)
    if (bargain.tax_basis, rule.tax_basis) == ("tax_excluded", "tax_included"):
        price = _context.multiply(price, 1 + bargain.tax_rate)
    elif (bargain.tax_basis, rule.tax_basis) == ("tax_included", "tax_excluded"):
        price = _context.divide(price, 1 + bargain.tax_rate)
    if bargain.delivery_mode != rule.delivery_mode:
        price += rule.delivered_costs if rule.delivery_mode == "delivered" else -rule.delivered_costs
    named = dict.fromkeys(each.attribute for each in rule.differentials)
    found = [_find(rule, name, attributes) for name in named if attributes.get(name) != rule.goods.get(name)]
    return (price - add - sum((each.add for each in found if each), _NOTHING)).quantize(_STORED, context=_context)


def place_add(rule: IndexRule, place: str) -> Decimal | None:
    """What a place costs more than the reference place; None where its deals do not count."""
    folded = fold_place(place)
    for each in rule.places:
        if any(fold_place(name) in folded for name in (each.name.zh, each.name.en, *each.also)):
            return each.add
    return None


def fold_place(text: str) -> str:
    """A place's name without width, case and spaces."""
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


def merge(lines: Sequence[Line]) -> tuple[Decimal, Decimal]:
    """The price and the volume of a deal from its lines: the mean price by volume."""
    volume = sum((line.volume for line in lines), _NOTHING)
    worth = sum((_context.multiply(line.price, line.volume) for line in lines), _NOTHING)
    return _context.divide(worth, volume).quantize(_STORED, context=_context), volume


def assess(rule: IndexRule, entries: Iterable[Entry]) -> Assessment:
    """What the deals of a day come to.

    A deal within one group does not count. Of the rest, ordered by price, ``trim_percent`` of the volume is left out at
    either end, a deal on the border in part; the index is the mean of what is left by volume, rounded once, half up, to
    the currency's smallest unit.
    """
    counted = [entry for entry in entries if entry.buyer != entry.seller and entry.volume > 0]
    volume = sum((entry.volume for entry in counted), _NOTHING)
    buyers, sellers = {entry.buyer for entry in counted}, {entry.seller for entry in counted}
    is_enough = len(counted) >= rule.least_deals and min(len(buyers), len(sellers)) >= rule.least_parties
    return Assessment(
        price=_trimmed_mean(rule, counted, volume) if is_enough else None,
        deals=len(counted),
        volume=volume,
        buyers=len(buyers),
        sellers=len(sellers),
    )


def _trimmed_mean(rule: IndexRule, entries: list[Entry], volume: Decimal) -> Decimal:
    cut = _context.divide(_context.multiply(volume, rule.trim_percent), Decimal(100))
    below, worth, kept = _NOTHING, _NOTHING, _NOTHING
    for entry in sorted(entries, key=lambda entry: (entry.price, entry.deal_id)):
        begin, end = max(below, cut), min(below + entry.volume, volume - cut)
        if end > begin:
            worth += _context.multiply(entry.price, end - begin)
            kept += end - begin
        below += entry.volume
    return _context.divide(worth, kept).quantize(_smallest(rule), context=_context)


def _smallest(rule: IndexRule) -> Decimal:
    return Decimal(1).scaleb(-CURRENCY_EXPONENTS[rule.currency])


def price_of(rule: IndexRule, price: Decimal) -> UnitPrice:
    """A figure as it is shown: with the decimals of its currency."""
    return UnitPrice(Exact(price.quantize(_smallest(rule), context=_context)), rule.currency, rule.unit)


def quantity_of(rule: IndexRule, volume: Decimal) -> Quantity:
    """A volume as it is shown, without noughts that do not count."""
    return Quantity(Exact(format(volume.normalize(_context), "f")), rule.unit)


def price_by_formula(rule: IndexRule, price: Decimal, premium: Decimal) -> UnitPrice:
    """The price that "index + premium" comes to; a discount is a premium below zero. Raises ValueError where nothing is left."""
    if price + premium <= 0:
        raise ValueError("the discount is not less than the index")
    return price_of(rule, price + premium)


def volume_of(rule: IndexRule, quantity: Quantity) -> Decimal | None:
    """A quantity in the index's unit; None where it measures something else."""
    if UNITS[quantity.unit].dimension != UNITS[rule.unit].dimension:
        return None
    return quantity.to(rule.unit).value
