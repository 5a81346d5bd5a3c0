"""Events that cross: what one service decides while another's news is still under way, both ways round.

The broker holds a speaker's news back while time passes or somebody acts, and then lets it be heard. Every end is one of those
that the rules allow; no money stays held, no coil is lost and no message stays set aside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from loadtests.api import ApiRefused
from loadtests.steel import CSV_HEAD
from tests.journeys.town import Town, offer_pieces

GROSS = 7_700_000
BUYERS, SELLERS = 770_000, 385_000
FEE = 7_700
PAID = {"buyer_available": -GROSS, "mill_available": GROSS - FEE, "platform_fee": FEE}
BUYER_BROKE = {"buyer_available": -BUYERS, "mill_available": BUYERS}
SELLER_BROKE = {"buyer_available": SELLERS, "mill_available": -SELLERS}


@contextmanager
def unheard(town: Town, *topics: str) -> Iterator[None]:
    """Within the block nobody hears what these topics say."""
    for topic in topics:
        town.world.broker.hold_back(topic)
    yield
    for topic in topics:
        town.world.broker.release(topic)
    town.settle()


def end_of(town: Town, deal_id: str) -> tuple[str, str | None]:
    """Where a deal ended and why, after all waits are over; nothing is set aside anywhere."""
    for _ in range(40):
        deal = town.deal(deal_id)
        if deal["state"] in ("completed", "cancelled", "defaulted"):
            break
        town.let_pass(days=2)
    town.let_pass(minutes=11)
    for service in town.world.services:
        assert town.world.sql(service, "SELECT * FROM parked_key") == [], service
    deal = town.deal(deal_id)
    return deal["state"], deal["reason"]


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
    with town.moves():
        deal = town.make_effective()
        town.sign(deal["id"], "mill")
        agreement = town.buyer.desk.get(f"/v1/agreements/{deal['id']}")
        town.let_pass(days=1)
        with pytest.raises(ApiRefused):
            town.buyer.desk.post(f"/v1/agreements/{deal['id']}/sign", {"sha256": agreement["sha256"]})
        assert end_of(town, deal["id"]) == ("cancelled", "not_signed")


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


def test_the_call_for_payment_comes_after_settlement_has_closed_it(town: Town) -> None:
    with town.moves(**BUYER_BROKE):
        deal = town.make_signed()
        with unheard(town, "orders"):
            town.let_pass(days=3, seconds=1)
            with town.refuses(409, "payment_overdue"):
                town.buyer.desk.post(f"/v1/escrows/{deal['id']}/pay")
        assert end_of(town, deal["id"]) == ("defaulted", "not_paid")


def test_the_escrow_opens_after_its_own_deadline(town: Town) -> None:
    """Nobody could pay, since settlement heard of the signatures too late: whatever the end, nothing stays held."""
    before = town.balance("buyer") + town.balance("mill")
    deal = town.make_effective()
    with unheard(town, "orders"):
        town.sign(deal["id"])
        town.let_pass(days=3, seconds=1)
    assert end_of(town, deal["id"]) == ("defaulted", "not_paid")
    assert town.balance("buyer") + town.balance("mill") == before
    assert town.balance("buyer", "frozen") == town.balance("mill", "frozen") == 0
    assert town.world.broken() == {}


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
    with town.moves(**SELLER_BROKE):
        deal = town.make_paid()
        with unheard(town, "logistics"):
            truck = town.load_truck(deal)
            town.leave(truck["id"])
            town.weigh(truck["id"], "receiving", 20_000)
            town.let_pass(days=20, seconds=1)
            assert town.deal(deal["id"])["state"] == "defaulted"
        assert end_of(town, deal["id"]) == ("defaulted", "not_delivered")


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


# Gates and trucks


def test_a_truck_is_called_off_while_its_reads_are_under_way(town: Town) -> None:
    with town.moves(**PAID):
        deal = town.make_paid()
        truck = town.load_truck(deal)
        with unheard(town, "logistics.reads"):
            town.pass_gate(epcs_of(town, deal))
            town.warehouse.desk.post(f"/v1/deliveries/{truck['id']}/cancel", {"reason": "wrong papers"})
        town.let_pass(seconds=5)
        assert town.buyer.desk.get(f"/v1/deliveries/{truck['id']}")["state"] == "cancelled"
        second = town.load_truck(deal)
        town.leave(second["id"])
        town.weigh(second["id"], "receiving", 20_000)
        town.accept(deal["id"], second["id"])
        assert end_of(town, deal["id"]) == ("completed", None)


def test_reads_come_before_a_truck_can_be_called_off(town: Town) -> None:
    with town.moves(**PAID):
        deal = town.make_paid()
        truck = town.load_truck(deal)
        town.pass_gate(epcs_of(town, deal))
        town.wait_for_delivery(truck["id"], "departed")
        with town.refuses(409, "illegal_move"):
            town.warehouse.desk.post(f"/v1/deliveries/{truck['id']}/cancel", {"reason": "wrong papers"})
        town.weigh(truck["id"], "receiving", 20_000)
        town.accept(deal["id"], truck["id"])
        assert end_of(town, deal["id"]) == ("completed", None)


def test_reads_against_the_word_of_the_warehouse(town: Town) -> None:
    """It says by hand that the truck left while the gate's reads are under way: it has left once."""
    with town.moves(**PAID):
        deal = town.make_paid()
        truck = town.load_truck(deal)
        with unheard(town, "logistics.reads"):
            town.pass_gate(epcs_of(town, deal))
            town.leave(truck["id"])
        town.let_pass(seconds=5)
        assert town.buyer.desk.get(f"/v1/deliveries/{truck['id']}")["departure_seen_by"] == "hand"
        town.weigh(truck["id"], "receiving", 20_000)
        town.accept(deal["id"], truck["id"])
        assert end_of(town, deal["id"]) == ("completed", None)


