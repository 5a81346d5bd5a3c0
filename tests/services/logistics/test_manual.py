"""Entries by hand and tags put on anew: the same events as a gate's, marked as manual."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec import structs

from chassis import clock
from events.logistics import EpcisEventCaptured
from services.logistics.rfid.epc import decode_epc
from tests.services.logistics.conftest import BEGINNING, Stand, describe_piece, tag

COIL = {number: decode_epc(tag(number)).link for number in range(1, 10)}
GTIN = COIL[1].split("/")[4]
PALLET = "https://id.gs1.org/00/369012345600000016"


def enter(
    stand: Stand, step: str, *items: dict[str, str], party: str = "warehouse", role: str = "warehouse", **said: Any
):
    return stand.send(
        "POST", "/v1/manual-entries", {"step": step, "items": list(items), **said}, party=party, role=role
    )


def events(stand: Stand, piece_id: str, *, party: str = "mill") -> list[dict[str, Any]]:
    """What was captured of a piece, newest first."""
    return stand.get(f"/v1/trails/{piece_id}", party=party).ok()["events"]


def test_things_are_entered_by_barcode_number_piece_and_tag(stand: Stand) -> None:
    stand.hear(*(describe_piece(number) for number in (1, 2, 3)), describe_piece(4, epc=None))
    gate = stand.make_gate()
    items = [
        {"barcode": f"(01){GTIN}(21)1"},
        {"number": "C0002"},
        {"epc": tag(3)},
        {"piece_id": "piece_4"},
        {"number": "C0001"},
    ]
    entered = enter(stand, "loading", *items, gate_id=gate["id"], reason="the reader is broken").ok()
    assert entered["epcs"] == sorted([COIL[1], COIL[2], COIL[3], "urn:haihe:piece:piece_4"])
    assert entered["piece_ids"] == ["piece_1", "piece_2", "piece_3", "piece_4"]
    (event,) = events(stand, "piece_4")
    assert event["eventID"] == entered["event_id"]
    assert (event["bizStep"], event["disposition"], event["readPoint"]) == (
        "loading", "in_progress", {"id": f"urn:haihe:gate:{gate['id']}"},
    )  # fmt: skip
    assert [event[f"haihe:{name}"] for name in ("entry", "method", "reason")] == [
        "manual",
        "barcode",
        "the reader is broken",
    ]
    again = enter(stand, "loading", *items, gate_id=gate["id"], reason="the reader is broken").ok()
    assert again == entered and stand.rows("SELECT count(*) FROM epcis_event") == [(1,)]


def test_goods_are_packed_on_a_pallet_by_its_barcode(stand: Stand) -> None:
    stand.hear(describe_piece(1))
    entered = enter(stand, "packing", {"number": "C0001"}, parent="(00)369012345600000016").ok()
    ((kind, action, parent),) = stand.rows("SELECT type, action, fields ->> 'parentID' FROM epcis_event")
    assert (kind, action, parent, entered["epcs"]) == ("AggregationEvent", "ADD", PALLET, [COIL[1]])
    assert [event["bizStep"] for event in events(stand, "piece_1")] == ["packing"]


def test_what_is_entered_of_a_delivery_is_a_milestone_of_it(stand: Stand) -> None:
    stand.hear_deal(1)
    delivery = stand.start(stand.make_gate(), "piece_1").ok()
    stand.frozen.advance(timedelta(hours=1))
    at = (BEGINNING + timedelta(minutes=10)).isoformat()
    under = {"delivery_id": delivery["id"], "at": at, "party": "buyer"}
    enter(stand, "receiving", {"number": "C0001"}, **under).ok()
    enter(stand, "unpacking", {"number": "C0001"}, parent="(00)369012345600000016", **under).ok()
    shown = stand.get(f"/v1/deliveries/{delivery['id']}/milestones", party="mill").ok()["milestones"]
    assert [(one["code"], one["told_by"], one["piece_ids"]) for one in shown] == [
        ("loaded", ["warehouse"], []),
        ("received", ["buyer"], ["piece_1"]),
        ("unpacked", ["buyer"], ["piece_1"]),
    ]
    papers = [{one["bizTransaction"] for one in event["bizTransactionList"]} for event in events(stand, "piece_1")]
    assert papers == [{f"urn:haihe:delivery:{delivery['id']}", "urn:haihe:deal:deal_1"}] * 2


def test_what_cannot_be_entered(stand: Stand) -> None:
    stand.hear(describe_piece(1), structs.replace(describe_piece(2, maker_id="other"), number="C0001"))
    stand.hear(describe_piece(3, warehouse_id="elsewhere"))
    gate = stand.make_gate()
    one = {"epc": tag(1)}
    before = stand.snapshot()
    assert enter(stand, "loading", {"number": "C0001"}).body["pieces"] == ["piece_2", "piece_1"]
    assert enter(stand, "loading", {"number": "C0003"}).problem() == "no_such_number"
    assert enter(stand, "loading", {"piece_id": "piece_3"}).status == 404
    assert enter(stand, "loading", {"epc": "00" * 12}).problem() == "tag_says_nothing"
    assert enter(stand, "loading", {"barcode": "(01)" + GTIN}).problem() == "not_a_code"
    assert enter(stand, "loading", one | {"number": "C0001"}).problem() == "one_name"
    assert enter(stand, "loading", one, parent="(00)369012345600000016").problem() == "parent_needed"
    assert enter(stand, "packing", one).problem() == "parent_needed"
    assert enter(stand, "loading", one, at=(clock.now() + timedelta(seconds=1)).isoformat()).problem() == "not_yet"
    assert enter(stand, "loading", one, gate_id=gate["id"], party="stranger").status == 404
    assert (
        enter(stand, "loading", one, zone_id="zone_x").status
        == enter(stand, "loading", one, delivery_id="x").status
        == 404
    )
    assert enter(stand, "loading", one, role="finance").problem() == "missing_role"
    assert enter(stand, "commissioning", one).status == enter(stand, "loading").status == 422
    assert stand.snapshot() == before


def test_a_stranger_learns_nothing_of_the_piece_behind_a_tag(stand: Stand) -> None:
    stand.hear(describe_piece(1))
    entered = enter(stand, "receiving", {"epc": tag(1)}, party="stranger").ok()
    assert entered["piece_ids"] == []
    assert events(stand, "piece_1") == []


def test_another_tag_on_a_piece_takes_the_old_name_out_of_use_and_says_which_it_replaces(stand: Stand) -> None:
    stand.hear(describe_piece(1))
    assert events(stand, "piece_1") == []
    stand.hear(describe_piece(1, version=2, epc=tag(7)))
    new, old = sorted(events(stand, "piece_1"), key=lambda event: event["action"])
    assert (old["action"], old["bizStep"], old["disposition"], old["epcList"]) == (
        "DELETE",
        "decommissioning",
        "inactive",
        [COIL[1]],
    )
    assert (new["action"], new["bizStep"], new["disposition"], new["epcList"]) == (
        "ADD",
        "commissioning",
        "active",
        [COIL[7]],
    )
    assert (new["haihe:entry"], new["haihe:method"], new["haihe:replaces"]) == ("manual", "tag", COIL[1])
    told = [one for one in stand.told(EpcisEventCaptured.topic)]
    assert [(one.owner_id, one.party_ids) for one in told] == [("warehouse", ["mill"])] * 2


def test_a_tag_that_is_retired_or_put_on_later_makes_one_event_and_the_same_news_none(stand: Stand) -> None:
    stand.hear(describe_piece(1), describe_piece(1, version=2), describe_piece(1, version=2, epc=tag(7)))
    assert events(stand, "piece_1") == []
    stand.hear(describe_piece(1, version=3, epc=None))
    assert [event["bizStep"] for event in events(stand, "piece_1")] == ["decommissioning"]
    stand.frozen.advance(timedelta(hours=1))
    stand.hear(describe_piece(1, version=4, epc=tag(8)), describe_piece(1, version=3, epc=tag(9)))
    assert [event["bizStep"] for event in events(stand, "piece_1")] == ["commissioning", "decommissioning"]


def test_a_departure_by_hand_is_marked_as_manual_and_leaves_the_zones(stand: Stand) -> None:
    stand.hear_deal(1)
    zone = stand.send("POST", "/v1/zones", {"name": "Bay"}).ok()
    take = stand.send("POST", "/v1/stock-takes", {"zone_id": zone["id"]}).ok()
    reads = [{"sequence": 1, "at": clock.now().isoformat(), "epc": tag(1)}]
    stand.send("POST", f"/v1/stock-takes/{take['id']}/reads", {"handheld": "h1", "reads": reads}).ok()
    stand.send("POST", f"/v1/stock-takes/{take['id']}/close").ok()
    delivery = stand.start(stand.make_gate(), "piece_1").ok()
    stand.frozen.advance(timedelta(hours=1))
    stand.send("POST", f"/v1/deliveries/{delivery['id']}/depart", {"reason": "the gate was off"}).ok()
    event = events(stand, "piece_1")[0]
    assert [event[f"haihe:{name}"] for name in ("entry", "method", "reason")] == ["manual", "word", "the gate was off"]
    stand.hear(*stand.told(EpcisEventCaptured.topic))
    (stay,) = stand.get("/v1/stays", party="warehouse").ok()["items"]
    assert (stay["state"], stay["left_at"]) == (
        "left",
        (BEGINNING + timedelta(hours=1)).isoformat().replace("+00:00", "Z"),
    )
