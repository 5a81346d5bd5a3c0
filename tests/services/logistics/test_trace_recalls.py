"""Recalls of lots: who is told, who may start one, what each side sees, and how far it has come."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from events.identity import PartyDescribed, PartyIdentifier
from services.logistics.trace import graph
from tests.services.logistics.conftest import BEGINNING, Stand
from tests.services.logistics.test_trace_graph import OTHER, born, capture, item, lot, make, pack, told, unit

DUE = (BEGINNING + timedelta(days=2)).isoformat()
SHOP_GLN, OUTSIDER = "9524321000010", "https://id.gs1.org/417/9524999000011"


def party(gln: str) -> str:
    return f"https://id.gs1.org/417/{gln}"


def shipped(minutes: float, things: list[str], to: str, *papers: tuple[str, str]) -> dict[str, Any]:
    return told(
        minutes,
        "ObjectEvent",
        epcList=things,
        action="OBSERVE",
        bizStep="shipping",
        destinationList=[{"type": "possessing_party", "destination": to}],
        bizTransactionList=[{"type": kind, "bizTransaction": uri} for kind, uri in papers],
    )


def received(minutes: float, things: list[str], place: str) -> dict[str, Any]:
    said = {"bizStep": "receiving", "bizLocation": {"id": place}}
    return told(minutes, "ObjectEvent", epcList=things, action="OBSERVE", **said)


def start(stand: Stand, id: str = lot("L1"), *, party: str = "maker", role: str = "seller", **changed: Any) -> Any:
    body = {"id": id, "grade": "I", "reason": "glass found", "instruction": "Stop selling.", "due_at": DUE, **changed}
    return stand.send("POST", "/v1/lot-recalls", body, party=party, role=role)


def move(stand: Stand, path: str, body: Any = None, *, party: str, role: str = "admin") -> Any:
    return stand.send("POST", f"/v1/{path}", body, party=party, role=role)


def notices(stand: Stand, party: str) -> list[dict[str, Any]]:
    return stand.get("/v1/recall-notices", party=party).ok()["items"]


@pytest.fixture
def market(stand: Stand) -> Stand:
    """Six loaves of lot L1: 1 and 2 lie with the maker, 3 and 4 went to a shop, which sold 4 on to a kitchen; 5 goes to
    somebody outside; of 6 the maker made toast.
    """
    gln = PartyIdentifier(scheme="gln", value=SHOP_GLN)
    described = PartyDescribed(
        party_id="shop",
        version=1,
        name="Shop",
        country="CN",
        state="admitted",
        identifiers=[gln],
        bank_accounts=[],
    )
    stand.hear(described)
    capture(
        stand,
        born(0, [item(n) for n in range(1, 7)], "L1"),
        born(0, [item(9)], "L2"),
        pack(2, unit(1), [item(3), item(4), item(9)]),
        make(3, [item(6)], [item("toast", OTHER)]),
    )
    capture(stand, shipped(5, [unit(1)], party(SHOP_GLN), ("po", "urn:example:po:1")), parties=("shop",))
    capture(stand, shipped(6, [item(5)], OUTSIDER))
    capture(
        stand,
        received(9, [unit(1)], "https://id.gs1.org/414/9524321000027"),
        pack(10, unit(1), [], "DELETE"),
        received(11, [item(3)], "https://id.gs1.org/414/9524321000027"),
        shipped(12, [item(4)], "https://id.gs1.org/417/9524321000034"),
        owner="shop",
    )
    capture(stand, received(15, [item(4)], "geo:1.0,2.0"), owner="kitchen")
    return stand


def test_every_holder_is_told_what_it_holds_and_nobody_else(market: Stand) -> None:
    recall = start(market).ok()
    (to_shop,), (to_kitchen,) = notices(market, "shop"), notices(market, "kitchen")
    assert [(one["id"], one["state"], one["place"]) for one in to_shop["things"]] == [
        (item(3), "held", "https://id.gs1.org/414/9524321000027"),
        (item(4), "passed_on", None),
    ]
    assert [(one["id"], one["state"]) for one in to_kitchen["things"]] == [(item(4), "held")]
    assert (to_kitchen["instruction"], to_kitchen["grade"], to_kitchen["held"]) == ("Stop selling.", "I", 1)
    assert {one["id"] for one in recall["own"]} == {item(1), item(2), item(6), item("toast", OTHER)}
    assert recall["unreached"] == [{"holder": OUTSIDER, "held": 1}]
    assert (recall["affected"], recall["notices_sent"]) == (8, 2)
    assert notices(market, "stranger") == []
    assert item(9) not in str((recall, to_shop, to_kitchen))


def test_who_recalls_sees_no_further_than_its_own_events(market: Stand) -> None:
    recall = start(market).ok()
    (seen,) = recall["notices"]
    assert (seen["party_id"], seen["state"]) == ("shop", "sent")
    assert {one["id"]: one["state"] for one in seen["things"]} == {item(3): "on_the_way", item(4): "on_the_way"}
    assert "kitchen" not in str(recall) and "9524321000027" not in str(recall)
    assert recall["papers"] == [{"type": "po", "id": "urn:example:po:1"}]
    (notice,) = notices(market, "kitchen")
    assert market.get(f"/v1/recall-notices/{notice['id']}", party="maker").status == 404
    assert market.get(f"/v1/lot-recalls/{recall['id']}", party="shop").status == 404


def test_answers_count_and_a_holder_that_has_more_is_asked_again(market: Stand) -> None:
    market.told()
    recall = start(market).ok()
    assert {(one.party_id, one.held, one.grade) for one in market.told()} == {("shop", 2, "I"), ("kitchen", 1, "I")}
    (to_shop,), (to_kitchen,) = notices(market, "shop"), notices(market, "kitchen")
    answered = move(market, f"recall-notices/{to_shop['id']}/acknowledge", party="shop").ok()
    assert answered["state"] == "acknowledged"
    body = {"outcome": "destroyed", "note": "eight loaves"}
    move(market, f"recall-notices/{to_kitchen['id']}/resolve", body, party="kitchen").ok()
    view = market.get(f"/v1/lot-recalls/{recall['id']}", party="maker").ok()
    assert (view["acknowledged"], view["resolved"], view["share_acknowledged"]) == (2, 1, 1.0)
    capture(market, received(30, [item(1)], "geo:1.0,2.0"), owner="kitchen")
    renewed = move(market, f"lot-recalls/{recall['id']}/renew", {"due_at": DUE}, party="maker").ok()
    assert (renewed["notices_sent"], renewed["acknowledged"], renewed["share_acknowledged"]) == (2, 1, 0.5)
    assert [(one.party_id, one.held) for one in market.told()] == [("kitchen", 2)]
    (again,) = notices(market, "kitchen")
    assert (again["id"], again["state"], again["held"]) == (to_kitchen["id"], "sent", 2)


def test_only_the_maker_or_the_operator_starts_a_recall(market: Stand) -> None:
    before = market.snapshot()
    assert start(market, party="shop", id=item(3)).problem() == "not_the_maker"
    assert start(market, party="stranger").problem() == "not_found"
    assert start(market, party="maker", role="warehouse").problem() == "missing_role"
    assert start(market, due_at=BEGINNING.isoformat()).problem() == "deadline_passed"
    assert start(market, id="what").problem() == "not_a_name"
    assert market.snapshot() == before
    capture(market, born(90, [item("x")], "L1"), owner="rival")
    assert start(market, party="rival").problem() == "not_the_maker"
    assert start(market, party="platform", role="operator").ok()["owner_id"] == "maker"
    assert start(market).problem() == "already_recalled"


def test_a_mistaken_recall_is_withdrawn_and_a_closed_one_stands(market: Stand) -> None:
    first = start(market).ok()
    assert move(market, f"lot-recalls/{first['id']}/cancel", {"summary": "wrong lot"}, party="shop").status == 404
    ended = move(market, f"lot-recalls/{first['id']}/cancel", {"summary": "wrong lot"}, party="maker").ok()
    assert (ended["state"], ended["notices_sent"], ended["due_at"]) == ("cancelled", 0, None)
    (withdrawn,) = notices(market, "shop")
    assert withdrawn["state"] == "withdrawn"
    path = f"recall-notices/{withdrawn['id']}/acknowledge"
    assert move(market, path, party="shop").problem() == "illegal_move"
    second = start(market).ok()
    done = move(market, f"lot-recalls/{second['id']}/close", {"summary": "all back"}, party="maker").ok()
    assert (done["state"], done["summary"]) == ("closed", "all back")
    again = move(market, f"lot-recalls/{second['id']}/renew", {"due_at": DUE}, party="maker")
    assert again.problem() == "illegal_move"


def test_only_the_holder_answers_and_the_deadline_makes_it_overdue(market: Stand) -> None:
    recall = start(market).ok()
    (seen,) = recall["notices"]
    assert move(market, f"recall-notices/{seen['id']}/acknowledge", party="maker").problem() == "not_the_holder"
    assert move(market, f"recall-notices/{seen['id']}/acknowledge", party="kitchen").status == 404
    assert market.advance(timedelta(days=2)) >= 1
    view = market.get(f"/v1/lot-recalls/{recall['id']}", party="maker").ok()
    assert (view["state"], view["due_at"]) == ("overdue", None)
    move(market, f"recall-notices/{seen['id']}/acknowledge", party="shop").ok()
    assert market.broken() == {}


def test_what_a_delivery_carried_is_its_buyers(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(2), stand.make_gate()
    delivery = stand.start(gate, pieces[0]).ok()
    stand.pass_gate(gate, 1)
    body_of = {"party": "mill", "role": "seller"}
    first = start(stand, pieces[0], **body_of).ok()
    (notice,) = notices(stand, "buyer")
    assert (notice["held"], notice["things"][0]["state"], notice["delivery_ids"]) == (1, "on_the_way", [delivery["id"]])
    assert first["affected"] >= 1
    assert start(stand, pieces[1], party="buyer").problem() == "not_the_maker"
    stand.weigh(delivery, "receiving", 8_000).ok()
    move(stand, f"lot-recalls/{first['id']}/renew", {"due_at": DUE}, party="mill").ok()
    (notice,) = notices(stand, "buyer")
    assert notice["things"][0]["state"] == "held"


def test_nobody_takes_a_thing_out_of_anothers_hands_by_an_event_of_its_own(market: Stand) -> None:
    capture(market, received(50, [item(3)], "geo:3.0,4.0"), owner="rival")
    capture(market, shipped(51, [item(3)], OUTSIDER), owner="rival")
    start(market).ok()
    (to_shop,), (to_rival,) = notices(market, "shop"), notices(market, "rival")
    assert [one["id"] for one in to_shop["things"]] == [item(3), item(4)]
    assert [one["id"] for one in to_rival["things"]] == [item(3)]


def test_a_lot_is_followed_on_its_pallet_and_what_others_made_of_it_along_their_own_chain(market: Stand) -> None:
    amounts = [{"epcClass": lot("L1"), "quantity": 30.0, "uom": "KGM"}]
    capture(market, told(20, "AggregationEvent", parentID=unit(5), action="ADD", childQuantityList=amounts))
    capture(market, shipped(21, [unit(5)], party(SHOP_GLN)), parties=("shop",))
    tied = {"parentID": "https://id.gs1.org/8004/9506000BIKE", "childEPCs": [item(1)], "action": "ADD"}
    capture(market, told(22, "AssociationEvent", **tied))
    capture(market, shipped(23, [tied["parentID"]], party(SHOP_GLN)), parties=("shop",))
    cake = item("cake", OTHER)
    capture(market, make(30, [item(4)], [cake]), shipped(31, [cake], OUTSIDER), owner="kitchen")
    capture(market, received(32, [cake], "geo:3.0,4.0"), owner="cafe")
    start(market).ok()
    (to_shop,), (to_kitchen,), (to_cafe,) = (notices(market, party) for party in ("shop", "kitchen", "cafe"))
    held = {one["id"]: one["state"] for one in to_shop["things"]}
    assert (held[lot("L1")], held[item(1)]) == ("on_the_way", "on_the_way")
    assert {one["id"]: one["state"] for one in to_kitchen["things"]} == {item(4): "over", cake: "passed_on"}
    assert [one["id"] for one in to_cafe["things"]] == [cake]


def test_a_recall_that_would_leave_holders_out_is_refused(market: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "MOST_THINGS", 5)
    before = market.snapshot()
    assert start(market).problem() == "trace_too_large"
    assert market.snapshot() == before
