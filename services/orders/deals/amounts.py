"""What a quantity comes to, what a part's share of a deal is, and forfeits.

Pure functions over values; ``chassis.values`` rounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal

import msgspec

from chassis.values import Exact, Money, Quantity, UnitPrice, price_of, round_half_up
from events.orders import DealPiece, DepositKind, TaxBasis, Terms

_exact = Context(prec=60)


class Amounts(msgspec.Struct, frozen=True):
    """Net and tax that add up to gross."""

    net: Money
    tax: Money
    gross: Money

    def __sub__(self, other: Amounts) -> Amounts:
        return Amounts(self.net - other.net, self.tax - other.tax, self.gross - other.gross)


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


def share_among(gross: Money, pieces: Sequence[DealPiece], terms: Terms) -> list[DealPiece]:
    """A deal's pieces with their shares of its gross, which add up to it: split by each piece's own gross.

    Where every piece by itself rounds to nothing, by weight.
    """
    if not pieces:
        return []
    own = [work_out_by(terms, piece.net).gross.amount for piece in pieces]
    shares = gross.split(own if any(own) else [piece.net.value for piece in pieces])
    return [msgspec.structs.replace(piece, gross=share) for piece, share in zip(pieces, shares, strict=True)]


def share_up_to(gross: Money, covered: Quantity, whole: Quantity) -> Money:
    """The share of a gross by weight that falls to the first ``covered`` of a ``whole``, rounded once, half up.

    A part's value is the difference of two of these, so that the values of all parts add up to the gross.
    """
    if covered >= whole:
        return gross
    part = _exact.multiply(gross.major, covered.to(whole.unit).value)
    return round_half_up(_exact.divide(part, whole.value), gross.currency)


def withhold(value: Money, *, least: Money, most: Money) -> Money:
    """What stays in escrow of a disputed delivery's value: enough for the greater weight, beyond what the lesser is paid."""
    return max(Money.zero(value.currency), min(value, most) - least)


def forfeit_of(part: Money, *, kind: DepositKind, held: Money, percent: Decimal, penalty_rate: Decimal) -> Money:
    """What the breaker of a part of a deal forfeits (TRADE.md 3.0, Deposit): in proportion to the part, not the whole.

    ``part`` is the value not paid or not delivered, ``held`` what is left of the breaker's deposit, ``percent`` that
    deposit's rate and ``penalty_rate`` the fraction of the part that the market's rules allow at most. An earnest is
    lost by law and not limited by that rate.
    """
    share = min(held, part.percent(percent))
    return share if kind == "earnest" else min(share, part.times(penalty_rate))
