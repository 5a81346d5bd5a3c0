"""The settlement quantity of a delivery by the rule that its deal froze (TRADE.md 3.0, Weighing and tolerance).

D is the weight at loading, the seller's; R the weight at receiving, the buyer's; the label is what the deal froze: the
mill's weights, or the theoretical ones where those are sold. All comparisons are in exact decimals (I7).
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import msgspec

from chassis.values import Exact, Quantity
from events.orders import WeighingRule
from services.orders.measures import BY_PIECE

_FINEST = Decimal("0.000001")


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the weight of one delivery."""

    label: Quantity
    loaded: Quantity
    received: Quantity
    third_party: Quantity | None = None

    @property
    def difference(self) -> Decimal:
        """R − D in the unit of D."""
        return self.received.to(self.loaded.unit).value - self.loaded.value

    def is_within(self, fraction: Decimal) -> bool:
        """Whether |R − D| ≤ fraction · D: a tolerance of 0 means 0."""
        return abs(self.difference) <= fraction * self.loaded.value


def settle_quantity(rule: WeighingRule, tolerance: Decimal, weights: Weights) -> Quantity:
    """The quantity that is paid for, in the unit of the weight that it is taken from.

    LABEL and THEORETICAL are the label, SELLER_WEIGHT is D, BUYER_WEIGHT is R, THIRD_PARTY the third party's, and D where
    there is none. WITHIN_TOL_SELLER_ELSE_BUYER is D within the tolerance t and R outside. EXCESS_ONLY is D within it and
    D ± (|R − D| − t · D) outside, where t · D is rounded half up to a millionth.
    """
    match rule:
        case "LABEL" | "THEORETICAL":
            return weights.label
        case "SELLER_WEIGHT":
            return weights.loaded
        case "BUYER_WEIGHT":
            return weights.received
        case "THIRD_PARTY":
            return weights.third_party or weights.loaded
        case "WITHIN_TOL_SELLER_ELSE_BUYER":
            return weights.loaded if weights.is_within(tolerance) else weights.received
        case "EXCESS_ONLY":
            return weights.loaded if weights.is_within(tolerance) else _excess_only(tolerance, weights)


def _excess_only(tolerance: Decimal, weights: Weights) -> Quantity:
    borne = (tolerance * weights.loaded.value).quantize(_FINEST, ROUND_HALF_UP)
    excess = weights.difference - borne.copy_sign(weights.difference)
    return Quantity(Exact(weights.loaded.value + excess), weights.loaded.unit)


def is_disputed(rule: WeighingRule, dispute_limit: Decimal | None, weights: Weights) -> bool:
    """Whether D and R lie further apart than the deal lets any rule decide over: |R − D| > limit · D."""
    return dispute_limit is not None and rule not in BY_PIECE and not weights.is_within(dispute_limit)


def bound(quantity: Quantity, weights: Weights) -> Quantity:
    """A decided weight held between D and R: what both sides weighed is not in dispute."""
    least, most = sorted((weights.loaded, weights.received))
    return min(max(quantity, least), most)
