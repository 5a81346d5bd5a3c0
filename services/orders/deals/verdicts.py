"""Which weight of a delivery stands by the terms of its deal, and why, in one sentence that both sides can check."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import msgspec

from chassis.values import Quantity
from events.orders import Terms
from services.orders.deals.weighing import Weights, bound, is_disputed, settle_quantity
from services.orders.measures import BY_PIECE

_UNITS = {"KGM": "kg", "TNE": "t", "GRM": "g"}
_TENTH, _FINEST = Decimal("0.1"), Decimal("0.000001")
_BY_RULE = {
    "LABEL": "the weight on the label is settled",
    "THEORETICAL": "the theoretical weight is settled",
    "SELLER_WEIGHT": "the seller's weight D is settled",
    "BUYER_WEIGHT": "the buyer's weight R is settled",
}


class Verdict(msgspec.Struct, frozen=True):
    """The quantity that is paid for; when ``is_open`` the lesser weight, and what is above it waits for a decision."""

    settled: Quantity
    reason: str
    is_open: bool = False


def judge(terms: Terms, weights: Weights) -> Verdict:
    """The verdict by the frozen rule, or by the dispute limit where the weights lie further apart than that."""
    rule, limit = terms.weighing_rule, terms.dispute_limit
    if limit is not None and is_disputed(rule, limit, weights):
        apart = f"{_difference(weights, limit)}, beyond the dispute limit of {_per_mille(limit)}"
        if weights.third_party is None:
            return Verdict(
                min(weights.loaded, weights.received), f"{apart}: the lesser weight is settled at once", True
            )
        return Verdict(bound(weights.third_party, weights), f"{apart}: {_third(weights)}")
    return Verdict(settle_quantity(rule, terms.tolerance, weights), _explain(terms, weights))


def rule_on(weight: Quantity, weights: Weights, terms: Terms, *, by: str) -> Verdict:
    """The verdict once a disputed weight is decided, ``by`` a third party or by agreement: held between D and R."""
    settled = bound(weight.to(weights.loaded.unit), weights)
    return Verdict(settled, f"{_difference(weights, terms.dispute_limit)}: {by}, {_write(settled)} is settled")


def _explain(terms: Terms, weights: Weights) -> str:
    rule = terms.weighing_rule
    if rule in BY_PIECE:
        return f"{_BY_RULE[rule]}; {_difference(weights)} decides nothing"
    if rule in _BY_RULE:
        return f"{_difference(weights)}: {_BY_RULE[rule]}"
    if rule == "THIRD_PARTY":
        return _third(weights) if weights.third_party else "no third party weighed: the seller's weight stands"
    found, tolerance = _difference(weights, terms.tolerance), _per_mille(terms.tolerance)
    if weights.is_within(terms.tolerance):
        return f"{found}, within {tolerance}: the seller's weight stands"
    if rule == "EXCESS_ONLY":
        return f"{found}, beyond {tolerance}: the seller's weight stands but for the excess"
    return f"{found}, beyond {tolerance}: the buyer's weight stands"


def _third(weights: Weights) -> str:
    return f"the third party's weight {_write(weights.third_party)} stands" if weights.third_party else ""


def _difference(weights: Weights, against: Decimal | None = None) -> str:
    """R − D with its sign, and what fraction of D it is: finer where the tenth would hide which side of a limit it is."""
    found = weights.difference
    sign = "−" if found < 0 else "+" if found > 0 else ""
    unit = weights.loaded.unit
    text = f"R − D = {sign}{_plain(abs(found))} {_UNITS.get(unit, unit)}"
    if not weights.loaded:
        return text
    share = abs(found) * 1000 / weights.loaded.value
    rounded = share.quantize(_TENTH, ROUND_HALF_UP)
    hides = against is not None and (rounded > against * 1000) != (share > against * 1000)
    return f"{text}, {_plain(share.quantize(_FINEST, ROUND_HALF_UP)) if hides else rounded} ‰ of D"


def _per_mille(fraction: Decimal) -> str:
    return f"{_plain(fraction * 1000)} ‰"


def _write(weight: Quantity) -> str:
    return f"{_plain(weight.value)} {_UNITS.get(weight.unit, weight.unit)}"


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")
