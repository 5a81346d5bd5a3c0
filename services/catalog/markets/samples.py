"""Goods as a market's sellers would have them, made from its pack by a seed: for tests, the demo and benchmarks.

Every value is one that the pack's own checks keep as it is. What goes together (a grade and its standard) comes from the typical
goods that the pack names for a type, the rest from examples, choices, checks and limits.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random

import msgspec

from chassis.values import Exact
from services.catalog.markets.attributes import Attribute
from services.catalog.markets.checks import CHECKS
from services.catalog.markets.needs import must_have
from services.catalog.markets.pack import Pack, ProductType
from services.catalog.markets.reading import SEPARATOR

TODAY = date(2026, 7, 1)
OPTIONAL_SHARE = 0.6
TRIES = 50
_LETTERS, _DIGITS = "ABCDEFGHJKLMNPQRSTUVWXYZ", "0123456789"


class NoSample(ValueError):
    """A pack does not say what a value of an attribute looks like."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """Goods of a market: ``number`` is their owner's own, ``attributes`` those of all levels."""

    number: str
    type: str
    attributes: dict[str, str]

    def at(self, pack: Pack, *levels: str) -> dict[str, str]:
        """The attributes of some levels: a product has no heat number."""
        return {name: value for name, value in self.attributes.items() if pack.by_name[name].level in levels}


def make_samples(pack: Pack, seed: int, count: int, *, today: date = TODAY) -> list[Sample]:
    """So many goods of a market, of each product type and each of its codes in turn; the same for the same seed.

    Products differ in their attributes as far as the pack lets them. Raises NoSample.
    """
    random = Random(f"{pack.market} {seed}")
    codes = [(type, code) for type in pack.types for code in type.codes]
    seen: set[tuple[tuple[str, str], ...]] = set()
    samples = []
    for i in range(count):
        type, code = codes[i % len(codes)]
        attributes = _make_new(pack, type, code, random, today, seen)
        samples.append(Sample(number=f"{pack.market.upper()}-{seed}-{i + 1:06}", type=type.name, attributes=attributes))
    return samples


def _make_new(
    pack: Pack, type: ProductType, code: str, random: Random, today: date, seen: set[tuple[tuple[str, str], ...]]
) -> dict[str, str]:
    for _ in range(TRIES):
        attributes = make_attributes(pack, type, code, random, today=today)
        key = tuple(
            sorted((name, value) for name, value in attributes.items() if pack.by_name[name].level == "product")
        )
        if key not in seen:
            break
    seen.add(key)
    return attributes


def make_attributes(pack: Pack, type: ProductType, code: str, random: Random, *, today: date = TODAY) -> dict[str, str]:
    """Attributes of goods of a type: all that they must have, and some that they may. Raises NoSample."""
    typical = [each for each in type.examples if _is_of(pack, type, each, code)]
    said = random.choice(typical) if typical else {}
    required = set(must_have(pack, type))
    found = {type.attribute: code}
    for attribute in pack.attributes:
        name = attribute.name
        if name in found:
            continue
        if name in said:
            found[name] = pack.check(attribute, said[name])
        elif name in required or (_is_usual(type, attribute, said) and random.random() < OPTIONAL_SHARE):
            found[name] = _make_value(pack, attribute, random, today)
    return {attribute.name: found[attribute.name] for attribute in pack.attributes if attribute.name in found}


def _is_of(pack: Pack, type: ProductType, example: dict[str, str], code: str) -> bool:
    text = example.get(type.attribute)
    return text is None or pack.check(pack.by_name[type.attribute], text) == code


def _is_usual(type: ProductType, attribute: Attribute, said: dict[str, str]) -> bool:
    """Whether goods of a type often have an attribute: the type names it. Typical goods have no other measures and texts."""
    return attribute.name in type.has and not (said and attribute.type in ("number", "text"))


def _make_value(pack: Pack, attribute: Attribute, random: Random, today: date) -> str:
    if not attribute.many:
        return pack.check(attribute, _make_one(pack, attribute, random, today))
    values = [_make_one(pack, attribute, random, today) for _ in range(random.randint(1, 3))]
    return pack.check(attribute, SEPARATOR.join(values))


def _make_one(pack: Pack, attribute: Attribute, random: Random, today: date) -> str:
    if attribute.type == "choice":
        return random.choice(pack.choices[attribute.choices or ""]).code
    if attribute.type == "date":
        return _make_date(pack, attribute, random, today)
    if attribute.type == "number" and not attribute.examples:
        return make_number(attribute.least, attribute.most, attribute.decimals, random)
    if attribute.check:
        return CHECKS[attribute.check].make(random)
    if attribute.type == "identifier" and attribute.examples:
        return _vary(pack, attribute, random)
    if attribute.examples:
        return random.choice(attribute.examples)
    if attribute.type == "identifier" and not attribute.pattern and not attribute.patterns:
        return _pick(random, _LETTERS, 2) + str(today.year % 100) + _pick(random, _DIGITS, 6)
    raise NoSample(f"{pack.market}: {attribute.name} has neither a check nor examples")


def make_number(least: Exact, most: Exact, decimals: int, random: Random) -> str:
    """A number as people choose them: of any size between its limits, with two digits that count."""
    low = max(Decimal(least) or Decimal(most) / 50, Decimal(1).scaleb(-decimals))
    if most <= low:
        return format(most.normalize(), "f")
    size = Decimal(random.uniform(float(low.ln()), float(Decimal(most).ln()))).exp()
    number = size.quantize(Decimal(1).scaleb(max(-decimals, size.adjusted() - 1)))
    return format(min(max(number, Decimal(least)), Decimal(most)).normalize(), "f")


def _make_date(pack: Pack, attribute: Attribute, random: Random, today: date) -> str:
    """A day in the past, or in the future where goods expire on it."""
    expires = any(rule.expiry == attribute.name for rule in pack.carriage) or _speaks_of_end(attribute)
    days = random.randint(200, 900) if expires else -random.randint(10, 500)
    return (today + timedelta(days=days)).isoformat()


def _speaks_of_end(attribute: Attribute) -> bool:
    return any(word in attribute.name for word in ("expir", "until", "valid", "end", "due"))


def _vary(pack: Pack, attribute: Attribute, random: Random) -> str:
    """An identifier like one of the examples, with other digits where the market's checks let it have them."""
    example = random.choice(attribute.examples)
    for _ in range(TRIES):
        other = "".join(random.choice(_DIGITS) if sign.isdecimal() else sign for sign in example)
        try:
            if pack.check(attribute, other):
                return other
        except ValueError:
            continue
    return example


def _pick(random: Random, signs: str, count: int) -> str:
    return "".join(random.choices(signs, k=count))
