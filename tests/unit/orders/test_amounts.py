"""Net, tax and gross, and what a breaker forfeits."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.values import Exact, Money, Quantity, UnitPrice
from services.orders.deals.amounts import Amounts, forfeit_of, work_out
from tests.unit.orders.examples import exacts, prices, weights

BASES = st.sampled_from(["tax_included", "tax_excluded"])
RATES = exacts("0", "0.25", 2)


def fen(amount: int) -> Money:
    return Money(amount, "CNY")


def amounts(price: str, tonnes: str, basis: str, rate: str) -> Amounts:
    quantity, per_tonne = Quantity(Exact(tonnes), "TNE"), UnitPrice(Exact(price), "CNY", "TNE")
    return work_out(quantity, price=per_tonne, tax_basis=basis, tax_rate=Exact(rate))


@pytest.mark.parametrize(
    ("price", "tonnes", "basis", "rate", "net", "tax", "gross"),
    [
        ("3850", "16.5", "tax_included", "0.13", 5621681, 730819, 6352500),
        ("3850", "16.5", "tax_excluded", "0.13", 6352500, 825825, 7178325),
        ("0.01", "0.5", "tax_included", "0", 1, 0, 1),
        ("0.01", "0.499999", "tax_included", "0", 0, 0, 0),
        ("1", "0.005", "tax_excluded", "0.5", 1, 1, 2),
        ("10.005", "1", "tax_excluded", "0", 1001, 0, 1001),
        ("4000", "8.25", "tax_included", "0", 3300000, 0, 3300000),
    ],
)
def test_amounts_round_half_up_once(
    price: str, tonnes: str, basis: str, rate: str, net: int, tax: int, gross: int
) -> None:
    assert amounts(price, tonnes, basis, rate) == Amounts(fen(net), fen(tax), fen(gross))


@given(weights(), prices(), BASES, RATES)
def test_net_and_tax_make_gross_and_the_stated_figure_is_exact(
    quantity: Quantity, price: UnitPrice, basis: str, rate: Exact
) -> None:
    found = work_out(quantity, price=price, tax_basis=basis, tax_rate=rate)
    assert found.net + found.tax == found.gross
    assert found.tax.amount >= 0
    stated = found.gross if basis == "tax_included" else found.net
    exact = price.value * quantity.value / 1000 * 100
    assert stated.amount == exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)
    other = found.net if basis == "tax_included" else found.tax
    wanted = stated.amount / (1 + rate) if basis == "tax_included" else stated.amount * rate
    assert abs(other.amount - wanted) <= Decimal("0.5")


@given(st.lists(weights(), min_size=1, max_size=8), prices(), BASES, RATES)
def test_deliveries_differ_from_the_whole_by_no_more_than_their_rounding(
    parts: list[Quantity], price: UnitPrice, basis: str, rate: Exact
) -> None:
    whole = Quantity(Exact(sum(part.value for part in parts)), "KGM")
    one = work_out(whole, price=price, tax_basis=basis, tax_rate=rate).gross
    many = [work_out(part, price=price, tax_basis=basis, tax_rate=rate).gross for part in parts]
    assert abs(sum(each.amount for each in many) - one.amount) <= len(parts) + 1


def test_a_forfeit_is_in_proportion_to_the_part() -> None:
    whole, deposit = fen(1_000_000), fen(100_000)
    rates = {"deposit": deposit, "percent": Decimal(10), "penalty_rate": Decimal("0.2")}
    assert forfeit_of(whole, **rates) == deposit
    assert forfeit_of(fen(250_000), **rates) == fen(25_000)
    assert forfeit_of(fen(0), **rates) == fen(0)
    assert forfeit_of(whole, deposit=deposit, percent=Decimal(10), penalty_rate=Decimal("0.05")) == fen(50_000)


@given(st.integers(0, 10**12), st.integers(0, 10**12), exacts("0", "100", 2), exacts("0", "1", 2))
def test_a_forfeit_is_never_more_than_the_deposit_or_the_part(
    one: int, other: int, percent: Exact, penalty_rate: Exact
) -> None:
    part, whole = fen(min(one, other)), fen(max(one, other))
    deposit = whole.percent(percent)
    forfeit = forfeit_of(part, deposit=deposit, percent=percent, penalty_rate=penalty_rate)
    assert Money.zero("CNY") <= forfeit <= deposit
    assert forfeit <= part