def epcs_of(town: Town, deal: dict[str, Any]) -> list[str]:
    return [town.operator.get(f"/v1/pieces/{piece['piece_id']}")["epc"] for piece in deal["pieces"]]


# Offers, coils and companies


def test_an_offer_is_withdrawn_while_its_deal_is_unheard_of(town: Town) -> None:
    with town.moves():
        offer = town.offer_coils(20_000, 20_000)
        first, second = offer_pieces(offer)
        with unheard(town, "orders"):
            deal = town.take(offer, piece_ids=[first])
            town.mill.desk.post(f"/v1/offers/{offer['id']}/withdraw")
            with town.refuses(409, "offer_withdrawn"):
                town.buyer.desk.post(
                    f"/v1/offers/{offer['id']}/takes", {"version": offer["version"], "piece_ids": [second]}
                )
        assert end_of(town, deal["id"]) == ("cancelled", "not_signed")
        assert offer_pieces(town.list_pieces([first, second])) == [first, second]


def test_a_coil_changes_in_the_mills_file_while_it_is_being_sold(town: Town) -> None:
    """The catalog has not heard of the offer: whatever it takes down, the deal keeps the weight that it froze."""
    (coil,) = town.make_coils(20_000)
    with town.moves(**SELLER_BROKE), unheard(town, "orders"):
        offer = town.list_pieces([coil["id"]])
        number = coil["number"]
        row = f"热轧卷板,Q355B,GB/T 1591,5.50,1500,,{number},H2603-0117,19000,19040,3.1,MTC-1,{{}},{coil['epc']}\n"
        text = CSV_HEAD + row.format(town.warehouse.party_id)
        town.mill.desk.post("/v1/pieces/imports?market=steel", text.encode(), content_type="text/csv; charset=utf-8")
        town.settle()
        deal = town.take(offer, piece_ids=[coil["id"]])
        assert deal["gross"]["amount"] == GROSS
        town.world.broker.release("orders")
        town.settle()
        town.sign(deal["id"])
        town.until(lambda: town.buyer.desk.get(f"/v1/escrows/{deal['id']}"), "the escrow to be open")
        town.pay(deal["id"])
        assert end_of(town, deal["id"]) == ("defaulted", "not_delivered")


def test_a_suspension_is_heard_of_after_the_take(town: Town) -> None:
    with town.moves():
        offer = town.offer_coils(20_000)
        town.buyer.desk.get("/v1/me")
        with unheard(town, "identity"):
            town.operator.post(f"/v1/parties/{town.buyer.party_id}/suspend")
            deal = town.take(offer, piece_ids=offer_pieces(offer))
        answer = town.world.client(town.buyer.desk._token).get(f"/v1/deals/{deal['id']}")
        assert answer.problem() == "access_ended"
        town.let_pass(days=2)
        town.operator.post(f"/v1/parties/{town.buyer.party_id}/reinstate")
        town.settle()
        assert end_of(town, deal["id"]) == ("cancelled", "not_signed")


