"""What may go wrong in a trade, and that it goes wrong well: a deal comes to nothing, a caller is refused, money finds its way.

All tests share one town. 20 t at 3,850.00 come to 77,000.00; deposits are 10 % and 5 %, a broken part costs its deposit.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.journeys.town import Town, offer_pieces

GROSS = 7_700_000
BUYERS, SELLERS = 770_000, 385_000
FEE = 7_700


def assert_free_again(town: Town, deal: dict[str, Any]) -> None:
    """The coils of a dead deal can be taken once more, by another deal that is then let go."""
    offer = town.mill.desk.get(f"/v1/offers/{deal['offer_id']}")
    pieces = [piece["piece_id"] for piece in deal["pieces"]]
    if offer["state"] in ("expired", "withdrawn"):
        offer = town.list_pieces(pieces)
    assert offer_pieces(offer) == pieces
    again = town.take(offer, piece_ids=pieces)
    assert again["state"] == "deposits_pending"
    town.wait_for(again["id"], "effective", "cancelled")
    town.let_pass(days=1, seconds=1)
    assert town.deal(again["id"])["state"] == "cancelled"


# Deposits


@pytest.mark.parametrize(
    ("cast", "reason"),
    [({"buyer": "pauper"}, "buyer_deposit_refused"), ({"mill": "lean"}, "seller_deposit_refused")],
)
def test_a_deposit_is_refused_and_whose_is_told(town: Town, cast: dict[str, str], reason: str) -> None:
    acted = town.played_by(**cast)
    with town.moves():
        deal = acted.wait_for(acted.strike()["id"], "cancelled")
        assert (deal["reason"], deal["due_at"]) == (reason, None)
        assert_free_again(acted, deal)


def test_a_deal_without_deposits_needs_no_money(town: Town) -> None:
    acted = town.played_by(buyer="pauper", mill="lean")
    with town.moves():
        deal = acted.make_effective(buyer_deposit_percent="0", seller_deposit_percent="0")
        town.let_pass(days=1, seconds=1)
        assert acted.deal(deal["id"])["reason"] == "not_signed"


def test_the_time_for_deposits_is_over(town: Town) -> None:
    with town.moves():
        town.world.broker.hold_back("orders")
        deal = town.strike()
        town.let_pass(minutes=30)
        assert town.deal(deal["id"])["reason"] == "deposits_late"
        town.world.broker.release("orders")
        town.settle()
        assert_free_again(town, deal)


# Signatures


def test_nobody_signs_in_time(town: Town) -> None:
    with town.moves():
        deal = town.make_effective()
        town.let_pass(days=1, seconds=1)
        ended = town.deal(deal["id"])
        assert (ended["state"], ended["reason"]) == ("cancelled", "not_signed")
        agreement = town.buyer.desk.get(f"/v1/agreements/{deal['id']}")
        assert agreement["state"] == "void"
        with town.refuses(409, "illegal_move"):
            town.mill.desk.post(f"/v1/agreements/{deal['id']}/sign", {"sha256": agreement["sha256"]})
        assert_free_again(town, deal)


def test_a_signature_is_late_even_before_anybody_noticed(town: Town) -> None:
    with town.moves():
        deal = town.make_effective(periods=town.periods_of(sign="PT5M"))
        agreement = town.buyer.desk.get(f"/v1/agreements/{deal['id']}")
        town.world.clock.advance(timedelta(minutes=5))
        with town.refuses(409, "too_late"):
            town.buyer.desk.post(f"/v1/agreements/{deal['id']}/sign", {"sha256": agreement["sha256"]})
        town.let_pass(seconds=1)


def test_what_is_signed_is_what_was_read_and_once(town: Town) -> None:
    """In the end only the buyer has signed: the mill has broken the deal."""
    with town.moves(buyer_available=SELLERS, mill_available=-SELLERS):
        deal = town.make_effective()
        path = f"/v1/agreements/{deal['id']}/sign"
        with town.refuses(409, "wrong_hash"):
            town.buyer.desk.post(path, {"sha256": "0" * 64})
        town.sign(deal["id"], "buyer")
        agreement = town.buyer.desk.get(f"/v1/agreements/{deal['id']}")
        with town.refuses(409, "already_signed"):
            town.buyer.desk.post(path, {"sha256": agreement["sha256"]})
        with town.refuses(404, "not_found"):
            town.warehouse.desk.post(path, {"sha256": agreement["sha256"]})
        town.let_pass(days=1, seconds=1)


# Payment


def test_the_buyer_does_not_pay_in_time(town: Town) -> None:
    with town.moves(buyer_available=-BUYERS, mill_available=BUYERS):
        deal = town.make_signed()
        town.let_pass(days=3, seconds=1)
        ended = town.wait_for(deal["id"], "defaulted")
        assert (ended["reason"], ended["defaulted_by"], ended["forfeit"]["amount"]) == ("not_paid", "buyer", BUYERS)
        with town.refuses(409, "payment_overdue"):
            town.buyer.desk.post(f"/v1/escrows/{deal['id']}/pay", {})
        assert_free_again(town, deal)


def test_the_buyer_cannot_pay_what_it_has_not(town: Town) -> None:
    town.top_up("pauper", BUYERS)
    acted = town.played_by(buyer="pauper")
    with town.moves(pauper_available=-BUYERS, mill_available=BUYERS):
        deal = acted.make_signed()
        with town.refuses(409, "insufficient_funds") as problem:
            acted.buyer.desk.post(f"/v1/escrows/{deal['id']}/pay", {})
        assert problem["missing"] == {"amount": GROSS - BUYERS, "currency": "CNY"}
        with town.refuses(403, "not_the_payer"):
            acted.mill.desk.post(f"/v1/escrows/{deal['id']}/pay", {})
        town.let_pass(days=3, seconds=1)
        acted.wait_for(deal["id"], "defaulted")


# Delivery


def test_the_seller_does_not_deliver(town: Town) -> None:
    with town.moves(buyer_available=SELLERS, mill_available=-SELLERS):
        deal = town.make_paid()
        town.let_pass(days=20, seconds=1)
        ended = town.wait_for(deal["id"], "defaulted")
        assert (ended["reason"], ended["defaulted_by"]) == ("not_delivered", "seller")
        assert_free_again(town, deal)


def test_a_truck_that_does_not_leave_is_called_off(town: Town) -> None:
    with town.moves(buyer_available=-GROSS, mill_available=GROSS - FEE, platform_fee=FEE):
        deal = town.make_paid()
        pieces = [piece["piece_id"] for piece in deal["pieces"]]
        idle = town.start_delivery(deal["id"], piece_ids=pieces)
        with town.refuses(409, "piece_under_way"):
            town.issue_note(deal["id"], piece_ids=pieces)
        town.let_pass(days=3, seconds=1)
        assert town.buyer.desk.get(f"/v1/deliveries/{idle['id']}")["state"] == "cancelled"
        delivery = town.load_truck(deal)
        town.leave(delivery["id"])
        town.weigh(delivery["id"], "receiving", 20_000)
        town.accept(deal["id"], delivery["id"])
        ended = town.wait_for(deal["id"], "completed")
        assert sorted(each["state"] for each in ended["deliveries"]) == ["cancelled", "settled"]


def test_silence_accepts_when_inspection_is_over(town: Town) -> None:
    with town.moves(buyer_available=-GROSS, mill_available=GROSS - FEE, platform_fee=FEE):
        deal, _ = town.make_weighed()
        assert [each["state"] for each in deal["deliveries"]] == ["weighed"]
        town.let_pass(days=3, seconds=1)
        assert town.wait_for(deal["id"], "completed")["deliveries"][0]["settled"]["value"] == "20000"


def test_the_buyers_weight_never_comes(town: Town) -> None:
    with town.moves(buyer_available=-GROSS, mill_available=GROSS - FEE, platform_fee=FEE):
        deal = town.make_paid()
        town.leave(town.load_truck(deal)["id"])
        town.let_pass(days=7, seconds=1)
        town.let_pass(days=3, seconds=1)
        town.wait_for(deal["id"], "completed")


def test_a_dead_tag_does_not_hold_a_truck(town: Town) -> None:
    """One of two tags is read: the truck left with both, and the gate says which it did not see."""
    with town.moves(buyer_available=-GROSS, mill_available=GROSS - FEE, platform_fee=FEE):
        deal = town.make_paid(10_000, 10_000)
        seen, dead = [piece["piece_id"] for piece in deal["pieces"]]
        delivery = town.load_truck(deal)
        town.pass_gate([town.mill.desk.get(f"/v1/pieces/{seen}")["epc"]])
        left = town.wait_for_delivery(delivery["id"], "departed")
        assert left["departure_seen_by"] == "gate"
        assert [(odd["kind"], odd["piece_id"]) for odd in left["discrepancies"]] == [("not_read", dead)]
        with town.refuses(409, "illegal_move"):
            town.warehouse.desk.post(f"/v1/deliveries/{delivery['id']}/cancel", {"reason": "too late"})
        town.weigh(delivery["id"], "receiving", 20_000)
        town.accept(deal["id"], delivery["id"])
        town.wait_for(deal["id"], "completed")


def test_others_cannot_touch_a_delivery(town: Town) -> None:
    with town.moves(buyer_available=SELLERS, mill_available=-SELLERS):
        deal = town.make_paid()
        pieces = [piece["piece_id"] for piece in deal["pieces"]]
        note = {"deal_id": deal["id"], "piece_ids": pieces, "plate": "津A·1", "driver": "Li Wei"}
        for desk in (town.buyer.desk, town.warehouse.desk):
            with town.refuses(403, "not_the_seller"):
                desk.post("/v1/pickup-notes", note)
        with town.refuses(404, "not_found"):
            town.pauper.desk.post("/v1/pickup-notes", note)
        with town.refuses(422, "piece_not_of_deal"):
            town.mill.desk.post("/v1/pickup-notes", note | {"piece_ids": ["piece_strange"]})
        issued = town.issue_note(deal["id"], piece_ids=pieces)
        body = {"note_id": issued["id"], "code": issued["code"], "gate_id": town.known["gate"]["id"]}
        with town.refuses(403, "not_the_warehouse"):
            town.mill.desk.post("/v1/deliveries", body)
        with town.refuses(404, "not_found"):
            town.pauper.desk.post("/v1/deliveries", body)
        delivery = town.load(issued)
        with town.refuses(409, "not_departed"):
            town.buyer.desk.post(f"/v1/deliveries/{delivery['id']}/tickets", ticket_of(town, "receiving"))
        with town.refuses(403, "not_the_warehouse"):
            town.mill.desk.post(f"/v1/deliveries/{delivery['id']}/tickets", ticket_of(town, "loading"))
        with town.refuses(503, "not_yet_known"):
            town.buyer.desk.post(f"/v1/deals/{deal['id']}/deliveries/{delivery['id']}/accept")
        with town.refuses(403, "not_your_deal"):
            town.mill.desk.post(f"/v1/deals/{deal['id']}/deliveries/{delivery['id']}/accept")
        town.let_pass(days=20, seconds=1)
        town.wait_for(deal["id"], "defaulted")


def ticket_of(town: Town, end: str) -> dict[str, Any]:
    weights = {"gross": "35000", "tare": "15000", "net": "20000"}
    said = {name: {"value": value, "unit": "KGM"} for name, value in weights.items()}
    return {"end": end, "scale": "1", "plate": "津A·1", "weighed_at": town.now().isoformat(), **said}


def test_only_the_gates_own_key_posts_reads(town: Town) -> None:
    gate = town.known["gate"]["id"]
    reads = {"reads": [{"sequence": 1, "epc": "3" * 24, "antenna": 1, "rssi_dbm": -50, "at": town.now().isoformat()}]}
    path = f"/v1/gates/{gate}/reads"
    other = town.world.token("warehouse", party_id=town.warehouse.party_id, kind="machine", device="gate_other")
    for desk in (town.warehouse.desk, town.mill.desk):
        answer = town.world.client(desk.sign_in()).post(path, reads, key="")
        assert answer.status in (403, 404), answer
    assert town.world.client(other).post(path, reads, key="").status in (403, 404)
    assert town.world.client().post(path, reads, key="").problem() == "not_signed_in"
