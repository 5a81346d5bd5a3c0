"""Deals that go on part by part: some of it paid, some not, each delivery settled by itself and its pieces passed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chassis.values import Exact, Money, Quantity
from events.orders import (
    DealCompleted,
    DealDefaulted,
    DealDescribed,
    DeliveryAccepted,
    OfferDescribed,
    PartEnded,
    PaymentCalled,
    PiecesPassed,
)
from events.settlement import DepositsHeld, EscrowFunded, EscrowOpened, PaymentMissed, SupplementEnded
from services.orders.deals.model import EscrowMismatch
from tests.services.orders.conftest import BEGINNING, Stand, describe_piece, tonnes

DAY = timedelta(days=1)
COIL = 3176250


def fen(amount: int) -> Money:
    return Money(amount, "CNY")


def only(stand: Stand, *kinds: type) -> list[Any]:
    """What was told since, of some kinds."""
    return [event for event in stand.told() if isinstance(event, kinds)]


def deliver(stand: Stand, deal: dict[str, Any], delivery_id: str, *piece_ids: str) -> dict[str, Any]:
    """A truck with pieces, weighed as they are labelled and accepted."""
    stand.start(deal, delivery_id, *piece_ids)
    weight = str(8250 * len(piece_ids))
    stand.weigh(deal, delivery_id, weight, weight)
    return stand.accept(deal["id"], delivery_id).ok()


def test_what_is_paid_goes_on_and_what_is_not_is_the_buyers_default(stand: Stand) -> None:
    deal = stand.make_signed("A1", "A2", "A3")
    assert [piece["gross"]["amount"] for piece in deal["pieces"]] == [COIL] * 3
    stand.told()
    stand.pay(deal, "piece_A1", "piece_A2")
    [described] = stand.told()
    assert (described.state, described.quantity) == ("delivering", Quantity(Exact("16.5"), "TNE"))
    assert [piece.piece_id for piece in described.pieces] == ["piece_A1", "piece_A2"]
    assert all(piece.gross is None for piece in described.pieces)
    paid = stand.deal(deal["id"])
    assert (paid["paid_piece_ids"], paid["due_at"]) == (["piece_A1", "piece_A2"], "2026-03-04T08:00:00Z")

    accepted = deliver(stand, deal, "delivery_1", "piece_A1", "piece_A2")
    assert (accepted["is_last"], accepted["value"]["amount"]) == (False, 2 * COIL)
    stand.pay_out(deal["id"], accepted)
    assert stand.deal(deal["id"])["state"] == "delivering"
    assert only(stand, PiecesPassed)[0].piece_ids == ["piece_A1", "piece_A2"]

    assert stand.advance(2 * DAY) == 1
    assert stand.told() == [PaymentCalled(deal_id=deal["id"])]
    missed = PaymentMissed(deal_id=deal["id"], piece_ids=["piece_A3"])
    stand.hear(missed, missed)
    part, offer, completed, described = stand.told()
    assert (part.by, part.piece_ids, part.value, part.is_paid) == ("buyer", ["piece_A3"], fen(COIL), False)
    assert (part.forfeit, part.reason) == (fen(317625), "not_paid")
    assert isinstance(offer, OfferDescribed)
    assert completed.piece_ids == ["piece_A1", "piece_A2"]
    assert (described.state, len(described.pieces)) == ("completed", 2)
    ended = stand.deal(deal["id"])
    assert (ended["state"], ended["forfeit"]) == ("completed", None)
    assert [(each["by"], each["reason"]) for each in ended["ended_parts"]] == [("buyer", "not_paid")]
    assert stand.broken() == {}


def test_the_rest_may_be_paid_later_and_both_go_on(stand: Stand) -> None:
    deal = stand.make_signed("A1", "A2")
    stand.pay(deal, "piece_A1")
    stand.told()
    stand.frozen.advance(DAY)
    stand.pay(deal, amount=COIL)
    [described] = stand.told()
    assert (len(described.pieces), described.version) == (2, 5)
    assert stand.deal(deal["id"])["due_at"] == "2026-03-22T08:00:00Z"
    before = stand.snapshot()
    stand.pay(deal, amount=COIL)
    stand.pay(deal, "piece_A1")
    stand.hear(PaymentMissed(deal_id=deal["id"]), EscrowOpened(deal_id=deal["id"], due_at=BEGINNING + 9 * DAY))
    assert stand.snapshot() == before
    for number in ("1", "2"):
        stand.pay_out(deal["id"], deliver(stand, deal, f"delivery_{number}", f"piece_A{number}"))
    assert stand.deal(deal["id"])["state"] == "completed"
    assert stand.broken() == {}


def test_settlement_may_give_the_rest_more_time(stand: Stand) -> None:
    deal = stand.make_signed("A1", "A2")
    stand.pay(deal, "piece_A1")
    stand.hear(EscrowOpened(deal_id=deal["id"], due_at=BEGINNING + 4 * DAY))
    stand.told()
    assert stand.advance(3 * DAY) == 0
    assert stand.deal(deal["id"])["due_at"] == "2026-03-06T08:00:00Z"
    assert stand.advance(DAY) == 1
    assert stand.told() == [PaymentCalled(deal_id=deal["id"])]
    assert stand.broken() == {}


def test_a_part_that_was_missed_can_no_longer_be_paid(stand: Stand) -> None:
    deal = stand.make_signed("A1", "A2")
    stand.pay(deal, "piece_A1")
    stand.hear(PaymentMissed(deal_id=deal["id"]))
    before = stand.snapshot()
    stand.pay(deal, "piece_A2")
    assert stand.snapshot() == before
    assert stand.deal(deal["id"])["state"] == "delivering"
    assert stand.broken() == {}


def test_an_amount_that_is_not_what_the_pieces_are_worth_is_a_bug_that_is_not_passed_over(stand: Stand) -> None:
    deal = stand.make_signed("A1", "A2")
    before = stand.snapshot()
    with pytest.raises(EscrowMismatch):
        stand.pay(deal, "piece_A1", amount=COIL + 1)
    assert stand.snapshot() == before


def test_only_what_is_paid_can_be_carried(stand: Stand) -> None:
    deal = stand.make_signed("A1", "A2")
    stand.pay(deal, "piece_A1")
    with pytest.raises(Exception, match="piece_A2"):
        stand.start(deal, "delivery_1", "piece_A2")


def test_both_sides_may_break_a_part_and_the_rest_is_delivered(stand: Stand) -> None:
    deal = stand.make_signed("A1", "A2", "A3")
    stand.pay(deal, "piece_A1", "piece_A2")
    stand.hear(PaymentMissed(deal_id=deal["id"]))
    stand.pay_out(deal["id"], deliver(stand, deal, "delivery_1", "piece_A1"))
    stand.advance(20 * DAY)
    stand.told()
    stand.close(deal)
    part, _, completed, _ = stand.told()
    assert (part.by, part.piece_ids, part.forfeit) == ("seller", ["piece_A2"], fen(158813))
    assert isinstance(completed, DealCompleted) and completed.piece_ids == ["piece_A1"]
    ended = stand.deal(deal["id"])["ended_parts"]
    assert [(each["by"], each["is_paid"]) for each in ended] == [("buyer", False), ("seller", True)]
    assert stand.broken() == {}


def test_where_nothing_was_delivered_the_first_default_is_the_deals(stand: Stand) -> None:
    deal = stand.make_signed("A1", "A2")
    stand.pay(deal, "piece_A1")
    stand.hear(PaymentMissed(deal_id=deal["id"]))
    stand.advance(20 * DAY)
    stand.told()
    stand.close(deal)
    [defaulted] = only(stand, DealDefaulted)
    assert (defaulted.by, defaulted.reason, defaulted.forfeit) == ("buyer", "not_paid", fen(317625))
    assert stand.deal(deal["id"])["state"] == "defaulted"
    assert stand.broken() == {}


def test_a_paid_piece_is_not_sold_on_before_it_is_received(stand: Stand) -> None:
    deal = stand.make_paid("A1", "A2")
    before = stand.snapshot()
    refused = stand.list_offer("piece_A1", party="buyer")
    assert (refused.problem(), refused.body["piece_ids"]) == ("not_received_yet", ["piece_A1"])
    assert stand.list_offer("piece_A1", party="trader").problem() == "piece_not_yours"
    assert stand.snapshot() == before
    stand.pay_out(deal["id"], deliver(stand, deal, "delivery_1", "piece_A1"))
    assert stand.deal(deal["id"])["state"] == "delivering"
    assert stand.list_offer("piece_A1", party="buyer").problem() == "not_yet_known"
    stand.hear(describe_piece("piece_A1", 2, number="A1", owner_id="buyer"))
    resale = stand.list_offer("piece_A1", party="buyer").ok()
    assert stand.take(resale, "piece_A1", party="trader").ok()["seller_id"] == "buyer"
    assert stand.list_offer("piece_A2", party="buyer").problem() == "not_received_yet"
    assert stand.broken() == {}


def test_what_ended_is_sold_again_while_the_rest_goes_on(stand: Stand) -> None:
    valid = {"valid_until": (BEGINNING + 5 * DAY).isoformat()}
    ids = stand.make_coils("A1", "A2")
    offer = stand.list_offer(*ids, terms=valid).ok()
    deal = stand.take(offer, *ids).ok()
    stand.hear(DepositsHeld(deal_id=deal["id"]))
    for party in ("buyer", "mill"):
        stand.sign(deal["id"], party).ok()
    stand.pay(deal, "piece_A1")
    stand.hear(PaymentMissed(deal_id=deal["id"]))
    other = stand.take(offer, "piece_A2", party="trader").ok()
    assert other["state"] == "deposits_pending"
    stand.pay_out(deal["id"], deliver(stand, deal, "delivery_1", "piece_A1"))
    assert stand.deal(deal["id"])["state"] == "completed"
    assert stand.broken() == {}


# --- by weight ------------------------------------------------------------------------------------------------


def signed_by_weight(stand: Stand, quantity: str) -> dict[str, Any]:
    """A deal over tonnes that both have signed."""
    terms = {"price": {"value": "3333.33", "currency": "CNY", "unit": "TNE"}}
    deal = stand.take(stand.list_weight(quantity, terms=terms).ok(), quantity=tonnes(quantity)).ok()
    stand.hear(DepositsHeld(deal_id=deal["id"]))
    for party in ("buyer", "mill"):
        stand.sign(deal["id"], party).ok()
    return stand.deal(deal["id"])


def test_a_quantity_is_paid_and_delivered_in_parts_whose_values_make_the_gross(stand: Stand) -> None:
    deal = signed_by_weight(stand, "7")
    gross = deal["gross"]["amount"]
    assert gross == 2333331
    first = 999999  # round(2333331 · 3 / 7)
    stand.pay(deal, kg="3000", amount=first)
    assert stand.deal(deal["id"])["paid_quantity"] == tonnes("3")
    values = []
    for number, kg in enumerate(("1000", "1000")):
        stand.start(deal, f"delivery_{number}", kg=kg)
        stand.weigh(deal, f"delivery_{number}", kg, kg)
        values.append(stand.accept(deal["id"], f"delivery_{number}").ok()["value"]["amount"])
    stand.told()
    stand.hear(PaymentMissed(deal_id=deal["id"], quantity=Quantity(Exact("4"), "TNE")))
    [part] = only(stand, PartEnded)
    assert (part.value, part.quantity, part.piece_ids) == (fen(gross - first), Quantity(Exact("4"), "TNE"), [])
    stand.advance(20 * DAY)
    stand.close(deal)
    ended = stand.deal(deal["id"])
    assert ended["state"] == "settling"
    assert [each["reason"] for each in ended["ended_parts"]] == ["not_paid", "not_delivered"]
    assert sum(values) + sum(each["value"]["amount"] for each in ended["ended_parts"]) == gross
    assert stand.broken() == {}


def test_a_payment_by_weight_may_be_rounded_by_who_takes_it(stand: Stand) -> None:
    deal = signed_by_weight(stand, "7")
    with pytest.raises(EscrowMismatch):
        stand.pay(deal, kg="3000", amount=999997)
    stand.pay(deal, kg="3000", amount=999998)
    stand.pay(deal, amount=deal["gross"]["amount"] - 999998)
    stand.start(deal, "delivery_1", kg="7000")
    stand.weigh(deal, "delivery_1", "7000", "7000")
    assert stand.accept(deal["id"], "delivery_1").ok()["value"] == deal["gross"]
    assert stand.broken() == {}


def test_a_truck_with_more_than_was_left_has_the_value_of_what_was_left(stand: Stand) -> None:
    deal = signed_by_weight(stand, "7")
    stand.pay(deal)
    values = []
    for number, kg in enumerate(("5000", "2300")):
        stand.start(deal, f"delivery_{number}", kg=kg)
        stand.weigh(deal, f"delivery_{number}", kg, kg)
        values.append(stand.accept(deal["id"], f"delivery_{number}").ok()["value"]["amount"])
    assert values == [1666665, 666666]
    assert stand.deal(deal["id"])["state"] == "settling"
    assert stand.broken() == {}


def test_more_than_was_paid_on_a_truck_does_not_fulfil_what_is_paid_later(stand: Stand) -> None:
    deal = signed_by_weight(stand, "7")
    stand.pay(deal, kg="3000", amount=999999)
    stand.start(deal, "delivery_1", kg="3100")
    stand.weigh(deal, "delivery_1", "3100", "3100")
    assert stand.accept(deal["id"], "delivery_1").ok()["value"]["amount"] == 999999
    stand.pay(deal, amount=1333332)
    assert stand.deal(deal["id"])["state"] == "delivering"
    stand.start(deal, "delivery_2", kg="4000")
    stand.weigh(deal, "delivery_2", "4000", "4000")
    assert stand.accept(deal["id"], "delivery_2").ok()["value"]["amount"] == 1333332
    assert stand.deal(deal["id"])["state"] == "settling"
    assert stand.broken() == {}


# --- money of deliveries ---------------------------------------------------------------------------------------


def test_each_line_says_its_value_its_rule_and_why(stand: Stand) -> None:
    deal = stand.make_paid("A1", "A2")
    stand.start(deal, "delivery_1", "piece_A1")
    stand.weigh(deal, "delivery_1", "8250", "8190")
    stand.told()
    accepted = stand.accept(deal["id"], "delivery_1").ok()
    [told] = only(stand, DeliveryAccepted)
    reason = "R − D = −60 kg, 7.3 ‰ of D, beyond 3 ‰: the buyer's weight stands"
    assert (told.value, told.stage, told.rule, told.reason) == (
        fen(COIL), "whole", "WITHIN_TOL_SELLER_ELSE_BUYER", reason,
    )  # fmt: skip
    assert accepted["reason"] == reason
    [line] = accepted["lines"]
    assert (line["stage"], line["state"], line["value"]["amount"]) == ("whole", "accepted", COIL)
    assert (line["gross"], line["reason"]) == (accepted["gross"], reason)


@pytest.mark.parametrize("missed", [0, 5000])
def test_what_comes_to_more_than_escrow_is_owing_until_the_supplement_ends(stand: Stand, missed: int) -> None:
    deal = stand.make_paid("A1")
    stand.start(deal, "delivery_1")
    stand.weigh(deal, "delivery_1", "8350", "8350")
    accepted = stand.accept(deal["id"], "delivery_1").ok()
    stand.pay_out(deal["id"], accepted, shortfall=5000)
    owing = stand.deal(deal["id"])
    assert (owing["state"], owing["deliveries"][0]["state"]) == ("settling", "owing")
    assert owing["deliveries"][0]["lines"][0]["state"] == "owing"
    stand.told()
    stand.pay_out(deal["id"], accepted, shortfall=5000)
    assert stand.told() == []
    ids = {"deal_id": deal["id"], "delivery_id": "delivery_1", "stage": "whole"}
    over = SupplementEnded(**ids, paid=fen(5000 - missed), missed=fen(missed))
    stand.hear(over, over)
    told = [type(event) for event in stand.told()]
    assert told == [PiecesPassed, OfferDescribed, DealCompleted, DealDescribed]
    done = stand.deal(deal["id"])
    assert (done["state"], done["deliveries"][0]["lines"][0]["missed"]["amount"]) == ("completed", missed)
    reasons = [(each["reason"], each["by"], each["value"]["amount"]) for each in done["ended_parts"]]
    assert reasons == ([("supplement_not_paid", "buyer", 0)] if missed else [])
    assert stand.broken() == {}


def test_a_correction_begins_the_inspection_anew_until_the_delivery_is_accepted(stand: Stand) -> None:
    deal = stand.make_paid("A1")
    stand.start(deal, "delivery_1")
    stand.weigh(deal, "delivery_1", "8250", "8150")
    stand.frozen.advance(DAY)
    stand.weigh(deal, "delivery_1", "8250", "8245", version=2)
    corrected = stand.deal(deal["id"])["deliveries"][0]
    assert (corrected["settled"]["value"], corrected["due_at"]) == ("8250", "2026-03-06T08:00:00Z")
    before = stand.snapshot()
    stand.weigh(deal, "delivery_1", "8250", "8150", version=1)
    stand.weigh(deal, "delivery_1", "8250", "8150", version=2)
    assert stand.snapshot() == before
    stand.accept(deal["id"], "delivery_1").ok()
    before = stand.snapshot()
    stand.weigh(deal, "delivery_1", "8250", "8150", third="8200", version=3)
    assert stand.snapshot() == before
    assert stand.broken() == {}


def test_a_part_cannot_be_paid_for_twice_at_once_nor_out_of_nothing(stand: Stand) -> None:
    deal = stand.make_effective("A1")
    before = stand.snapshot()
    stand.hear(EscrowFunded(deal_id=deal["id"], amount=fen(COIL)), PaymentMissed(deal_id=deal["id"]))
    assert stand.snapshot() == before
