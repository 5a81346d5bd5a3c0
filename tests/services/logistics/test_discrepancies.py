"""What did not fit at a gate: put down, shown to whom it concerns, closed by hand, and never in a truck's way."""

from __future__ import annotations

from tests.services.logistics.conftest import Stand


def close(
    stand: Stand, discrepancy: dict, *, result: str = "was_loaded", party: str = "warehouse", role: str = "warehouse"
):
    path = f"/v1/discrepancies/{discrepancy['id']}/close"
    body = {"result": result, "reason": "the tag was torn off"}
    return stand.send("POST", path, body, party=party, role=role)


def test_a_coil_of_the_note_that_was_not_read_is_closed_by_hand(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(2), stand.make_gate()
    delivery = stand.start(gate, *pieces).ok()
    stand.pass_gate(gate, 1)
    (odd,) = stand.discrepancies(party="buyer")
    assert (odd["kind"], odd["piece_id"], odd["delivery_id"]) == ("not_read", "piece_2", delivery["id"])
    assert (odd["state"], odd["closed_by"], odd["reason"]) == ("open", None, None)
    assert stand.show(delivery)["state"] == "departed"
    for party in ("buyer", "mill"):
        assert close(stand, odd, party=party).problem() == "not_your_gate"
    assert close(stand, odd, party="stranger").status == 404
    assert close(stand, odd, role="finance").problem() == "missing_role"
    closed = close(stand, odd, result="tag_dead").ok()
    assert (closed["state"], closed["closed_by"], closed["reason"]) == (
        "closed",
        "user_warehouse_warehouse",
        "the tag was torn off",
    )
    assert close(stand, odd).problem() == "illegal_move"
    assert closed["result"] == "tag_dead" and len(closed["closing_event_ids"]) == 1
    own = dict.fromkeys(("owner_role", "epcis_event_id")) | {"closing_event_ids": []}
    assert stand.show(delivery)["discrepancies"] == [closed | own]
    assert stand.get(f"/v1/discrepancies/{odd['id']}", party="mill").ok() == closed | own
    assert stand.get(f"/v1/discrepancies/{odd['id']}", party="stranger").status == 404
    assert stand.get("/v1/discrepancies?state=open", party="warehouse").ok()["items"] == []
    assert stand.get(f"/v1/discrepancies?delivery_id={delivery['id']}", party="mill").ok()["items"] == [closed | own]
    assert stand.broken() == {}


def test_a_coil_without_note_and_one_whose_loading_was_not_confirmed(stand: Stand) -> None:
    stand.hear_deal(3)
    gate = stand.make_gate()
    note = stand.issue("piece_2").ok()
    delivery = stand.start(gate, "piece_3").ok()
    stand.pass_gate(gate, 1, 2, 3)
    noted, stray = stand.discrepancies()
    assert [(one["kind"], one["piece_id"], one["note_id"]) for one in (stray, noted)] == [
        ("no_delivery", "piece_1", None),
        ("no_delivery", "piece_2", note["id"]),
    ]
    assert {one["delivery_id"] for one in (noted, stray)} == {delivery["id"]}
    assert stand.note(note)["state"] == "issued"
    assert [(one["piece_id"], one["note_id"]) for one in stand.discrepancies(party="buyer")] == [(None, None)] * 2
    stand.load(gate, note).ok()
    assert stand.broken() == {}


def test_what_passed_with_no_truck_concerns_the_warehouse_alone(stand: Stand) -> None:
    stand.hear_deal(1)
    gate = stand.make_gate()
    stand.pass_gate(gate, 1)
    (odd,) = stand.discrepancies()
    assert (odd["kind"], odd["delivery_id"]) == ("no_delivery", None)
    assert stand.discrepancies(party="buyer") == stand.discrepancies(party="mill") == []
    assert len(stand.discrepancies(party="platform", role="operator")) == 1
    close(stand, odd).ok()


def test_the_coil_of_another_truck_is_named_to_the_warehouse_alone(stand: Stand) -> None:
    stand.hear_deal(1)
    stand.hear_deal(2, deal_id="deal_2", first=2, buyer_id="other")
    gate = stand.make_gate()
    ours = stand.start(gate, "piece_1").ok()
    stand.start(gate, "piece_2", "piece_3", deal_id="deal_2").ok()
    stand.pass_gate(gate, 1, 2)
    kinds = [(one["kind"], one["piece_id"], one["delivery_id"]) for one in stand.discrepancies()]
    assert kinds == [("wrong_truck", "piece_2", ours["id"])]
    assert [one["piece_id"] for one in stand.discrepancies(party="buyer")] == [None]
    assert stand.discrepancies(party="other") == []
    close(stand, stand.discrepancies()[0]).ok()
    assert [one["piece_id"] for one in stand.show(ours)["discrepancies"]] == [None]
