"""What backs what of a deal: which escrow a part of it draws on, and how much of a deposit the rest still needs.

Pure arithmetic. Everything that moves a deal's money after its payment resolves a part of its gross, the part's value;
the deal is over when the values come to the gross.
"""

from __future__ import annotations

from chassis.values import Money, Quantity, Value
from events.orders import DepositUse
from services.settlement.escrows.shares import Kept, Purse


class Standing(Value):
    """Where a deal's money stands.

    Of its ``gross`` as much was ``funded``, is ``missed`` (will never be paid) and is ``resolved``; ``escrow`` is in it
    now. The deposits are what was agreed, of which ``held`` is what is still frozen.
    """

    gross: Money
    funded: Money
    missed: Money
    resolved: Money
    escrow: Money
    buyer_deposit: Money
    seller_deposit: Money
    buyer_held: Money
    seller_held: Money
    deposit_use: DepositUse

    @property
    def payable(self) -> Money:
        """What can still be paid in."""
        return self.gross - self.funded - self.missed


def keep(deposit: Money, *, open: Money, gross: Money) -> Money:
    """What stays held of a deposit while ``open`` of the gross is to come: its share, what is given up rounded half up."""
    if open.amount <= 0:
        return Money.zero(deposit.currency)
    given_up, kept = deposit.split([gross.amount - open.amount, open.amount])
    return kept


def price_quantity(gross: Money, part: Quantity, *, paid: Quantity, whole: Quantity) -> Money:
    """What a part of a deal's quantity costs after some was paid: all payments together are the gross, to the cent."""
    before, after = (_share_of(gross, done, whole) for done in (paid, paid + part))
    return after - before


def _share_of(gross: Money, done: Quantity, whole: Quantity) -> Money:
    return gross.split([done.value, (whole - done).value])[0]


def convert(standing: Standing, value: Money) -> Money:
    """How much of the buyer's held deposit a payment of ``value`` uses: the share that the rest no longer needs."""
    if standing.deposit_use == "held":
        return Money.zero(value.currency)
    kept = keep(standing.buyer_deposit, open=standing.payable - value, gross=standing.gross)
    return min(value, max(standing.buyer_held - kept, Money.zero(value.currency)))


def open_purse(standing: Standing, value: Money, missed: Money) -> tuple[Purse, Kept]:
    """What a part of this value may draw on, and what stays held after it; ``missed`` of the value was never paid in.

    A buyer's deposit that counts toward the price backs what is still to be paid; every other one what is not resolved.
    The last part draws on all that is left.
    """
    left = standing.gross - standing.resolved - value
    is_last = left.amount <= 0
    purse = Purse(
        escrow=standing.escrow if is_last else min(value - missed, standing.escrow),
        buyer_deposit=standing.buyer_held,
        seller_deposit=standing.seller_held,
    )
    if is_last:
        return purse, Kept.nothing(value.currency)
    buyers = standing.payable - missed if standing.deposit_use == "counts" else left
    return purse, Kept(
        buyer=keep(standing.buyer_deposit, open=buyers, gross=standing.gross),
        seller=keep(standing.seller_deposit, open=left, gross=standing.gross),
    )
