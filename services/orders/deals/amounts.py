"""What a quantity comes to: net, tax and gross, and forfeits. Pure functions over values; ``chassis.values`` rounds."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from chassis.values import Exact, Money, Quantity, UnitPrice, price_of
from events.orders import TaxBasis, Terms


class Amounts(msgspec.Struct, frozen=True):
    """Net and tax that add up to gross."""

    net: Money
    tax: Money
    gross: Money


def work_out(quantity: Quantity, *, price: UnitPrice, tax_basis: TaxBasis, tax_rate: Exact) -> Amounts:
    """Price times quantity with its tax (TRADE.md 3.0, Money): each figure rounded once, half up, by no rounded price.

    tax_included: gross = price × quantity, net = gross / (1 + rate), tax = gross − net.
    tax_excluded: net = price × quantity, tax = net × rate, gross = net + tax.
    """
    stated = price_of(price, quantity)
    if tax_basis == "tax_included":
        net = stated.without_rate(tax_rate)
        return Amounts(net, stated - net, stated)
    tax = stated.times(tax_rate)
    return Amounts(stated, tax, stated + tax)


def work_out_by(terms: Terms, quantity: Quantity) -> Amounts:
    """What a quantity comes to by the terms of an offer or a deal."""
    return work_out(quantity, price=terms.price, tax_basis=terms.tax_basis, tax_rate=terms.tax_rate)


def forfeit_of(part: Money, *, deposit: Money, percent: Decimal, penalty_rate: Decimal) -> Money:
    """What the breaker of a part of a deal forfeits (TRADE.md 3.0, Deposit): in proportion to the part, not the whole.

    ``part`` is the gross value not paid or not delivered, ``percent`` the rate of the breaker's deposit and
    ``penalty_rate`` the fraction of the part that the market's rules allow at most.
    """
    return min(deposit, part.percent(percent), part.times(penalty_rate))
