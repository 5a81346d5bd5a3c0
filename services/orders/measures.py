"""Quantities as orders keeps them: in the unit that a price is for, with six decimals and no rounding."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from chassis.problems import Invalid
from chassis.values import Exact, Quantity
from events.orders import WeighingRule

COUNTED = "H87"
BY_PIECE: frozenset[WeighingRule] = frozenset({"LABEL", "THEORETICAL"})
"""Rules under which no scale decides what is paid: what a truck weighed is for claims only."""
_SMALLEST = Decimal("0.000001")
_LARGEST = Decimal(10) ** 12


class TooFine(Invalid):
    """A quantity has more than six decimals, or too many digits, in the unit that the price is for."""


def in_price_unit(quantity: Quantity, unit: str, *, field: str) -> Quantity:
    """The quantity in the unit of the price, exactly. Raises UnitMismatch or TooFine, which names the field."""
    converted = quantity.to(unit)
    if converted.value >= _LARGEST or converted.value % _SMALLEST:
        raise TooFine(f"{quantity} cannot be kept exactly in {unit}", field=field)
    return _plain(converted.value, unit)


def add_up(parts: Iterable[Quantity], unit: str) -> Quantity:
    """The sum of quantities in one unit."""
    return _plain(sum((part.to(unit).value for part in parts), Decimal(0)), unit)


def _plain(value: Decimal, unit: str) -> Quantity:
    """Without zeros at the end, as the database gives it back."""
    return Quantity(Exact(format(value.normalize(), "f")), unit)


def measure_piece(net: Quantity, unit: str, *, field: str) -> Quantity:
    """How much of a price's unit one piece is: its net weight, or one where the price is for a piece."""
    if unit == COUNTED:
        return Quantity(Exact(1), unit)
    return in_price_unit(net, unit, field=field)
