"""Money, quantities and prices: the only place that rounds, and the wire types with their limits.

Money is whole minor units with the exponent of ISO 4217. Quantities are exact decimals with a UN/ECE Recommendation 20 code.
Money meets quantity in ``price_of`` alone, which rounds once, half up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chassis.problems import Invalid
from chassis.units import UNITS, Unit

EXACT_PATTERN = r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$"
_exact = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,6})?", re.ASCII)
_context = Context(prec=60, rounding=ROUND_HALF_UP)
INT64 = 2**63 - 1

# Minor units a currency, from ISO 4217 (list one, 2026-01-01). Currencies that are not here cannot be traded in.
CURRENCY_EXPONENTS = {
    "CNY": 2, "EUR": 2, "USD": 2, "GBP": 2, "HKD": 2, "JPY": 0, "KRW": 0, "SGD": 2, "INR": 2,
    "RUB": 2, "TRY": 2, "VND": 0, "AUD": 2, "CAD": 2, "CHF": 2, "BHD": 3, "KWD": 3,
}  # fmt: skip


class Exact(Decimal):
    """A decimal that came from plain ASCII digits: at most twelve before and six after the point."""


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """An immutable struct without identity, carried inside events, bodies and views."""


class CurrencyMismatch(Invalid):
    """Amounts of different currencies cannot be combined."""


class UnitMismatch(Invalid):
    """Quantities of units that do not convert into each other cannot be combined."""


class OutOfRange(Invalid):
    """A number is outside what can be stored."""


NO_CONTROL = r"^(?![\s\S]*[\u0000-\u001f\u007f])"
ShortText = Annotated[str, Meta(min_length=1, max_length=200, pattern=NO_CONTROL)]
LongText = Annotated[str, Meta(max_length=4000, pattern=r"^(?![\s\S]*[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f])")]
Identifier = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:\-]+(?![\s\S])")]
CurrencyCode = Annotated[str, Meta(min_length=3, max_length=3, pattern=r"^[A-Z]{3}(?![\s\S])")]
UnitCode = Annotated[str, Meta(min_length=2, max_length=3, pattern=r"^[A-Z0-9]{2,3}(?![\s\S])")]
Version = Annotated[int, Meta(ge=1, le=2**31 - 1)]
MinorUnits = Annotated[int, Meta(ge=-INT64, le=INT64)]


def unit_of(code: str) -> Unit:
    """The unit of a Rec 20 code. Raises UnitMismatch when the platform does not know it."""
    if (unit := UNITS.get(code)) is None:
        raise UnitMismatch(f"unknown unit {code!r}", field="$.unit")
    return unit


def read_exact(text: str) -> Exact:
    """A wire decimal. Raises ValueError unless it is plain ASCII digits within the stated precision."""
    if not _exact.fullmatch(text):
        raise ValueError("Expected a decimal in plain digits, at most 12 before and 6 after the point")
    return Exact(text)


def read_wire(kind: type, value: Any) -> Any:
    """msgspec's ``dec_hook``: the wire types that msgspec does not know."""
    if kind is Exact:
        if isinstance(value, Decimal):
            return Exact(value)
        if not isinstance(value, str):
            raise ValueError(f"Expected `str` that is a decimal, got `{type(value).__name__}`")
        return read_exact(value)
    raise NotImplementedError(f"no wire form for {kind}")


def write_wire(value: Any) -> Any:
    """msgspec's ``enc_hook``: decimals in plain digits."""
    if isinstance(value, Decimal):
        return format(value, "f")
    raise NotImplementedError(f"no wire form for {type(value)}")


def describe_wire(kind: type) -> dict[str, Any]:
    """msgspec's ``schema_hook``: JSON Schema of the wire types that msgspec does not know."""
    if kind is Exact:
        return {"type": "string", "format": "decimal", "pattern": EXACT_PATTERN}
    raise NotImplementedError(f"no schema for {kind}")


