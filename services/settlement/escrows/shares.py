"""Who gets what of a deal's money: pure arithmetic over what is in escrow and what is held.

Deposit and penalty follow TRADE.md 3.0: a forfeit is never more than what is held and goes to the injured side, less
the platform's fee on it; what is not forfeited is released.
"""

from __future__ import annotations

from decimal import Decimal

from chassis.values import Money, Value
from services.settlement.holds.model import Side
from services.settlement.ledger.model import PLATFORM, Kind, Leg


class Purse(Value):
    """What there is to share out: the rest of the escrow and what is still held of each deposit."""

    escrow: Money
    buyer_deposit: Money
    seller_deposit: Money


class Shares(Value):
    """How money was shared out.

    The seller is paid ``from_escrow`` and ``from_deposit`` (the buyer's) less ``fee``; the buyer gets ``returned`` back
    from escrow; ``released`` deposits go back to their sides, ``forfeited`` ones to the other side less
    ``forfeit_fee``; ``shortfall`` is what the seller should have been paid and was not.
    """

    from_escrow: Money
    from_deposit: Money
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
        return self.from_escrow + self.from_deposit


def share_delivery(gross: Money, purse: Purse, fee_rate: Decimal) -> Shares:
    """Pay a delivery that others will follow: out of escrow first, then out of the buyer's deposit; the rest stays."""
    from_escrow = min(gross, purse.escrow)
    from_deposit = min(gross - from_escrow, purse.buyer_deposit)
    paid = from_escrow + from_deposit
    return _shares(
        gross.currency,
        from_escrow=from_escrow,
        from_deposit=from_deposit,
        fee=paid.times(fee_rate),
        shortfall=gross - paid,
    )


def share_last_delivery(gross: Money, purse: Purse, fee_rate: Decimal) -> Shares:
    """Pay the last delivery, return the rest of the escrow and release what is still held."""
    paid = share_delivery(gross, purse, fee_rate)
    return _shares(
        gross.currency,
        from_escrow=paid.from_escrow,
        from_deposit=paid.from_deposit,
        fee=paid.fee,
        shortfall=paid.shortfall,
        returned=purse.escrow - paid.from_escrow,
        buyer_released=purse.buyer_deposit - paid.from_deposit,
        seller_released=purse.seller_deposit,
    )


def share_default(by: Side, forfeit: Money, purse: Purse, forfeit_fee_rate: Decimal) -> Shares:
    """End a deal that one side broke: up to ``forfeit`` of its deposit is lost to it, everything else goes back."""
    held = purse.buyer_deposit if by is Side.BUYER else purse.seller_deposit
    forfeited = min(forfeit, held)
    other = Side.SELLER if by is Side.BUYER else Side.BUYER
    kept = purse.seller_deposit if by is Side.BUYER else purse.buyer_deposit
    return _shares(
        forfeit.currency,
        returned=purse.escrow,
        forfeit_fee=forfeited.times(forfeit_fee_rate),
        **{f"{by}_forfeited": forfeited, f"{by}_released": held - forfeited, f"{other}_released": kept},
    )


def share_back(purse: Purse) -> Shares:
    """Give everything back."""
    return _shares(
        purse.escrow.currency,
        returned=purse.escrow,
        buyer_released=purse.buyer_deposit,
        seller_released=purse.seller_deposit,
    )


def _shares(currency: str, **given: Money) -> Shares:
    return Shares(**({name: Money.zero(currency) for name in Shares.__struct_fields__} | given))


def legs_of(shares: Shares, *, buyer_id: str, seller_id: str) -> list[Leg]:
    """The legs of the one journal that moves it all."""
    to_seller = shares.paid - shares.fee + shares.seller_released + shares.buyer_forfeited
    to_buyer = shares.returned + shares.buyer_released + shares.seller_forfeited
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
