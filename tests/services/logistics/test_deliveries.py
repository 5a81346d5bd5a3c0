"""Deliveries: who may set them up, for what, and how they come to their end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chassis.values import Exact, Quantity
from events.logistics import DeliveryCancelled, DeliveryDeparted, DeliveryStarted, DeliveryWeighed
from tests.services.logistics.conftest import LOAD, RECEIVE, Stand, describe_deal, describe_piece, kg


def weight(value: str, unit: str = "KGM") -> Quantity:
    return Quantity(Exact(value), unit)


def said(quantity: dict[str, str]) -> Quantity:
    return weight(quantity["value"], quantity["unit"])


def test_from_the_yard_to_the_buyers_scale(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(2), stand.make_gate()
    delivery = stand.start(gate, *pieces).ok()
    assert (delivery["state"], delivery["piece_ids"], said(delivery["quantity"])) == (
        "loading",
        pieces,
        weight("16", "TNE"),
    )
    assert stand.told() == [
        DeliveryStarted(deal_id="deal_1", delivery_id=delivery["id"], piece_ids=pieces, quantity=weight("16", "TNE"))
    ]
    stand.weigh(delivery, "loading", 16_050).ok()
    stand.pass_gate(gate, 1, 2)
    seen = stand.show(delivery)
    assert (seen["state"], seen["departure_seen_by"], seen["discrepancies"]) == ("departed", "gate", [])
    ticket = stand.weigh(delivery, "receiving", 16_010).ok()
    assert said(ticket["net"]) == weight("16010")
    departed, weighed = stand.told()
    assert isinstance(departed, DeliveryDeparted)
    assert weighed == DeliveryWeighed(
        deal_id="deal_1", delivery_id=delivery["id"], piece_ids=pieces, loaded=weight("16050"), received=weight("16010")
    )
    seen = stand.show(delivery, party="mill")
    assert (seen["state"], seen["due_at"], [one["end"] for one in seen["tickets"]]) == (
        "weighed",
        None,
        ["loading", "receiving"],
    )
    assert stand.broken() == {}


def test_a_deal_has_many_deliveries_and_a_piece_is_on_one(stand: Stand) -> None:
    stand.hear_deal(3)
    gate = stand.make_gate()
    stand.start(gate, "piece_1", "piece_2").ok()
    refused = stand.start(gate, "piece_2", "piece_3")
    assert (refused.status, refused.problem(), refused.body["pieces"]) == (409, "piece_under_way", ["piece_2"])
    stand.start(gate, "piece_3", "piece_3").ok()
    assert stand.broken() == {}


def test_a_piece_that_was_brought_is_not_brought_again_but_may_travel_for_its_next_deal(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(1), stand.make_gate()
    first = stand.start(gate, *pieces).ok()
    stand.weigh(first, "loading").ok()
    assert stand.start(gate, *pieces).problem() == "piece_under_way"
    stand.weigh(first, "receiving").ok()
    assert stand.start(gate, *pieces).problem() == "piece_under_way"
    stand.hear(describe_deal(1, deal_id="deal_2", seller_id="buyer", buyer_id="trader"))
    second = stand.start(gate, *pieces, deal_id="deal_2", seller="buyer").ok()
    assert stand.get(f"/v1/deliveries/{second['id']}", party="mill").status == 404
    assert stand.broken() == {}


def test_the_same_piece_for_sixteen_trucks_at_once_is_on_one(stand: Stand) -> None:
    stand.hear_deal(1)
    gate = stand.make_gate()
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: stand.start(gate, "piece_1"), range(16)))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 15
    assert {answer.problem() for answer in answers if answer.status == 409} <= {"piece_noted", "piece_under_way"}
    assert stand.broken() == {}


def test_two_deals_that_name_one_piece_cannot_both_carry_it(stand: Stand) -> None:
    stand.hear_deal(1)
    stand.hear(describe_deal(1, deal_id="deal_2"))
    gate = stand.make_gate()
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda deal: stand.start(gate, "piece_1", deal_id=deal), ["deal_1", "deal_2"]))
    assert sorted(answer.status for answer in answers) == [201, 409]


@pytest.mark.parametrize(
    ("changed", "status", "problem"),
    [
        ({"party": "buyer"}, 403, "not_the_warehouse"),
        ({"party": "mill"}, 403, "not_the_warehouse"),
        ({"party": "stranger"}, 404, "not_found"),
        ({"note_id": "note_9"}, 404, "not_found"),
        ({"gate_id": "gate_9"}, 404, "not_found"),
        ({"piece_ids": []}, 422, "nothing_to_carry"),
        ({"quantity": {"value": "8", "unit": "TNE"}}, 422, "nothing_to_carry"),
        ({"piece_ids": ["piece_1", "piece_9"]}, 422, "not_on_note"),
        ({"code": "x\u0000"}, 422, "invalid_field"),
        ({"plate": "津A·12345"}, 422, "invalid_field"),
    ],
)
def test_a_refused_delivery_changes_nothing(stand: Stand, changed: dict, status: int, problem: str) -> None:
    pieces, gate = stand.hear_deal(2), stand.make_gate()
    note = stand.issue(*pieces).ok()
    before = stand.snapshot()
    answer = stand.load(gate, note, **changed)
    assert (answer.status, answer.problem()) == (status, problem)
    assert stand.snapshot() == before


def test_a_gate_of_another_warehouse_is_not_there(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(1), stand.make_gate(party="elsewhere")
    assert stand.start(gate, *pieces).status == 404


def test_what_the_catalog_has_not_told_yet_is_waited_for(stand: Stand) -> None:
    stand.hear(describe_deal(1))
    gate = stand.make_gate()
    note = stand.issue("piece_1").ok()
    assert stand.load(gate, note).problem() == "not_yet_known"
    stand.hear(describe_piece(1))
    stand.load(gate, note).ok()


def test_a_deal_over_a_weight_is_carried_in_parts_up_to_its_weight(stand: Stand) -> None:
    stand.hear(describe_deal(quantity=weight("60", "TNE")))
    gate = stand.make_gate()
    stand.start(gate, quantity=kg("25000.5")).ok()
    second = stand.start(gate, quantity={"value": "25", "unit": "TNE"}).ok()
    refused = stand.start(gate, quantity={"value": "10", "unit": "TNE"})
    assert (refused.problem(), said(refused.body["remaining"])) == ("quantity_exceeded", weight("9.9995", "TNE"))
    assert stand.start(gate, quantity={"value": "0", "unit": "TNE"}).problem() == "nothing_to_carry"
    assert stand.start(gate, quantity={"value": "1", "unit": "H87"}).problem() == "unit_mismatch"
    assert stand.start(gate, "piece_1").problem() == "nothing_to_carry"
    stand.send("POST", f"/v1/deliveries/{second['id']}/cancel", {"reason": "no truck"}).ok()
    stand.start(gate, quantity={"value": "34.9995", "unit": "TNE"}).ok()
    assert stand.broken() == {}


def test_a_truck_that_does_not_come_is_called_off_by_hand_or_by_time(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(1), stand.make_gate()
    first = stand.start(gate, *pieces).ok()
    assert stand.send("POST", f"/v1/deliveries/{first['id']}/cancel", {"reason": "x"}, party="buyer").status == 403
    stand.send("POST", f"/v1/deliveries/{first['id']}/cancel", {"reason": "truck broke down"}).ok()
    second = stand.start(gate, *pieces).ok()
    stand.told()
    assert stand.advance(LOAD) == 1
    assert stand.told() == [DeliveryCancelled(deal_id="deal_1", delivery_id=second["id"], piece_ids=pieces)]
    assert [stand.show(one)["reason"] for one in (first, second)] == ["truck broke down", "it did not leave in time"]
    stand.start(gate, *pieces).ok()
    assert stand.broken() == {}


def test_a_dead_tag_is_overcome_by_hand_or_by_the_scale(stand: Stand) -> None:
    stand.hear_deal(3)
    gate = stand.make_gate()
    by_hand, by_time, by_scale = (stand.start(gate, f"piece_{number}").ok() for number in (1, 2, 3))
    assert stand.weigh(by_hand, "receiving").problem() == "not_departed"
    left = stand.send("POST", f"/v1/deliveries/{by_hand['id']}/depart", {"reason": "tag torn off"}).ok()
    assert (left["state"], left["departure_seen_by"], left["reason"]) == ("departed", "hand", "tag torn off")
    stand.weigh(by_time, "loading").ok()
    stand.weigh(by_scale, "loading").ok()
    stand.weigh(by_scale, "receiving").ok()
    stand.advance(LOAD)
    assert [stand.show(one)["departure_seen_by"] for one in (by_hand, by_time, by_scale)] == ["hand", "scale", "scale"]
    assert [type(one).__name__ for one in stand.told() if one.delivery_id == by_scale["id"]] == [
        "DeliveryStarted",
        "DeliveryDeparted",
        "DeliveryWeighed",
    ]
    assert stand.broken() == {}


def test_a_receiving_weight_that_never_comes_is_the_sellers(stand: Stand) -> None:
    stand.hear_deal(2)
    gate = stand.make_gate()
    weighed_out, unweighed = stand.start(gate, "piece_1").ok(), stand.start(gate, "piece_2").ok()
    stand.weigh(weighed_out, "loading", 8_020).ok()
    stand.pass_gate(gate, 1)
    stand.pass_gate(gate, 2)
    stand.told()
    stand.advance(RECEIVE)
    stood = {one.delivery_id: (one.loaded, one.received) for one in stand.told()}
    assert stood == {weighed_out["id"]: (weight("8020"), weight("8020")), unweighed["id"]: (weight("8", "TNE"),) * 2}
    assert stand.weigh(weighed_out, "receiving").problem() == "already_weighed"
    assert stand.broken() == {}


def test_a_deal_that_is_over_calls_off_what_still_loads_and_nothing_else(stand: Stand) -> None:
    stand.hear_deal(3)
    gate = stand.make_gate()
    loading, gone = stand.start(gate, "piece_1").ok(), stand.start(gate, "piece_2").ok()
    stand.pass_gate(gate, 2)
    stand.told()
    over = describe_deal(1, 2, 3, version=2, state="defaulted")
    stand.hear(over, over, describe_deal(1, 2, 3))
    assert stand.told() == [DeliveryCancelled(deal_id="deal_1", delivery_id=loading["id"], piece_ids=["piece_1"])]
    assert [stand.show(one)["state"] for one in (loading, gone)] == ["cancelled", "departed"]
    assert stand.start(gate, "piece_3").problem() == "deal_not_delivering"
    assert stand.broken() == {}


def test_deliveries_are_listed_to_their_parties_alone(stand: Stand) -> None:
    stand.hear_deal(2)
    gate = stand.make_gate()
    first, second = stand.start(gate, "piece_1").ok(), stand.start(gate, "piece_2").ok()
    for party in ("buyer", "mill", "warehouse"):
        page = stand.get("/v1/deliveries?deal_id=deal_1&limit=1", party=party).ok()
        rest = stand.get(f"/v1/deliveries?deal_id=deal_1&limit=1&cursor={page['next']}", party=party).ok()
        assert [one["id"] for one in page["items"] + rest["items"]] == [second["id"], first["id"]]
    assert stand.get("/v1/deliveries?state=departed").ok()["items"] == []
    assert stand.get("/v1/deliveries", party="stranger").ok()["items"] == []
    assert len(stand.get("/v1/deliveries", party="platform", role="operator").ok()["items"]) == 2
    assert stand.get(f"/v1/deliveries/{first['id']}", party="stranger").status == 404
    for move in ("depart", "cancel"):
        path = f"/v1/deliveries/{first['id']}/{move}"
        assert stand.send("POST", path, {"reason": "mine"}, party="stranger").status == 404
        assert stand.send("POST", path, {"reason": "mine"}, party="mill").problem() == "not_the_warehouse"
    assert stand.send("POST", path, {"reason": "x"}, role="seller").problem() == "missing_role"


def test_a_deal_made_again_from_its_description_is_the_same(stand: Stand) -> None:
    stand.hear_deal(2)
    before = stand.snapshot()
    stand.drop_projections()
    assert stand.snapshot() != before
    stand.hear_deal(2)
    assert stand.snapshot() == before


def test_time_between_start_and_deadline_is_the_deals(stand: Stand) -> None:
    stand.hear(describe_piece(1), describe_deal(1, load=timedelta(seconds=2), receive=timedelta(seconds=5)))
    delivery = stand.start(stand.make_gate(), "piece_1").ok()
    stand.advance(timedelta(seconds=1))
    assert stand.show(delivery)["state"] == "loading"
    stand.send("POST", f"/v1/deliveries/{delivery['id']}/depart", {"reason": "by hand"}).ok()
    stand.advance(timedelta(seconds=5))
    assert stand.show(delivery)["state"] == "weighed"
