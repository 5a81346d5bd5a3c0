"""Offers by weight: minimum, step and tail; a deal over tonnes is carried by several trucks and settled to the cent."""

from __future__ import annotations

import pytest

from tests.journeys.town import Town

PRICE_T = 385_000


def tonnes(value: str) -> dict[str, str]:
    return {"value": value, "unit": "TNE"}


@pytest.fixture(scope="module")
def offer(town: Town) -> dict:
    """300 t, at least 20 t, in steps of 5 t."""
    return town.list_weight("300", minimum="20", step="5")


@pytest.mark.parametrize(
    ("wanted", "status", "problem"),
    [
        (tonnes("15"), 409, "below_minimum"),
        (tonnes("0"), 409, "below_minimum"),
        (tonnes("22"), 409, "not_a_step"),
        (tonnes("20.000001"), 409, "not_a_step"),
        (tonnes("285"), 409, "below_minimum"),
        (tonnes("305"), 409, "insufficient_quantity"),
        ({"value": "20", "unit": "H87"}, 422, "unit_mismatch"),
    ],
)
def test_what_does_not_fit_is_refused(town: Town, offer: dict, wanted: dict, status: int, problem: str) -> None:
    with town.refuses(status, problem):
        town.buyer.desk.post(f"/v1/offers/{offer['id']}/takes", {"version": offer["version"], "quantity": wanted})


def test_pieces_cannot_be_named_of_a_weight_nor_a_weight_of_pieces(town: Town, offer: dict) -> None:
    coils = town.offer_coils(20_000)
    for of, what in ((offer, {"piece_ids": ["piece_x"]}), (coils, {"quantity": tonnes("20")}), (offer, {})):
        with town.refuses(422, "wrong_take"):
            town.buyer.desk.post(f"/v1/offers/{of['id']}/takes", {"version": of["version"], **what})


def test_kilograms_are_tonnes_and_the_tail_is_taken_whole(town: Town) -> None:
    offer = town.list_weight("47.5", minimum="20", step="5")
    with town.moves():
        deal = town.take(offer, quantity={"value": "25000", "unit": "KGM"})
        assert (deal["quantity"], deal["gross"]["amount"]) == (tonnes("25"), 25 * PRICE_T)
        tail = town.take(offer, quantity=tonnes("22.5"))
        assert town.mill.desk.get(f"/v1/offers/{offer['id']}")["state"] == "taken"
        town.let_pass(days=1, minutes=1)
        assert {town.deal(each["id"])["state"] for each in (deal, tail)} == {"cancelled"}
        back = town.mill.desk.get(f"/v1/offers/{offer['id']}")
        assert (back["state"], back["remaining"]) == ("listed", tonnes("47.5"))


def carry(town: Town, deal_id: str, load: str, net_kg: str) -> str:
    """A truck with part of a deal, weighed the same at both ends."""
    truck = town.start_delivery(deal_id, quantity=tonnes(load))["id"]
    town.weigh(truck, "loading", net_kg)
    town.leave(truck)
    town.weigh(truck, "receiving", net_kg)
    return truck


def test_trucks_carry_it_in_parts(town: Town) -> None:
    """40 t in two trucks of 19,980 and 20,010 kg: 20 kg are paid back, 10 kg come from the deposit that is still held."""
    paid, fee = 15_396_150, 7_692 + 7_704
    offer = town.list_weight("100", minimum="20", step="20", deposit_use="held")
    with town.moves(buyer_available=-paid, mill_available=paid - fee, platform_fee=fee):
        deal = town.take(offer, quantity=tonnes("40"))
        town.wait_for(deal["id"], "effective")
        town.sign(deal["id"])
        town.pay(deal["id"])
        town.wait_for(deal["id"], "delivering")
        trucks = [carry(town, deal["id"], "20", kilograms) for kilograms in ("19980", "20010")]
        with town.refuses(409, "quantity_exceeded") as problem:
            town.issue_note(deal["id"], quantity=tonnes("1"))
        assert problem["remaining"] == tonnes("0")
        for truck in trucks:
            town.accept(deal["id"], truck)
        ended = town.wait_for(deal["id"], "completed")
        assert [each["is_last"] for each in ended["deliveries"]] == [False, True]
        assert [each["gross"]["amount"] for each in ended["deliveries"]] == [7_692_300, 7_703_850]


def test_a_part_that_is_not_delivered_is_forfeited_in_proportion(town: Town) -> None:
    """20 of 60 t arrive: two thirds of the seller's deposit are forfeited."""
    part, deposit = 20 * PRICE_T, 60 * PRICE_T // 20
    forfeit, fee = deposit * 2 // 3, part // 1000
    offer = town.list_weight("60", minimum="20", step="20")
    with town.moves(buyer_available=-part + forfeit, mill_available=part - fee - forfeit, platform_fee=fee):
        deal = town.take(offer, quantity=tonnes("60"))
        town.wait_for(deal["id"], "effective")
        town.sign(deal["id"])
        town.pay(deal["id"])
        town.wait_for(deal["id"], "delivering")
        town.accept(deal["id"], carry(town, deal["id"], "20", "20000"))
        town.let_pass(days=20, minutes=1)
        (part_ended,) = town.wait_for(deal["id"], "completed")["ended_parts"]
        assert (part_ended["by"], part_ended["forfeit"]["amount"]) == ("seller", forfeit)
        assert town.mill.desk.get(f"/v1/offers/{offer['id']}")["state"] == "expired"
