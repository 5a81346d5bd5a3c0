"""Which weight stands and the sentence that says why."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.values import Exact, Quantity
from services.orders.deals.verdicts import judge, rule_on
from services.orders.deals.weighing import Weights
from tests.unit.orders.examples import make_frozen_terms

LIMIT = {"dispute_limit": Exact("0.01")}


def weighed(loaded: str, received: str, third: str | None = None) -> Weights:
    said = {"loaded": loaded, "received": received, "third_party": third}
    known = {name: None if value is None else Quantity(Exact(value), "KGM") for name, value in said.items()}
    return Weights(label=Quantity(Exact("20"), "TNE"), **known)


@pytest.mark.parametrize(
    ("rule", "weights", "settled", "reason"),
    [
        (
            "WITHIN_TOL_SELLER_ELSE_BUYER",
            weighed("20000", "19920"),
            "19920",
            "R − D = −80 kg, 4.0 ‰ of D, beyond 3 ‰: the buyer's weight stands",
        ),
        (
            "WITHIN_TOL_SELLER_ELSE_BUYER",
            weighed("20000", "20060"),
            "20000",
            "R − D = +60 kg, 3.0 ‰ of D, within 3 ‰: the seller's weight stands",
        ),
        (
            "WITHIN_TOL_SELLER_ELSE_BUYER",
            weighed("20000", "20060.1"),
            "20060.1",
            "R − D = +60.1 kg, 3.005 ‰ of D, beyond 3 ‰: the buyer's weight stands",
        ),
        (
            "WITHIN_TOL_SELLER_ELSE_BUYER",
            weighed("0", "0"),
            "0",
            "R − D = 0 kg, within 3 ‰: the seller's weight stands",
        ),
        (
            "EXCESS_ONLY",
            weighed("20000", "19920"),
            "19980",
            "R − D = −80 kg, 4.0 ‰ of D, beyond 3 ‰: the seller's weight stands but for the excess",
        ),
        (
            "LABEL",
            weighed("20000", "19920"),
            "20",
            "the weight on the label is settled; R − D = −80 kg, 4.0 ‰ of D decides nothing",
        ),
        ("SELLER_WEIGHT", weighed("20000", "19000"), "20000", "R − D = −1000 kg, 50.0 ‰ of D: the seller's weight D is settled"),
        ("THIRD_PARTY", weighed("20000", "19000", "19500"), "19500", "the third party's weight 19500 kg stands"),
        ("THIRD_PARTY", weighed("20000", "19000"), "20000", "no third party weighed: the seller's weight stands"),
    ],
)  # fmt: skip
def test_a_verdict_says_why(rule: str, weights: Weights, settled: str, reason: str) -> None:
    found = judge(make_frozen_terms(weighing_rule=rule), weights)
    assert (found.settled.value, found.reason, found.is_open) == (Exact(settled), reason, False)


@pytest.mark.parametrize(
    ("received", "is_open"), [("19800", False), ("19799", True), ("20200", False), ("20201", True)]
)
def test_exactly_at_the_dispute_limit_the_rule_still_decides(received: str, is_open: bool) -> None:
    assert judge(make_frozen_terms(**LIMIT), weighed("20000", received)).is_open == is_open


def test_in_a_dispute_the_lesser_weight_is_settled_at_once() -> None:
    for loaded, received in (("20000", "19700"), ("19700", "20000")):
        found = judge(make_frozen_terms(**LIMIT), weighed(loaded, received))
        assert (str(found.settled.value), found.is_open) == ("19700", True)
    assert found.reason == (
        "R − D = +300 kg, 15.2 ‰ of D, beyond the dispute limit of 10 ‰: the lesser weight is settled at once"
    )


@pytest.mark.parametrize(("third", "settled"), [("19900", "19900"), ("19600", "19700"), ("20500", "20000")])
@pytest.mark.parametrize("rule", ["WITHIN_TOL_SELLER_ELSE_BUYER", "THIRD_PARTY", "SELLER_WEIGHT"])
def test_a_third_party_decides_alike_before_and_after_acceptance(rule: str, third: str, settled: str) -> None:
    terms: Any = make_frozen_terms(weighing_rule=rule, **LIMIT)
    before = judge(terms, weighed("20000", "19700", third))
    after = rule_on(Quantity(Exact(third), "KGM"), weighed("20000", "19700"), terms, by="the third party's weight")
    assert (str(before.settled.value), before.is_open) == (settled, False)
    assert after.settled == before.settled
    assert after.reason.endswith(f"the third party's weight, {settled} kg is settled")


@pytest.mark.parametrize("rule", ["LABEL", "THEORETICAL"])
def test_rules_that_ask_no_scale_are_never_in_dispute(rule: str) -> None:
    found = judge(make_frozen_terms(weighing_rule=rule, **LIMIT), weighed("20000", "10000"))
    assert (found.settled, found.is_open) == (Quantity(Exact("20"), "TNE"), False)
