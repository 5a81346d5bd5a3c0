"""Who gets what: nothing is lost, nothing is made, nobody pays more than there is."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from chassis.values import Money
from services.settlement.escrows.shares import (
    Kept,
    Purse,
    Shares,
    legs_of,
    share_delivery,
    share_early_delivery,
    share_end,
    share_nothing,
    share_supplement,
)
from services.settlement.holds.model import Side
from services.settlement.ledger.model import PLATFORM, Kind

AMOUNTS = st.one_of(st.integers(0, 30), st.integers(0, 10**13)).map(lambda amount: Money(amount, "CNY"))
PURSES = st.builds(Purse, escrow=AMOUNTS, buyer_deposit=AMOUNTS, seller_deposit=AMOUNTS)
KEPT = st.builds(Kept, buyer=AMOUNTS, seller=AMOUNTS)
NOTHING = Kept.nothing("CNY")
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


@given(AMOUNTS, PURSES, KEPT, RATES)
def test_a_delivery_takes_escrow_then_deposit(gross: Money, held: Purse, kept: Kept, rate: Decimal) -> None:
    shares = share_delivery(gross, held, kept, rate)
    got = check_sound(shares)
    assert shares.paid + shares.shortfall == gross
    assert shares.from_escrow + shares.returned == held.escrow and shares.from_deposit <= held.buyer_deposit
    assert not shares.from_deposit or shares.from_escrow == held.escrow
    assert not shares.shortfall or shares.from_deposit == held.buyer_deposit
    assert shares.fee == shares.paid.times(rate) <= shares.paid
    left = held.buyer_deposit - shares.from_deposit - shares.buyer_released
    assert left == min(held.buyer_deposit - shares.from_deposit, kept.buyer)
    assert held.seller_deposit - shares.seller_released == min(held.seller_deposit, kept.seller)
    assert got.get(("buyer", Kind.FROZEN), 0) >= -held.buyer_deposit.amount


@given(AMOUNTS, PURSES, RATES)
def test_an_early_delivery_of_no_told_value_leaves_the_rest(gross: Money, held: Purse, rate: Decimal) -> None:
    shares = share_early_delivery(gross, held, rate)
    got = check_sound(shares)
    assert shares.paid + shares.shortfall == gross and shares.from_escrow <= held.escrow
    assert ("buyer", Kind.AVAILABLE) not in got and ("mill", Kind.FROZEN) not in got


@given(AMOUNTS, PURSES, RATES)
def test_the_last_delivery_leaves_nothing(gross: Money, held: Purse, rate: Decimal) -> None:
    got = check_sound(share_delivery(gross, held, NOTHING, rate))
    taken = {"buyer": held.escrow + held.buyer_deposit, "mill": held.seller_deposit}
    for owner, amount in taken.items():
        assert -sum(got.get((owner, kind), 0) for kind in (Kind.ESCROW, Kind.FROZEN)) == amount.amount


@given(st.sampled_from([*Side, None]), AMOUNTS, PURSES, RATES)
def test_an_end_moves_the_forfeit_and_gives_back_the_rest(
    by: Side | None, asked: Money, held: Purse, rate: Decimal
) -> None:
    shares = share_end(by, asked, held, NOTHING, rate)
    got = check_sound(shares)
    mine = {"buyer": held.escrow + held.buyer_deposit, "mill": held.seller_deposit}
    own = {Side.BUYER: held.buyer_deposit, Side.SELLER: held.seller_deposit, None: cny(0)}[by]
    forfeit = min(asked, own)
    fee = forfeit.times(rate)
    breaker, other = ("buyer", "mill") if by is Side.BUYER else ("mill", "buyer")
    assert got.get((breaker, Kind.AVAILABLE), 0) == (mine[breaker] - forfeit).amount
    assert got.get((other, Kind.AVAILABLE), 0) == (mine[other] + forfeit - fee).amount
    assert got.get((PLATFORM, Kind.FEE), 0) == fee.amount


@given(st.sampled_from([*Side, None]), AMOUNTS, PURSES, KEPT, RATES)
def test_an_end_keeps_what_the_rest_needs(
    by: Side | None, asked: Money, held: Purse, kept: Kept, rate: Decimal
) -> None:
    shares = share_end(by, asked, held, kept, rate)
    check_sound(shares)
    for side in Side:
        had, lost = getattr(held, f"{side}_deposit"), getattr(shares, f"{side}_forfeited")
        left = had - lost - getattr(shares, f"{side}_released")
        assert left == min(had - lost, getattr(kept, side)) and (not lost or side is by)


@given(AMOUNTS, RATES)
def test_a_supplement_goes_from_balance_to_balance(amount: Money, rate: Decimal) -> None:
    shares = share_supplement(amount, rate)
    fee = amount.times(rate).amount
    said = {
        ("buyer", Kind.AVAILABLE): -amount.amount,
        ("mill", Kind.AVAILABLE): amount.amount - fee,
        (PLATFORM, Kind.FEE): fee,
    }
    assert moved(shares) == {account: each for account, each in said.items() if each}
    assert moved(share_nothing("CNY")) == {}


def test_the_fee_rounds_half_up_on_what_is_paid() -> None:
    rate, kept = Decimal("0.001"), NOTHING
    fees = [share_delivery(cny(gross), purse(10_000, 0, 0), kept, rate).fee.amount for gross in (499, 500, 1499, 1500)]
    assert fees == [0, 1, 1, 2]
    assert share_delivery(cny(99_999), purse(1000, 500, 0), kept, rate).fee == cny(2)
