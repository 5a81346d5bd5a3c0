"""The settlement quantity by each rule, at the edge of the tolerance and in general."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.values import Exact, Quantity
from services.orders.deals.weighing import is_within, settle_quantity
from tests.unit.orders.examples import exacts, weights

RULES = ("LABEL", "SELLER_WEIGHT", "BUYER_WEIGHT", "WITHIN_TOL_SELLER_ELSE_BUYER")
LABEL = Quantity(Exact("16.5"), "TNE")


def kilograms(value: str) -> Quantity:
    return Quantity(Exact(value), "KGM")


@pytest.mark.parametrize(
    ("rule", "settled"),
    [
        ("LABEL", LABEL),
        ("SELLER_WEIGHT", kilograms("16480")),
        ("BUYER_WEIGHT", kilograms("16400")),
        ("WITHIN_TOL_SELLER_ELSE_BUYER", kilograms("16400")),
    ],
)
def test_each_rule_names_its_weight(rule: str, settled: Quantity) -> None:
    loaded, received = kilograms("16480"), kilograms("16400")
    assert settle_quantity(rule, Decimal("0.003"), label=LABEL, loaded=loaded, received=received) == settled


@pytest.mark.parametrize(
    ("received", "settled"),
    [("9970", "10000"), ("10030", "10000"), ("9969", "9969"), ("10031", "10031"), ("9969.999", "9969.999")],
)
def test_exactly_at_the_tolerance_the_sellers_weight_stands_and_one_step_beyond_it_does_not(
    received: str, settled: str
) -> None:
    found = settle_quantity(
        "WITHIN_TOL_SELLER_ELSE_BUYER",
        Decimal("0.003"),
        label=LABEL,
        loaded=kilograms("10000"),
        received=kilograms(received),
    )
    assert found == kilograms(settled)


def test_a_tolerance_of_nothing_allows_nothing() -> None:
    """ERPNext passes 100.002 on 100 at 0 % (erpnext#40340)."""
    assert not is_within(Decimal(0), loaded=kilograms("100"), received=kilograms("100.002"))
    assert is_within(Decimal(0), loaded=kilograms("100"), received=Quantity(Exact("0.1"), "TNE"))


@given(st.sampled_from(RULES), exacts("0", "0.05", 6), weights("TNE", "999.999"), weights(), weights())
def test_the_settled_quantity_is_one_of_the_three_and_never_rounded(
    rule: str, tolerance: Exact, label: Quantity, loaded: Quantity, received: Quantity
) -> None:
    settled = settle_quantity(rule, tolerance, label=label, loaded=loaded, received=received)
    assert settled in (label, loaded, received)
    if rule == "WITHIN_TOL_SELLER_ELSE_BUYER":
        within = abs(received.value - loaded.value) * 10**6 <= tolerance * 10**6 * loaded.value
        assert settled == (loaded if within else received)


@given(exacts("0", "0.05", 6), weights(), weights())
def test_the_unit_of_a_ticket_does_not_change_what_it_settles_to(
    tolerance: Exact, loaded: Quantity, received: Quantity
) -> None:
    in_kg = is_within(tolerance, loaded=loaded, received=received)
    assert is_within(tolerance, loaded=loaded.to("TNE"), received=received) == in_kg
    assert is_within(tolerance, loaded=loaded, received=received.to("TNE")) == in_kg
