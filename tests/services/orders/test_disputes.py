"""Disputed weights: what is not disputed is settled at once, and the rest when the weight is decided."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.values import Exact, Money, Quantity
from events.orders import DealCompleted, DealDescribed, DeliveryAccepted, PiecesPassed
from tests.services.orders.conftest import Stand

TERMS = {"dispute_limit": "0.01"}


def fen(amount: int) -> Money:
    return Money(amount, "CNY")


def kilograms(value: str) -> Quantity:
    return Quantity(Exact(value), "KGM")


def name(stand: Stand, deal: dict[str, Any], party: str, kg: str, unit: str = "KGM", role: str = "signatory") -> Any:
    path = f"/v1/deals/{deal['id']}/deliveries/delivery_1/agreed-weight"
    return stand.send("POST", path, {"weight": {"value": kg, "unit": unit}}, party=party, role=role)


def dispute(stand: Stand, loaded: str = "8250", received: str = "8000", **terms: Any) -> dict[str, Any]:
    """A deal over one coil whose only delivery was accepted in dispute."""
    deal = stand.make_paid("A1", **TERMS, **terms)
    stand.start(deal, "delivery_1")
    stand.weigh(deal, "delivery_1", loaded, received)
    stand.accept(deal["id"], "delivery_1").ok()
    return stand.deal(deal["id"])


def test_the_lesser_weight_is_settled_and_the_difference_stays_in_escrow(stand: Stand) -> None:
    deal = dispute(stand)
    told = [event for event in stand.told() if isinstance(event, DeliveryAccepted)]
    [undisputed] = told
    assert (undisputed.stage, undisputed.settled, undisputed.is_last) == ("undisputed", kilograms("8000"), False)
    assert (undisputed.gross, undisputed.value) == (fen(3080000), fen(3080000))
    assert deal["state"] == "settling"
    [delivery] = deal["deliveries"]
    assert (delivery["state"], delivery["is_disputed"], delivery["value"]["amount"]) == ("disputed", True, 3176250)
    stand.pay_out(deal["id"], delivery, "undisputed")
    assert stand.deal(deal["id"])["state"] == "settling"
    assert [event for event in stand.told() if isinstance(event, PiecesPassed)] == []
    assert stand.broken() == {}


def test_both_sides_name_the_same_weight_and_the_rest_is_settled_by_it(stand: Stand) -> None:
    deal = dispute(stand)
    first = [event for event in stand.told() if isinstance(event, DeliveryAccepted)][0]
    assert name(stand, deal, "buyer", "8050").ok()["state"] == "disputed"
    assert name(stand, deal, "mill", "8100").ok()["seller_weight"] == {"value": "8100", "unit": "KGM"}
    assert stand.told() == []
    decided = name(stand, deal, "buyer", "8.1", unit="TNE").ok()
    assert decided["state"] == "accepted"
    assert decided["reason"] == "R − D = −250 kg, 30.3 ‰ of D: agreed by both sides, 8100 kg is settled"
    [second] = stand.told()
    assert (second.stage, second.settled, second.is_last) == ("decided", kilograms("100"), True)
    assert (first.gross + second.gross, first.value + second.value) == (fen(3118500), fen(3176250))
    assert first.net + second.net + first.tax + second.tax == fen(3118500)
    assert decided["gross"]["amount"] == 3118500
    assert name(stand, deal, "mill", "8100").problem() == "not_disputed"
    stand.pay_out(deal["id"], decided, "decided")
    assert stand.deal(deal["id"])["state"] == "settling"
    stand.pay_out(deal["id"], decided, "undisputed")
    assert stand.deal(deal["id"])["state"] == "completed"
    told = stand.told()
    assert [type(event) for event in told if isinstance(event, PiecesPassed | DealCompleted | DealDescribed)] == [
        PiecesPassed,
        DealCompleted,
        DealDescribed,
    ]
    assert stand.broken() == {}


@pytest.mark.parametrize(("third", "settled"), [("8120", "8120"), ("7000", "8000"), ("9000", "8250")])
def test_a_third_partys_ticket_decides_within_what_both_weighed(stand: Stand, third: str, settled: str) -> None:
    deal = dispute(stand)
    stand.told()
    stand.weigh(deal, "delivery_1", "1", "1", third=third, version=2)
    stand.weigh(deal, "delivery_1", "1", "1", third="8001", version=3)
    [told] = stand.told()
    assert (told.stage, told.third_party, told.loaded) == ("decided", kilograms(third), kilograms("8250"))
    delivery = stand.deal(deal["id"])["deliveries"][0]
    assert (delivery["state"], delivery["settled"]["value"]) == ("accepted", settled)
    assert stand.broken() == {}


def test_a_third_partys_ticket_before_acceptance_leaves_nothing_to_dispute(stand: Stand) -> None:
    deal = stand.make_paid("A1", **TERMS)
    stand.start(deal, "delivery_1")
    stand.weigh(deal, "delivery_1", "8250", "8000")
    stand.weigh(deal, "delivery_1", "8250", "8000", third="8100", version=2)
    accepted = stand.accept(deal["id"], "delivery_1").ok()
    assert (accepted["state"], accepted["settled"]["value"], len(accepted["lines"])) == ("accepted", "8100", 1)
    assert stand.broken() == {}


def test_a_heavier_weight_in_dispute_withholds_no_more_than_the_value(stand: Stand) -> None:
    deal = dispute(stand, "8200", "8400")
    first = stand.told()[-2]
    assert (first.gross, first.value) == (fen(3157000), fen(3157000))
    for party in ("mill", "buyer"):
        name(stand, deal, party, "8400").ok()
    [second] = stand.told()
    assert (second.gross, second.value) == (fen(77000), fen(19250))
    assert stand.broken() == {}


def test_only_the_two_sides_name_a_weight_and_only_one_in_dispute(stand: Stand) -> None:
    deal = stand.make_paid("A1", **TERMS)
    assert name(stand, deal, "buyer", "8100").problem() == "not_yet_known"
    stand.start(deal, "delivery_1")
    assert name(stand, deal, "buyer", "8100").problem() == "not_yet_known"
    stand.weigh(deal, "delivery_1", "8250", "8000")
    before = stand.snapshot()
    assert name(stand, deal, "buyer", "8100").problem() == "not_disputed"
    assert stand.snapshot() == before
    stand.accept(deal["id"], "delivery_1").ok()
    before = stand.snapshot()
    assert name(stand, deal, "trader", "8100").status == 404
    assert name(stand, deal, "buyer", "8100", role="purchaser").problem() == "missing_role"
    outside = name(stand, deal, "buyer", "7999.999")
    assert (outside.problem(), outside.body["most"]) == ("weight_outside", {"value": "8250", "unit": "KGM"})
    assert name(stand, deal, "mill", "8251").problem() == "weight_outside"
    assert name(stand, deal, "mill", "8", unit="MTR").problem() == "unit_mismatch"
    assert name(stand, deal, "mill", "8100000.0005", unit="GRM").problem() == "too_fine"
    assert stand.snapshot() == before
    other = stand.make_paid("B1", **TERMS)
    assert name(stand, other, "buyer", "8100").status == 404


def test_exactly_at_the_limit_the_rule_decides(stand: Stand) -> None:
    deal = stand.make_paid("A1", **TERMS)
    stand.start(deal, "delivery_1")
    stand.weigh(deal, "delivery_1", "8250", "8167.5")
    accepted = stand.accept(deal["id"], "delivery_1").ok()
    assert (accepted["state"], accepted["settled"]["value"]) == ("accepted", "8167.5")
