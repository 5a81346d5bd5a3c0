"""The settlement quantity by each rule, at the edge of the tolerance and in general, and what is disputed."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.values import Exact, Quantity
from services.orders.deals.weighing import Weights, bound, is_disputed, settle_quantity
from tests.unit.orders.examples import exacts, weights

BY_PIECE = ("LABEL", "THEORETICAL")
ONE_OF = (*BY_PIECE, "SELLER_WEIGHT", "BUYER_WEIGHT", "THIRD_PARTY", "WITHIN_TOL_SELLER_ELSE_BUYER")
RULES = (*ONE_OF, "EXCESS_ONLY")
LABEL = Quantity(Exact("16.5"), "TNE")
TOLERANCES = exacts("0", "0.05", 6)


def kilograms(value: str) -> Quantity:
    return Quantity(Exact(value), "KGM")


def weighed(loaded: str, received: str, third: str | None = None) -> Weights:
    third_party = None if third is None else kilograms(third)
    return Weights(label=LABEL, loaded=kilograms(loaded), received=kilograms(received), third_party=third_party)


def some_weights() -> st.SearchStrategy[Weights]:
    thirds = st.one_of(st.none(), weights())
    return st.builds(Weights, label=weights("TNE", "999.999"), loaded=weights(), received=weights(), third_party=thirds)


@pytest.mark.parametrize(
    ("rule", "settled"),
    [
        ("LABEL", LABEL),
        ("THEORETICAL", LABEL),
        ("SELLER_WEIGHT", kilograms("16480")),
        ("BUYER_WEIGHT", kilograms("16400")),
        ("THIRD_PARTY", kilograms("16450")),
        ("WITHIN_TOL_SELLER_ELSE_BUYER", kilograms("16400")),
        ("EXCESS_ONLY", kilograms("16449.44")),
    ],
)
def test_each_rule_names_its_weight(rule: str, settled: Quantity) -> None:
    assert settle_quantity(rule, Decimal("0.003"), weighed("16480", "16400", "16450")) == settled


def test_without_a_third_partys_ticket_the_sellers_weight_stands() -> None:
    assert settle_quantity("THIRD_PARTY", Decimal("0.003"), weighed("16480", "16400")) == kilograms("16480")


@pytest.mark.parametrize(
    ("received", "settled", "adjusted"),
    [
        ("9970", "10000", "10000"),
        ("10030", "10000", "10000"),
        ("9969", "9969", "9999"),
        ("10031", "10031", "10001"),
        ("9969.999", "9969.999", "9999.999"),
        ("9969.999999", "9969.999999", "9999.999999"),
        ("10030.000001", "10030.000001", "10000.000001"),
    ],
)
def test_exactly_at_the_tolerance_the_sellers_weight_stands_and_one_step_beyond_it_does_not(
    received: str, settled: str, adjusted: str
) -> None:
    found = weighed("10000", received)
    assert settle_quantity("WITHIN_TOL_SELLER_ELSE_BUYER", Decimal("0.003"), found) == kilograms(settled)
    assert settle_quantity("EXCESS_ONLY", Decimal("0.003"), found) == kilograms(adjusted)


def test_a_tolerance_of_nothing_allows_nothing() -> None:
    """ERPNext passes 100.002 on 100 at 0 % (erpnext#40340)."""
    assert not weighed("100", "100.002").is_within(Decimal(0))
    assert Weights(label=LABEL, loaded=kilograms("100"), received=Quantity(Exact("0.1"), "TNE")).is_within(Decimal(0))


@given(st.sampled_from(ONE_OF), TOLERANCES, some_weights())
def test_the_settled_quantity_is_one_of_those_weighed_and_never_rounded(
    rule: str, tolerance: Exact, found: Weights
) -> None:
    settled = settle_quantity(rule, tolerance, found)
    assert settled in (found.label, found.loaded, found.received, found.third_party)
    if rule == "WITHIN_TOL_SELLER_ELSE_BUYER":
        apart = abs(found.received.value - found.loaded.value)
        within = apart * 10**6 <= tolerance * 10**6 * found.loaded.value
        assert settled == (found.loaded if within else found.received)


@given(TOLERANCES, some_weights())
def test_only_the_excess_moves_the_sellers_weight_toward_the_buyers(tolerance: Exact, found: Weights) -> None:
    settled = settle_quantity("EXCESS_ONLY", tolerance, found)
    loaded, received = found.loaded.value, found.received.value
    borne = (tolerance * loaded).quantize(Decimal("0.000001"), ROUND_HALF_UP)
    if abs(received - loaded) <= tolerance * loaded:
        assert settled == found.loaded
    elif received < loaded:
        assert settled.value == received + borne
        assert received <= settled.value <= loaded
    else:
        assert settled.value == received - borne
        assert loaded <= settled.value <= received


@given(st.sampled_from(RULES), TOLERANCES, some_weights())
def test_the_unit_of_a_ticket_does_not_change_what_it_settles_to(rule: str, tolerance: Exact, found: Weights) -> None:
    third = found.third_party.to("TNE") if found.third_party else None
    other = Weights(label=found.label, loaded=found.loaded, received=found.received.to("TNE"), third_party=third)
    assert other.is_within(tolerance) == found.is_within(tolerance)
    settled = settle_quantity(rule, tolerance, found)
    assert settle_quantity(rule, tolerance, other).to("KGM") == settled.to("KGM")


@given(st.sampled_from(RULES), TOLERANCES, some_weights())
def test_beyond_the_limit_a_weight_is_disputed_but_for_rules_that_ask_no_scale(
    rule: str, limit: Exact, found: Weights
) -> None:
    apart = abs(found.difference) > limit * found.loaded.value
    assert is_disputed(rule, limit, found) == (apart and rule not in BY_PIECE)
    assert not is_disputed(rule, None, found)


@given(some_weights(), weights(most="199999.999"))
def test_a_decided_weight_lies_between_those_of_both_ends(found: Weights, decided: Quantity) -> None:
    kept = bound(decided, found)
    least, most = sorted((found.loaded.value, found.received.value))
    assert least <= kept.value <= most
    assert kept == decided or not least <= decided.value <= most
