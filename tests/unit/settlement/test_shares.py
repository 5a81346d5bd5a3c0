"""Who gets what: nothing is lost, nothing is made, nobody pays more than there is."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from chassis.values import Money
from services.settlement.escrows.shares import (
    Purse,
    Shares,
    legs_of,
    share_back,
    share_default,
    share_delivery,
    share_last_delivery,
)
from services.settlement.holds.model import Side
from services.settlement.ledger.model import PLATFORM, Kind

AMOUNTS = st.one_of(st.integers(0, 30), st.integers(0, 10**13)).map(lambda amount: Money(amount, "CNY"))
PURSES = st.builds(Purse, escrow=AMOUNTS, buyer_deposit=AMOUNTS, seller_deposit=AMOUNTS)
RATES = st.decimals(0, 1, places=6)


def cny(amount: int) -> Money:
    """Fen."""
    return Money(amount, "CNY")


def purse(escrow: int, buyer: int, seller: int) -> Purse:
    """What there is to share."""
    return Purse(escrow=cny(escrow), buyer_deposit=cny(buyer), seller_deposit=cny(seller))


def moved(shares: Shares) -> dict[tuple[str, Kind], int]:
    """What each account gets, without those that get nothing."""
    got: dict[tuple[str, Kind], int] = defaultdict(int)
    for leg in legs_of(shares, buyer_id="buyer", seller_id="mill"):
        got[leg.owner_id, leg.kind] += leg.amount.amount
    return {account: amount for account, amount in got.items() if amount}


def check_sound(shares: Shares) -> dict[tuple[str, Kind], int]:
    """Legs sum to zero, no share is negative, and only what was put aside is given."""
    got = moved(shares)
    assert sum(got.values()) == 0
    assert min(getattr(shares, name).amount for name in Shares.__struct_fields__) >= 0
    assert all(amount >= 0 for (_, kind), amount in got.items() if kind in (Kind.AVAILABLE, Kind.FEE))
    return got


@given(AMOUNTS, PURSES, RATES)
def test_a_delivery_takes_escrow_then_deposit_and_leaves_the_rest(gross: Money, held: Purse, rate: Decimal) -> None:
    shares = share_delivery(gross, held, rate)
    got = check_sound(shares)
    assert shares.paid + shares.shortfall == gross
    assert shares.from_escrow <= held.escrow and shares.from_deposit <= held.buyer_deposit
    assert not shares.from_deposit or shares.from_escrow == held.escrow
    assert not shares.shortfall or shares.from_deposit == held.buyer_deposit
    assert shares.fee == shares.paid.times(rate) <= shares.paid
    assert ("buyer", Kind.AVAILABLE) not in got and ("mill", Kind.FROZEN) not in got


@given(AMOUNTS, PURSES, RATES)
def test_the_last_delivery_leaves_nothing(gross: Money, held: Purse, rate: Decimal) -> None:
    got = check_sound(share_last_delivery(gross, held, rate))
    taken = {"buyer": held.escrow + held.buyer_deposit, "mill": held.seller_deposit}
    for owner, amount in taken.items():
        assert -sum(got.get((owner, kind), 0) for kind in (Kind.ESCROW, Kind.FROZEN)) == amount.amount


@given(st.sampled_from(Side), AMOUNTS, PURSES, RATES)
def test_a_default_moves_the_forfeit_and_gives_back_the_rest(
    by: Side, asked: Money, held: Purse, rate: Decimal
) -> None:
    shares = share_default(by, asked, held, rate)
    got = check_sound(shares)
    own = held.buyer_deposit if by is Side.BUYER else held.seller_deposit
    forfeit = min(asked, own)
    fee = forfeit.times(rate)
    breaker, other = ("buyer", "mill") if by is Side.BUYER else ("mill", "buyer")
    mine = {"buyer": held.escrow + held.buyer_deposit, "mill": held.seller_deposit}
    assert got.get((breaker, Kind.AVAILABLE), 0) == (mine[breaker] - forfeit).amount
    assert got.get((other, Kind.AVAILABLE), 0) == (mine[other] + forfeit - fee).amount
    assert got.get((PLATFORM, Kind.FEE), 0) == fee.amount


@given(PURSES)
def test_giving_back_leaves_each_with_its_own(held: Purse) -> None:
    got = check_sound(share_back(held))
    assert got.get(("buyer", Kind.AVAILABLE), 0) == (held.escrow + held.buyer_deposit).amount
    assert got.get(("mill", Kind.AVAILABLE), 0) == held.seller_deposit.amount


def test_the_fee_rounds_half_up_on_what_is_paid() -> None:
    rate = Decimal("0.001")
    assert [share_delivery(cny(gross), purse(10_000, 0, 0), rate).fee.amount for gross in (499, 500, 1499, 1500)] == [
        0, 1, 1, 2,
    ]  # fmt: skip
    assert share_delivery(cny(99_999), purse(1000, 500, 0), rate).fee == cny(2)
