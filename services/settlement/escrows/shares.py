"""Who gets what of a deal's money: pure arithmetic over what is in escrow and what is held.

Deposit and penalty follow TRADE.md 3.0: a forfeit is never more than what is held and goes to the injured side, less
the platform's fee on it. What is neither used nor forfeited is released, but for what is kept for the rest of the deal.
"""

from __future__ import annotations

from decimal import Decimal

from chassis.values import Money, Value
from services.settlement.holds.model import Side
from services.settlement.ledger.model import PLATFORM, Kind, Leg


class Purse(Value):
    """What there is to share out: what is in escrow for it and what is still held of each deposit."""

    escrow: Money
    buyer_deposit: Money
    seller_deposit: Money


class Kept(Value):
    """What may stay held of each deposit afterwards."""

    buyer: Money
    seller: Money

    @classmethod
    def nothing(cls, currency: str) -> Kept:
        """What is kept when a deal is over."""
        return cls(buyer=Money.zero(currency), seller=Money.zero(currency))


class Shares(Value):
    """How money was shared out.

    The seller is paid ``from_escrow``, ``from_deposit`` (the buyer's) and ``from_supplement`` (the buyer's balance) less
    ``fee``; the buyer gets ``returned`` back from escrow; ``released`` deposits go back to their sides, ``forfeited``
    ones to the other side less ``forfeit_fee``; ``shortfall`` is what the seller should have been paid and was not yet.
    """

    from_escrow: Money
    from_deposit: Money
    from_supplement: Money
    fee: Money
    shortfall: Money
    returned: Money
    buyer_released: Money
    seller_released: Money
    buyer_forfeited: Money
    seller_forfeited: Money
    forfeit_fee: Money

    @property
    def paid(self) -> Money:
        """What the seller was paid before the fee was taken from it."""
        return self.from_escrow + self.from_deposit + self.from_supplement


def share_delivery(gross: Money, purse: Purse, kept: Kept, fee_rate: Decimal) -> Shares:
    """Pay what a delivery came to: out of its escrow first, then out of the buyer's deposit.

    What is left of its escrow goes back, and of the deposits what is not kept.
    """
    from_escrow = min(gross, purse.escrow)
    from_deposit = min(gross - from_escrow, purse.buyer_deposit)
    paid = from_escrow + from_deposit
    return _shares(
        gross.currency,
        from_escrow=from_escrow,
        from_deposit=from_deposit,
        fee=paid.times(fee_rate),
        shortfall=gross - paid,
        returned=purse.escrow - from_escrow,
        buyer_released=_surplus(purse.buyer_deposit - from_deposit, kept.buyer),
        seller_released=_surplus(purse.seller_deposit, kept.seller),
    )


def share_early_delivery(gross: Money, purse: Purse, fee_rate: Decimal) -> Shares:
    """Pay a delivery of which no value was told, which others will follow: nothing goes back before the last."""
    everything = Kept(buyer=purse.buyer_deposit, seller=purse.seller_deposit)
    escrow = min(gross, purse.escrow)
    its_own = Purse(escrow=escrow, buyer_deposit=purse.buyer_deposit, seller_deposit=purse.seller_deposit)
    return share_delivery(gross, its_own, everything, fee_rate)


def share_end(by: Side | None, forfeit: Money, purse: Purse, kept: Kept, forfeit_fee_rate: Decimal) -> Shares:
    """End what will not be delivered: up to ``forfeit`` of the deposit of who broke it is lost to it, if anybody did.

    Its escrow goes back, and of the deposits what is not kept.
    """
    held = {Side.BUYER: purse.buyer_deposit, Side.SELLER: purse.seller_deposit}
    nothing = Money.zero(forfeit.currency)
    lost = {side: min(forfeit, held[side]) if side is by else nothing for side in Side}
    return _shares(
        forfeit.currency,
        returned=purse.escrow,
        buyer_forfeited=lost[Side.BUYER],
        seller_forfeited=lost[Side.SELLER],
        forfeit_fee=(lost[Side.BUYER] + lost[Side.SELLER]).times(forfeit_fee_rate),
        buyer_released=_surplus(held[Side.BUYER] - lost[Side.BUYER], kept.buyer),
        seller_released=_surplus(held[Side.SELLER] - lost[Side.SELLER], kept.seller),
    )


def share_supplement(amount: Money, fee_rate: Decimal) -> Shares:
    """Pay out of the buyer's balance what a delivery had come to beyond its escrow and deposit."""
    return _shares(amount.currency, from_supplement=amount, fee=amount.times(fee_rate))


def share_nothing(currency: str) -> Shares:
    """Nothing moves."""
    return _shares(currency)


def _surplus(held: Money, kept: Money) -> Money:
    return max(held - kept, Money.zero(held.currency))


def _shares(currency: str, **given: Money) -> Shares:
    return Shares(**({name: Money.zero(currency) for name in Shares.__struct_fields__} | given))


def legs_of(shares: Shares, *, buyer_id: str, seller_id: str) -> list[Leg]:
    """The legs of the one journal that moves it all."""
    to_seller = shares.paid - shares.fee + shares.seller_released + shares.buyer_forfeited
    to_buyer = shares.returned + shares.buyer_released + shares.seller_forfeited - shares.from_supplement
    if shares.buyer_forfeited:
        to_seller -= shares.forfeit_fee
    else:
        to_buyer -= shares.forfeit_fee
    return [
        Leg(buyer_id, Kind.ESCROW, -(shares.from_escrow + shares.returned)),
        Leg(buyer_id, Kind.FROZEN, -(shares.from_deposit + shares.buyer_released + shares.buyer_forfeited)),
        Leg(seller_id, Kind.FROZEN, -(shares.seller_released + shares.seller_forfeited)),
        Leg(buyer_id, Kind.AVAILABLE, to_buyer),
        Leg(seller_id, Kind.AVAILABLE, to_seller),
        Leg(PLATFORM, Kind.FEE, shares.fee + shares.forfeit_fee),
    ]
