"""Where a piece is, and who may ask."""

from __future__ import annotations

from datetime import timedelta

from chassis.values import Exact, Quantity
from tests.services.logistics.conftest import Stand, describe_deal, describe_piece, tag


def trail(stand: Stand, piece: str = "piece_1", *, party: str = "buyer") -> dict:
    return stand.get(f"/v1/trails/{piece}", party=party).ok()


def test_the_buyer_sees_where_its_coils_are(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(2), stand.make_gate()
    assert trail(stand)["whereabouts"]["state"] == "in_warehouse"
    delivery = stand.start(gate, *pieces).ok()
    assert trail(stand)["whereabouts"] | {"since": None} == {
        "state": "loading",
        "place": "Xingang, yard 2",
        "since": None,
        "delivery_id": delivery["id"],
    }
    stand.pass_gate(gate, 1, 2)
    found = trail(stand)
    assert (found["number"], found["whereabouts"]["state"]) == ("C0001", "in_transit")
    assert [step["what"] for step in found["steps"]] == ["loading", "departed"]
    (event,) = found["events"]
    assert event["type"] == "ObjectEvent"
    assert event["recordTime"] >= event["eventTime"]
    assert event["epcList"] == [stand.passages(gate)[0]["sightings"][0]["link"]]
    stand.weigh(delivery, "receiving").ok()
    assert trail(stand)["whereabouts"]["state"] == "received"


def test_a_departure_by_hand_is_an_epcis_event_of_every_piece(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(2), stand.make_gate()
    stand.hear(describe_piece(2, version=2, epc=None))
    delivery = stand.start(gate, *pieces).ok()
    stand.send("POST", f"/v1/deliveries/{delivery['id']}/depart", {"reason": "tags torn off"}).ok()
    (by_tag,), (by_id,) = (trail(stand, piece)["events"] for piece in pieces)
    assert by_id["epcList"] == ["urn:haihe:piece:piece_2"]
    assert by_tag["epcList"][0].startswith("https://id.gs1.org/01/")
    assert by_tag | {"epcList": None} == by_id | {"epcList": None}
    assert (by_id["bizStep"], by_id["disposition"], by_id["readPoint"]) == (
        "departing",
        "in_transit",
        {"id": f"urn:haihe:gate:{gate['id']}"},
    )
    assert "bizLocation" not in by_id
    assert [one["bizTransaction"] for one in by_id["bizTransactionList"]] == [
        f"urn:haihe:delivery:{delivery['id']}",
        "urn:haihe:deal:deal_1",
    ]
    assert stand.broken() == {}


def test_a_departure_by_hand_of_a_weight_has_no_things_to_record(stand: Stand) -> None:
    stand.hear(describe_deal(pieces=[], quantity=Quantity(Exact("20"), "TNE")))
    gate = stand.make_gate()
    delivery = stand.start(gate, quantity={"value": "10", "unit": "TNE"}).ok()
    stand.send("POST", f"/v1/deliveries/{delivery['id']}/depart", {"reason": "the load wears no tags"}).ok()
    assert stand.rows("SELECT count(*) FROM epcis_event") == [(0,)]


def test_only_owner_warehouse_and_parties_follow_a_piece(stand: Stand) -> None:
    stand.hear_deal(1)
    for party in ("mill", "buyer", "warehouse"):
        assert trail(stand, party=party)["piece_id"] == "piece_1"
    assert stand.get("/v1/trails/piece_1", party="stranger").status == 404
    assert stand.get("/v1/trails/piece_9", party="buyer").status == 404
    assert stand.get("/v1/trails/piece_1", party="platform", role="operator").status == 200


def test_a_tag_that_moves_to_another_piece_takes_no_past_along(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(1), stand.make_gate()
    stand.start(gate, *pieces).ok()
    stand.pass_gate(gate, 1)
    stand.hear(describe_piece(1, version=2, epc=None), describe_piece(2, epc=tag(1)))
    assert len(trail(stand, "piece_1")["events"]) == 1
    assert trail(stand, "piece_2", party="mill")["events"] == []
    stand.advance(timedelta(hours=1))
    stand.pass_gate(gate, 1)
    steps = {
        piece: {event["bizStep"] for event in trail(stand, piece, party="mill")["events"]}
        for piece in ("piece_1", "piece_2")
    }
    assert steps == {"piece_1": {"departing", "decommissioning"}, "piece_2": {"entering_exiting"}}


def test_while_word_of_a_moved_tag_is_on_its_way_the_expected_piece_is_meant(stand: Stand) -> None:
    stand.hear_deal(1, first=5)
    stand.hear(describe_piece(1, epc=tag(5)), describe_piece(9, epc=tag(5)))
    gate = stand.make_gate()
    delivery = stand.start(gate, "piece_5").ok()
    stand.pass_gate(gate, 5)
    assert stand.show(delivery)["discrepancies"] == []


def test_an_earlier_seller_does_not_follow_what_became_of_its_coil(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(1), stand.make_gate()
    first = stand.start(gate, *pieces).ok()
    stand.pass_gate(gate, 1)
    stand.weigh(first, "receiving").ok()
    stand.weigh(first, "loading").ok()
    stand.hear(describe_piece(1, version=2, owner_id="buyer", warehouse_id="depot"))
    stand.hear(describe_deal(1, deal_id="deal_2", seller_id="buyer", buyer_id="third", warehouse_id="depot"))
    other_gate = stand.make_gate(party="depot")
    second = stand.start(other_gate, *pieces, deal_id="deal_2", seller="buyer", party="depot").ok()
    stand.advance(timedelta(hours=1))
    stand.pass_gate(other_gate, 1)

    def deliveries(party: str) -> list[str]:
        return list(dict.fromkeys(step["delivery_id"] for step in trail(stand, party=party)["steps"]))

    assert deliveries("mill") == [first["id"]]
    assert deliveries("third") == [second["id"]]
    assert deliveries("buyer") == [first["id"], second["id"]]
    assert [len(trail(stand, party=party)["events"]) for party in ("mill", "third", "buyer", "depot")] == [1, 1, 2, 1]
    assert str(second["id"]) not in str(trail(stand, party="mill"))
    assert "deal_2" not in str(trail(stand, party="mill"))


def test_a_trail_names_no_other_deal_of_the_same_passage(stand: Stand) -> None:
    stand.hear_deal(1)
    stand.hear_deal(1, deal_id="deal_2", first=2, buyer_id="other")
    gate = stand.make_gate()
    stand.start(gate, "piece_1").ok()
    stand.start(gate, "piece_2", deal_id="deal_2").ok()
    stand.pass_gate(gate, 1, 2)
    (event,) = trail(stand)["events"]
    assert "deal_2" not in str(event)
    assert [one["type"] for one in event["bizTransactionList"]] == ["desadv", "po"]


def test_what_has_passed_keeps_its_coil_when_the_tag_is_replaced_or_moved(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(3), stand.make_gate()
    first = stand.start(gate, pieces[0]).ok()
    stand.pass_gate(gate, 1)
    before = stand.passages(gate)
    events = trail(stand)["events"]
    stand.hear(describe_piece(1, version=2, epc=tag(7)), describe_piece(2, version=2, epc=tag(1)))
    assert (stand.passages(gate), trail(stand)["events"]) == (before, events)
    assert (trail(stand)["epc"], trail(stand, "piece_2")["events"]) == (tag(7), [])
    stand.advance(timedelta(hours=1))
    second = stand.start(gate, pieces[1]).ok()
    passage, _ = stand.pass_gate(gate, 1)
    assert (passage["delivery_ids"], passage["sightings"][0]["piece_id"]) == ([second["id"]], "piece_2")
    assert [one["readPoint"] for one in trail(stand, "piece_2")["events"]] == [events[0]["readPoint"]]
    assert trail(stand)["events"] == events
    assert stand.show(first)["discrepancies"] == stand.show(second)["discrepancies"] == []
    stand.hear(describe_piece(3, version=2, epc=None))
    third = stand.start(gate, pieces[2]).ok()
    stand.advance(timedelta(hours=1))
    stand.pass_gate(gate, 3)
    assert stand.show(third)["state"] == "loading"
    assert stand.broken() == {}


def test_a_coil_that_is_sold_on_passes_the_gate_of_its_buyers_yard(stand: Stand) -> None:
    """The second deal's note, truck and gate are the new yard's; the trail keeps both journeys for who owns the coil."""
    pieces, gate = stand.hear_deal(1), stand.make_gate()
    first = stand.start(gate, *pieces).ok()
    stand.weigh(first, "loading", 8_000).ok()
    stand.pass_gate(gate, 1)
    stand.weigh(first, "receiving", 8_000).ok()
    stand.hear(describe_piece(1, version=2, owner_id="buyer", warehouse_id="buyer"))
    stand.hear(describe_deal(1, deal_id="deal_2", seller_id="buyer", buyer_id="third", warehouse_id="buyer"))
    yard = stand.make_gate(party="buyer")
    note = stand.issue(*pieces, deal_id="deal_2", party="buyer").ok()
    assert stand.get(f"/v1/pickup-notes/{note['id']}", party="warehouse").status == 404
    assert stand.load(gate, note).status == 404
    second = stand.load(yard, note, party="buyer").ok()
    stand.advance(timedelta(hours=1))
    stand.pass_gate(yard, 1)
    assert stand.show(second, party="third")["state"] == "departed"
    assert [one["delivery_id"] for one in trail(stand, party="buyer")["steps"] if one["what"] == "departed"] == [
        first["id"],
        second["id"],
    ]
    assert trail(stand, party="third")["whereabouts"]["state"] == "in_transit"
    assert stand.broken() == {}
