"""Net, tax and gross, and what a breaker forfeits."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.values import Exact, Money, Quantity, UnitPrice
from events.orders import DealPiece
from services.orders.deals.amounts import (
    Amounts,
    forfeit_of,
    share_among,
    share_up_to,
    withhold,
    work_out,
    work_out_by,
)
from tests.unit.orders.examples import exacts, make_frozen_terms, prices, weights

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
    rates = {"kind": "performance_bond", "held": deposit, "percent": Decimal(10), "penalty_rate": Decimal("0.2")}
    assert forfeit_of(whole, **rates) == deposit
    assert forfeit_of(fen(250_000), **rates) == fen(25_000)
    assert forfeit_of(fen(0), **rates) == fen(0)
    little = {**rates, "penalty_rate": Decimal("0.05")}
    assert forfeit_of(whole, **little) == fen(50_000)
    assert forfeit_of(whole, **{**little, "kind": "earnest"}) == fen(100_000)
    assert forfeit_of(whole, **{**rates, "held": fen(30_000)}) == fen(30_000)


@given(st.integers(0, 10**12), st.integers(0, 10**12), exacts("0", "100", 2), exacts("0", "1", 2))
def test_a_forfeit_is_never_more_than_the_deposit_or_the_part(
    one: int, other: int, percent: Exact, penalty_rate: Exact
) -> None:
    part, whole = fen(min(one, other)), fen(max(one, other))
    deposit = whole.percent(percent)
    rates = {"held": deposit, "percent": percent, "penalty_rate": penalty_rate}
    bond, earnest = (forfeit_of(part, kind=kind, **rates) for kind in ("performance_bond", "earnest"))
    assert Money.zero("CNY") <= bond <= earnest <= deposit
    assert earnest <= part


def quantity(value: Decimal | int) -> Quantity:
    return Quantity(Exact(value), "TNE")


def pieces(nets: list[Exact]) -> list[DealPiece]:
    return [DealPiece(piece_id=f"piece_{i}", number=str(i), net=quantity(net)) for i, net in enumerate(nets)]


@given(st.lists(exacts("0.000001", "99.999999", 6), min_size=1, max_size=12), prices(), BASES, RATES)
def test_the_shares_of_pieces_make_the_gross_and_are_near_their_own(
    nets: list[Exact], price: UnitPrice, basis: str, rate: Exact
) -> None:
    terms = make_frozen_terms(price=price, tax_basis=basis, tax_rate=rate)
    gross = work_out_by(terms, quantity(sum(nets))).gross
    priced = share_among(gross, pieces(nets), terms)
    assert sum(piece.gross.amount for piece in priced) == gross.amount
    for piece in priced:
        own = work_out_by(terms, piece.net).gross.amount
        assert abs(piece.gross.amount - own) <= len(nets) + 1
        assert piece.gross.amount >= 0
    assert share_among(gross, pieces(nets), terms) == priced


def test_pieces_that_are_each_worth_nothing_share_by_weight() -> None:
    terms = make_frozen_terms(price=UnitPrice(Exact("0.01"), "CNY", "TNE"))
    priced = share_among(fen(1), pieces([Exact("0.4"), Exact("0.2")]), terms)
    assert [piece.gross for piece in priced] == [fen(1), fen(0)]


@given(st.integers(1, 10**13), st.lists(exacts("0.000001", "9999.999999", 6), min_size=1, max_size=12), st.randoms())
def test_the_shares_of_parts_by_weight_make_the_gross_in_whatever_order(
    amount: int, parts: list[Exact], chance: Any
) -> None:
    gross, whole = fen(amount), quantity(sum(parts))
    for _ in range(2):
        chance.shuffle(parts)
        covered, before, shares = Decimal(0), fen(0), []
        for part in parts:
            covered += part
            upto = share_up_to(gross, quantity(covered), whole)
            shares.append(upto - before)
            before = upto
            exact = Fraction(amount) * Fraction(covered) / Fraction(whole.value)
            assert upto.amount == int(exact + Fraction(1, 2))
        assert sum(share.amount for share in shares) == amount
        assert all(share.amount >= 0 for share in shares)


def test_a_share_is_rounded_half_up_at_the_half() -> None:
    assert share_up_to(fen(3), quantity(5), quantity(6)) == fen(3)
    assert share_up_to(fen(3), quantity(1), quantity(6)) == fen(1)
    assert share_up_to(fen(3), quantity(7), quantity(6)) == fen(3)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_what_is_withheld_is_within_the_value_and_the_difference_of_the_weights(
    value: int, one: int, other: int
) -> None:
    least, most = sorted((one, other))
    withheld = withhold(fen(value), least=fen(least), most=fen(most)).amount
    assert 0 <= withheld <= most - least
    assert withheld <= value
    assert min(value, most) <= min(value, least) + withheld
