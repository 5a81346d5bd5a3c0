"""The settlement quantity of a delivery by the rule that its deal froze (TRADE.md 3.0, Weighing and tolerance).

D is the weight at loading, the seller's; R the weight at receiving, the buyer's; the label is what the deal froze.
"""

from __future__ import annotations

from decimal import Decimal

from chassis.values import Quantity
from events.orders import WeighingRule


def is_within(tolerance: Decimal, *, loaded: Quantity, received: Quantity) -> bool:
    """Whether |R − D| ≤ t · D, in exact decimals: a tolerance of 0 means 0 (I7)."""
    difference = abs(received.to(loaded.unit).value - loaded.value)
    return difference <= tolerance * loaded.value


def settle_quantity(
    rule: WeighingRule, tolerance: Decimal, *, label: Quantity, loaded: Quantity, received: Quantity
) -> Quantity:
    """The quantity that is paid for, in the unit of the weight that it is taken from, unrounded.

    LABEL is the label, SELLER_WEIGHT is D, BUYER_WEIGHT is R, WITHIN_TOL_SELLER_ELSE_BUYER is D within the tolerance
    and R outside.
    """
    if rule == "LABEL":
        return label
    if rule == "SELLER_WEIGHT":
        return loaded
    if rule == "BUYER_WEIGHT":
        return received
    return loaded if is_within(tolerance, loaded=loaded, received=received) else received
