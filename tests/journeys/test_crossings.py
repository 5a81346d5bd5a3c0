"""Events that cross: what one service decides while another's news is still under way, both ways round.

The broker holds a speaker's news back while time passes or somebody acts, and then lets it be heard. Every end is one of those
that the rules allow; no money stays held, no coil is lost and no message stays set aside.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from loadtests.api import ApiRefused
from tests.journeys.town import Town, end_of, unheard

GROSS = 7_700_000
BUYERS, SELLERS = 770_000, 385_000
FEE = 7_700
PAID = {"buyer_available": -GROSS, "mill_available": GROSS - FEE, "platform_fee": FEE}
BUYER_BROKE = {"buyer_available": -BUYERS, "mill_available": BUYERS}
SELLER_BROKE = {"buyer_available": SELLERS, "mill_available": -SELLERS}


# The deadline for deposits, against what settlement says of them


def test_deposits_held_against_their_deadline(town: Town) -> None:
    with town.moves():
        deal = town.strike()
        with unheard(town, "settlement"):
            town.let_pass(minutes=30)
            assert town.deal(deal["id"])["state"] == "cancelled"
        assert end_of(town, deal["id"]) == ("cancelled", "deposits_late")


def test_deposits_held_in_the_last_second(town: Town) -> None:
    with town.moves():
        deal = town.strike()
        with unheard(town, "settlement"):
            town.let_pass(minutes=29, seconds=50)
        assert town.deal(deal["id"])["state"] == "effective"
        assert end_of(town, deal["id"]) == ("cancelled", "not_signed")


def test_deposits_held_at_the_deadline_before_anybody_noticed(town: Town) -> None:
    with town.moves():
        deal = town.strike()
        town.world.clock.advance(timedelta(minutes=30))
        town.world.settle()
        assert town.deal(deal["id"])["state"] == "cancelled"
        assert end_of(town, deal["id"]) == ("cancelled", "deposits_late")


def test_a_deposit_is_refused_against_the_deadline(town: Town) -> None:
    acted = town.played_by(buyer="pauper")
    with town.moves():
        deal = acted.strike()
        with unheard(town, "settlement"):
            town.let_pass(minutes=30)
        assert end_of(acted, deal["id"]) == ("cancelled", "deposits_late")


def test_the_deal_is_struck_before_the_money_that_pays_its_deposit(town: Town) -> None:
    acted = town.played_by(buyer="lean")
    with town.moves(lean_available=BUYERS, platform_clearing_bank=-BUYERS):
        with unheard(town, "orders"):
            deal = acted.strike()
            acted.top_up("buyer", BUYERS)
        assert acted.deal(deal["id"])["state"] == "effective"
        assert end_of(acted, deal["id"]) == ("cancelled", "not_signed")


# Signatures, payment and its call


def test_the_last_signature_against_its_deadline(town: Town) -> None:
    """The buyer is late although nobody has noticed yet: it has broken what the mill has signed."""
    with town.moves(buyer_available=-BUYERS, mill_available=BUYERS):
        deal = town.make_effective()
        town.sign(deal["id"], "mill")
        agreement = town.buyer.desk.get(f"/v1/agreements/{deal['id']}")
        town.let_pass(days=1)
        with pytest.raises(ApiRefused):
            town.buyer.desk.post(f"/v1/agreements/{deal['id']}/sign", {"sha256": agreement["sha256"]})
        assert end_of(town, deal["id"]) == ("defaulted", "not_signed")


def test_a_payment_whose_news_comes_after_the_call(town: Town) -> None:
    with town.moves(**SELLER_BROKE):
        deal = town.make_signed()
        with unheard(town, "settlement"):
            town.pay(deal["id"])
            town.let_pass(days=4)
            assert town.deal(deal["id"])["state"] == "signed"
        assert town.deal(deal["id"])["state"] == "delivering"
        assert end_of(town, deal["id"]) == ("defaulted", "not_delivered")


def test_a_payment_in_the_last_second(town: Town) -> None:
    with town.moves(**SELLER_BROKE):
        deal = town.make_signed()
        due = datetime.fromisoformat(town.buyer.desk.get(f"/v1/escrows/{deal['id']}")["pay_by"])
        with unheard(town, "orders"):
            town.world.advance(due - town.now() - timedelta(seconds=1))
            town.pay(deal["id"])
            town.let_pass(minutes=5)
        assert town.deal(deal["id"])["state"] == "delivering"
        assert end_of(town, deal["id"]) == ("defaulted", "not_delivered")


def test_a_payment_crosses_the_agreement_to_cancel_what_was_unpaid(town: Town) -> None:
    """Settlement takes the money before it hears that both let go of all of it: everything goes back."""
    with town.moves():
        deal = town.make_signed()
        path, piece_ids = f"/v1/deals/{deal['id']}/cancellations", [piece["piece_id"] for piece in deal["pieces"]]
        with unheard(town, "settlement"):
            town.pay(deal["id"])
            proposed = town.mill.desk.post(path, {"piece_ids": piece_ids, "reason": "agreed"})
            town.buyer.desk.post(f"{path}/{proposed['id']}/agree")
            town.settle()
        assert end_of(town, deal["id"]) == ("cancelled", "agreed")


def test_the_call_for_payment_comes_after_settlement_has_closed_it(town: Town) -> None:
    with town.moves(**BUYER_BROKE):
        deal = town.make_signed()
        with unheard(town, "orders"):
            town.let_pass(days=3, seconds=1)
            with town.refuses(409, "payment_overdue"):
                town.buyer.desk.post(f"/v1/escrows/{deal['id']}/pay", {})
        assert end_of(town, deal["id"]) == ("defaulted", "not_paid")


def test_the_escrow_opens_after_its_own_deadline(town: Town) -> None:
    """Settlement hears of the signatures too late: the buyer has its time to pay from then, and nobody forfeits."""
    with town.moves(**PAID):
        deal = town.make_effective()
        with unheard(town, "orders"):
            town.sign(deal["id"])
            signed = town.deal(deal["id"])["due_at"]
            town.let_pass(days=3, seconds=1)
            with town.refuses(503, "not_yet_known"):
                town.buyer.desk.post(f"/v1/escrows/{deal['id']}/pay", {})
        due = town.buyer.desk.get(f"/v1/escrows/{deal['id']}")["pay_by"]
        assert town.deal(deal["id"])["due_at"] == due > signed
        town.world.advance(datetime.fromisoformat(due) - town.now() - timedelta(seconds=1))
        assert town.deal(deal["id"])["state"] == "signed"
        town.pay(deal["id"])
        truck = town.load_truck(deal)
        town.leave(truck["id"])
        town.weigh(truck["id"], "receiving", 20_000)
        town.accept(deal["id"], truck["id"])
        assert end_of(town, deal["id"]) == ("completed", None)


def test_nobody_pays_an_escrow_that_opened_late(town: Town) -> None:
    with town.moves(**BUYER_BROKE):
        deal = town.make_effective()
        with unheard(town, "orders"):
            town.sign(deal["id"])
            town.let_pass(days=2)
        town.let_pass(days=2)
        assert town.deal(deal["id"])["state"] == "signed"
        town.let_pass(days=1, seconds=1)
        assert end_of(town, deal["id"]) == ("defaulted", "not_paid")


def test_the_goods_of_a_deal_that_was_paid_late_have_as_much_longer(town: Town) -> None:
    """The mill promised them for a day that is over when the money comes: it has the time it had between the two."""
    with town.moves(**PAID):
        deal = town.make_effective(deliver_by=(town.now() + timedelta(days=5)).isoformat())
        with unheard(town, "orders"):
            town.sign(deal["id"])
            town.let_pass(days=4)
        town.let_pass(days=2)
        town.pay(deal["id"])
        truck = town.load_truck(deal)
        town.leave(truck["id"])
        town.weigh(truck["id"], "receiving", 20_000)
        town.accept(deal["id"], truck["id"])
        assert end_of(town, deal["id"]) == ("completed", None)


# Inspection, money and default


def test_acceptance_against_the_end_of_inspection(town: Town) -> None:
    with town.moves(**PAID):
        deal, delivery = town.make_weighed()
        town.world.clock.advance(timedelta(days=3, seconds=1))
        town.buyer.desk.post(f"/v1/deals/{deal['id']}/deliveries/{delivery['id']}/accept")
        town.settle()
        assert end_of(town, deal["id"]) == ("completed", None)


def test_the_end_of_inspection_against_acceptance(town: Town) -> None:
    with town.moves(**PAID):
        deal, delivery = town.make_weighed()
        with unheard(town, "orders", "settlement"):
            town.let_pass(days=3, seconds=1)
            with town.refuses(409, "illegal_move"):
                town.buyer.desk.post(f"/v1/deals/{deal['id']}/deliveries/{delivery['id']}/accept")
        assert end_of(town, deal["id"]) == ("completed", None)


def test_money_that_moved_is_heard_of_after_many_reminders(town: Town) -> None:
    with town.moves(**PAID):
        deal, delivery = town.make_weighed()
        with unheard(town, "settlement"):
            town.accept(deal["id"], delivery["id"])
            for _ in range(5):
                town.let_pass(minutes=2)
            assert town.deal(deal["id"])["state"] == "settling"
        assert end_of(town, deal["id"]) == ("completed", None)
        assert len(town.buyer.desk.get("/v1/statements")["items"]) >= 1


def test_a_truck_starts_when_the_time_to_deliver_is_over(town: Town) -> None:
    with town.moves(**SELLER_BROKE):
        deal = town.make_paid()
        with unheard(town, "logistics"):
            truck = town.start_delivery(deal["id"], piece_ids=[piece["piece_id"] for piece in deal["pieces"]])
            town.let_pass(days=20, seconds=1)
        assert end_of(town, deal["id"]) == ("defaulted", "not_delivered")
        assert town.buyer.desk.get(f"/v1/deliveries/{truck['id']}")["state"] == "cancelled"


def test_a_truck_left_in_time_but_is_heard_of_too_late(town: Town) -> None:
    with town.moves(**PAID):
        deal = town.make_paid()
        with unheard(town, "logistics"):
            truck = town.load_truck(deal)
            town.leave(truck["id"])
            town.weigh(truck["id"], "receiving", 20_000)
            town.let_pass(days=20, seconds=1)
            assert town.deal(deal["id"])["state"] == "delivering"
            with town.refuses(503, "not_yet_known"):
                town.buyer.desk.post(f"/v1/deals/{deal['id']}/deliveries/{truck['id']}/accept")
        assert end_of(town, deal["id"]) == ("completed", None)


def test_one_truck_leaves_in_the_last_second_and_the_rest_is_broken(town: Town) -> None:
    """What left is delivered and paid although orders hears of it after the deadline; the seller breaks the rest alone."""
    half = GROSS // 2
    expected = {
        "buyer_available": -half + SELLERS // 2,
        "mill_available": half - FEE // 2 - SELLERS // 2,
        "platform_fee": FEE // 2,
    }
    with town.moves(**expected):
        deal = town.make_paid(10_000, 10_000)
        first, second = [piece["piece_id"] for piece in deal["pieces"]]
        due = datetime.fromisoformat(town.deal(deal["id"])["due_at"])
        with unheard(town, "logistics"):
            town.world.advance(due - town.now() - timedelta(seconds=1))
            truck = town.start_delivery(deal["id"], piece_ids=[first])
            town.leave(truck["id"])
            town.world.advance(due - town.now())
            with town.refuses(409, "delivery_overdue"):
                town.start_delivery(deal["id"], piece_ids=[second])
        town.weigh(truck["id"], "loading", 10_000)
        town.weigh(truck["id"], "receiving", 10_000)
        town.accept(deal["id"], truck["id"])
        assert end_of(town, deal["id"])[0] == "completed"
        (broken,) = town.deal(deal["id"])["ended_parts"]
        assert (broken["by"], broken["reason"], broken["piece_ids"]) == ("seller", "not_delivered", [second])


def test_the_call_for_deliveries_is_heard_after_a_truck_came_and_went(town: Town) -> None:
    with town.moves(**PAID):
        deal = town.make_paid()
        due = datetime.fromisoformat(town.deal(deal["id"])["due_at"])
        town.world.advance(due - town.now() - timedelta(seconds=1))
        with unheard(town, "orders"):
            truck = town.load_truck(deal)
            town.world.advance(timedelta(minutes=5))
            town.leave(truck["id"])
        town.weigh(truck["id"], "receiving", 20_000)
        town.accept(deal["id"], truck["id"])
        assert end_of(town, deal["id"]) == ("completed", None)


def test_a_default_is_heard_of_after_a_truck_has_left(town: Town) -> None:
    """Orders waits for what is on its way, so a truck that it knows of keeps the deal alive."""
    with town.moves(**PAID):
        deal = town.make_paid()
        truck = town.load_truck(deal)
        town.leave(truck["id"])
        with unheard(town, "orders"):
            town.let_pass(days=6)
            town.weigh(truck["id"], "receiving", 20_000)
            town.let_pass(days=20)
        assert end_of(town, deal["id"]) == ("completed", None)
