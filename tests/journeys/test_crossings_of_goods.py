"""Events about goods and companies that cross: gates against people, offers against takes, suspensions against trade."""

from __future__ import annotations

from typing import Any

from loadtests.steel import CSV_HEAD
from tests.journeys.town import Town, end_of, offer_pieces, unheard

GROSS = 7_700_000
BUYERS, SELLERS = 770_000, 385_000
FEE = 7_700
PAID = {"buyer_available": -GROSS, "mill_available": GROSS - FEE, "platform_fee": FEE}
BUYER_BROKE = {"buyer_available": -BUYERS, "mill_available": BUYERS}
SELLER_BROKE = {"buyer_available": SELLERS, "mill_available": -SELLERS}


# Gates and trucks


def test_a_truck_is_called_off_while_its_reads_are_under_way(town: Town) -> None:
    with town.moves(**PAID):
        deal = town.make_paid()
        truck = town.load_truck(deal)
        with unheard(town, "logistics.rfid.reads.v1"):
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
        with unheard(town, "logistics.rfid.reads.v1"):
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