def test_a_suspension_is_heard_of_before_the_take(town: Town) -> None:
    with town.moves():
        offer = town.offer_coils(20_000)
        token = town.buyer.desk.sign_in()
        town.operator.post(f"/v1/parties/{town.buyer.party_id}/suspend")
        town.settle()
        body = {"version": offer["version"], "piece_ids": offer_pieces(offer)}
        answer = town.world.client(token).post(f"/v1/offers/{offer['id']}/takes", body)
        assert answer.problem() == "access_ended"
        town.operator.post(f"/v1/parties/{town.buyer.party_id}/reinstate")
        town.settle()


def test_money_for_a_company_comes_before_the_company_is_heard_of(town: Town) -> None:
    amount = 1_000_000
    with unheard(town, "identity"):
        newcomer = town.admit("newcomer", "Newcomer Trading")
        desk = town.world.client(town.world.token("finance", party_id=newcomer.party_id))
        credit = {
            "bank_reference": "EARLY-1",
            "value_date": town.now().date().isoformat(),
            "payer_account": newcomer.account_number,
            "payer_name": newcomer.name,
            "amount": {"amount": amount, "currency": "CNY"},
            "remittance": desk.get("/v1/accounts").ok()["reference"],
        }
        assert town.operator.post("/v1/bank-credits", credit)["state"] == "suspense"
    assert town.balance("newcomer") == amount
    assert town.world.broken() == {}


# Every stage against every speaker

Act = Callable[[Town, dict[str, Any]], Any]
STAGES: dict[str, tuple[Callable[[Town], dict[str, Any]], Act]] = {
    "struck": (lambda town: town.make_effective(), lambda town, deal: town.sign(deal["id"])),
    "half signed": (
        lambda town: (deal := town.make_effective(), town.sign(deal["id"], "mill"))[0],
        lambda town, deal: town.sign(deal["id"], "buyer"),
    ),
    "signed": (lambda town: town.make_signed(), lambda town, deal: town.pay(deal["id"])),
    "paid": (lambda town: town.make_paid(), lambda town, deal: town.load_truck(deal)),
    "loaded": (
        lambda town: (deal := town.make_paid(), town.load_truck(deal))[0],
        lambda town, deal: town.leave(truck_of(town, deal)),
    ),
    "left": (
        lambda town: (deal := town.make_paid(), town.leave(town.load_truck(deal)["id"]))[0],
        lambda town, deal: town.weigh(truck_of(town, deal), "receiving", 20_000),
    ),
    "weighed": (
        lambda town: town.make_weighed()[0],
        lambda town, deal: town.accept(deal["id"], truck_of(town, deal)),
    ),
}
ENDS = {("completed", None), ("cancelled", "not_signed"), ("defaulted", "not_paid"), ("defaulted", "not_delivered")}


def truck_of(town: Town, deal: dict[str, Any]) -> str:
    (truck,) = town.buyer.desk.get("/v1/deliveries", deal_id=deal["id"])["items"]
    return truck["id"]


@pytest.mark.parametrize("speaker", ["orders", "settlement", "logistics", "catalog"])
def test_every_stage_against_a_silent_speaker(town: Town, speaker: str) -> None:
    """A deal at each stage; one speaker is unheard while somebody acts on each and every deadline passes."""
    town.top_up("buyer", 10**9)
    deals = {name: make(town) for name, (make, _) in STAGES.items()}
    before = town.balances_of_all()
    with unheard(town, speaker):
        for name, (_, act) in STAGES.items():
            act(town, deals[name])
        for _ in range(4):
            town.let_pass(days=3, minutes=1)
    ends = {name: end_of(town, deal["id"]) for name, deal in deals.items()}
    assert set(ends.values()) <= ENDS, ends
    after = town.balances_of_all()
    assert {name: amount for name, amount in after.items() if name.split()[-1] in ("frozen", "escrow") and amount} == {}
    assert sum(after.values()) == sum(before.values()) == 0
    assert town.world.broken() == {}
    for deal in deals.values():
        owner = town.operator.get(f"/v1/pieces/{deal['pieces'][0]['piece_id']}")["owner_id"]
        is_done = town.deal(deal["id"])["state"] == "completed"
        assert owner == (town.buyer if is_done else town.mill).party_id