class Money(msgspec.Struct, frozen=True, order=False):
    """An amount in whole minor units of one currency (12345 CNY is ¥123.45)."""

    amount: MinorUnits
    currency: CurrencyCode

    def __post_init__(self) -> None:
        if self.currency not in CURRENCY_EXPONENTS:
            raise ValueError(f"Currency {self.currency!r} is not traded here")

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Nothing, in a currency."""
        return cls(0, currency)

    def __composite_values__(self) -> tuple[int, str]:
        return self.amount, self.currency

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return other.amount

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._same(other)

    def __bool__(self) -> bool:
        return self.amount != 0

    def __str__(self) -> str:
        exponent = CURRENCY_EXPONENTS[self.currency]
        return f"{Decimal(self.amount).scaleb(-exponent):,.{exponent}f} {self.currency}"

    @property
    def major(self) -> Decimal:
        """The amount in major units, exactly."""
        return Decimal(self.amount).scaleb(-CURRENCY_EXPONENTS[self.currency])

    def times(self, rate: Decimal) -> Money:
        """The amount times a fraction (0.13 is 13 %), rounded once, half up away from zero."""
        return Money(_round(_context.multiply(Decimal(self.amount), rate)), self.currency)

    def percent(self, rate: Decimal) -> Money:
        """``rate`` per cent of the amount, rounded once, half up."""
        return self.times(_context.divide(rate, Decimal(100)))

    def without_rate(self, rate: Decimal) -> Money:
        """The amount divided by (1 + rate), rounded once: the net of a gross that includes a tax."""
        return Money(_round(_context.divide(Decimal(self.amount), 1 + rate)), self.currency)

    def split(self, weights: Sequence[Decimal | int]) -> list[Money]:
        """Parts in proportion to the weights whose sum is the whole: the largest remainder takes the odd units.

        Raises ValueError when there is no positive weight or one is negative.
        """
        total = sum(Decimal(weight) for weight in weights)
        if total <= 0 or any(weight < 0 for weight in weights):
            raise ValueError("weights must not be negative and not all be zero")
        sign, units = (1 if self.amount >= 0 else -1), abs(self.amount)
        shares = [_context.divide(_context.multiply(Decimal(units), Decimal(weight)), total) for weight in weights]
        parts = [int(share) for share in shares]
        by_remainder = sorted(range(len(parts)), key=lambda i: (parts[i] - shares[i], i))
        for i in by_remainder[: units - sum(parts)]:
            parts[i] += 1
        return [Money(sign * part, self.currency) for part in parts]


class Quantity(msgspec.Struct, frozen=True, order=False):
    """An exact, non-negative amount of goods in one unit."""

    value: Exact
    unit: UnitCode

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(f"Unit {self.unit!r} is not known")
        if self.value < 0:
            raise ValueError("A quantity cannot be negative")

    def __composite_values__(self) -> tuple[Decimal, str]:
        return self.value, self.unit

    def to(self, unit: str) -> Quantity:
        """The same amount in another unit of the same dimension, exactly. Raises UnitMismatch."""
        if unit == self.unit:
            return self
        here, there = unit_of(self.unit), unit_of(unit)
        if here.dimension != there.dimension:
            raise UnitMismatch(f"{self.unit} does not convert into {unit}")
        return Quantity(Exact(_context.divide(_context.multiply(self.value, here.factor), there.factor)), unit)

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(Exact(self.value + other.to(self.unit).value), self.unit)

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(Exact(self.value - other.to(self.unit).value), self.unit)

    def __lt__(self, other: Quantity) -> bool:
        return self.value < other.to(self.unit).value

    def __le__(self, other: Quantity) -> bool:
        return self.value <= other.to(self.unit).value

    def __gt__(self, other: Quantity) -> bool:
        return self.value > other.to(self.unit).value

    def __ge__(self, other: Quantity) -> bool:
        return self.value >= other.to(self.unit).value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self.unit == other.unit and self.value == other.value

    def __hash__(self) -> int:
        return hash((self.value, self.unit))

    def __bool__(self) -> bool:
        return self.value != 0

    def __str__(self) -> str:
        return f"{self.value.normalize():f} {self.unit}"

    @classmethod
    def zero(cls, unit: str) -> Quantity:
        """Nothing, in a unit."""
        return cls(Exact(0), unit)


class UnitPrice(msgspec.Struct, frozen=True, order=False):
    """A price in major units of a currency for one unit of goods (3850.00 CNY a TNE)."""

    value: Exact
    currency: CurrencyCode
    unit: UnitCode

    def __post_init__(self) -> None:
        if self.currency not in CURRENCY_EXPONENTS:
            raise ValueError(f"Currency {self.currency!r} is not traded here")
        if self.unit not in UNITS:
            raise ValueError(f"Unit {self.unit!r} is not known")
        if self.value < 0:
            raise ValueError("A price cannot be negative")

    def __composite_values__(self) -> tuple[Decimal, str, str]:
        return self.value, self.currency, self.unit

    def plus(self, premium: Decimal) -> Decimal:
        """With a premium on it (below zero: a discount), rounded once, half up, to the currency's smallest unit.

        It may come to nothing or less, which is no price.
        """
        smallest = Decimal(1).scaleb(-CURRENCY_EXPONENTS[self.currency])
        return _context.add(self.value, premium).quantize(smallest, context=_context)


def price_of(price: UnitPrice, quantity: Quantity) -> Money:
    """What a quantity costs, rounded once, half up. Raises UnitMismatch, or OutOfRange past 64 bits."""
    exact = _context.multiply(price.value, quantity.to(price.unit).value)
    return round_half_up(exact, price.currency)


def round_half_up(value: Decimal, currency: str) -> Money:
    """A decimal in major units as money, half up away from zero. Raises OutOfRange past 64 bits."""
    amount = _round(value.scaleb(CURRENCY_EXPONENTS[currency], _context))
    if abs(amount) > INT64:
        raise OutOfRange(f"{value:f} {currency} is too large")
    return Money(amount, currency)


def _round(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP, context=_context))


def total(parts: Sequence[Money], currency: str) -> Money:
    """The sum of amounts in one currency."""
    return sum(parts, Money.zero(currency))
