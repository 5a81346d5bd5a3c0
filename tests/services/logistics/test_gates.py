"""Gates, their reads and what passes them."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from chassis import clock
from chassis.brokers import BrokerDown
from events.logistics import DeliveryDeparted
from tests.services.logistics.conftest import BEGINNING, Stand, describe_deal, describe_piece, tag

FOREIGN = "E280689400004003E5A1B2C3"


def test_a_gate_belongs_to_its_warehouse(stand: Stand) -> None:
    gate = stand.make_gate(closing_ms=500, ghost_reads=5)
    assert (gate["closing_ms"], gate["ghost_reads"], gate["ghost_rssi_dbm"]) == (500, 5, -60)
    assert stand.get("/v1/gates", party="warehouse").ok()["items"] == [gate]
    assert stand.get("/v1/gates", party="elsewhere").ok()["items"] == []
    assert stand.get(f"/v1/gates/{gate['id']}", party="elsewhere").status == 404
    assert stand.send("POST", "/v1/gates", {"name": "x", "place": "y"}, role="purchaser").status == 403
    named = {"name": "Gate 3a", "place": "Xingang, yard 1"}
    assert stand.send("PUT", f"/v1/gates/{gate['id']}", named, party="elsewhere").status == 404
    assert stand.send("PUT", f"/v1/gates/{gate['id']}", named, role="purchaser").status == 403
    assert stand.send("PUT", f"/v1/gates/{gate['id']}", named).ok() == gate | named
    assert stand.get(f"/v1/gates/{gate['id']}", party="warehouse").ok() == gate | named


@pytest.mark.parametrize(
    ("sender", "status"),
    [
        ({"device": None}, 403),
        ({"device": "gate_other"}, 403),
        ({"party": "elsewhere"}, 404),
        ({"role": "finance"}, 403),
    ],
)
def test_only_the_gates_own_key_posts_its_reads(stand: Stand, sender: dict, status: int) -> None:
    gate = stand.make_gate()
    assert stand.post_reads(gate, [stand.read(tag(1))], **sender).status == status
    assert stand.rows("SELECT count(*) FROM tag_read") == [(0,)]


@pytest.mark.parametrize(
    "change",
    [
        {"epc": "3034257BF400B78000000"},
        {"epc": "3034257BF400B7800000000G"},
        {"sequence": -1},
        {"sequence": 2**63},
        {"rssi_dbm": -1e300},
        {"at": "2026-03-02T08:00:00"},
        {"antenna": "1"},
        {"tid": "x"},
    ],
)
def test_a_strange_read_is_refused_with_its_place(stand: Stand, change: dict) -> None:
    gate = stand.make_gate()
    answer = stand.post_reads(gate, [stand.read(tag(1)), stand.read(tag(1)) | change])
    assert answer.status == 422
    assert answer.body["field"].startswith("$.reads[")


@pytest.mark.parametrize("count", [0, 1_001])
def test_a_batch_has_between_one_and_a_thousand_reads(stand: Stand, count: int) -> None:
    gate = stand.make_gate()
    assert stand.post_reads(gate, [stand.read(tag(1)) for _ in range(count)]).status == 422


def test_a_thousand_reads_are_one_passage(stand: Stand) -> None:
    gate = stand.make_gate()
    reads = [stand.read(tag(number % 40)) for number in range(1_000)]
    assert stand.post_reads(gate, reads).ok() == {"accepted": 1_000}
    stand.advance(timedelta(seconds=2))
    (passage,) = stand.passages(gate)
    assert len(passage["sightings"]) == 40
    assert sum(one["reads"] for one in passage["sightings"]) == 1_000
    assert stand.broken() == {}


def test_a_broker_that_is_down_is_said_so_and_nothing_is_half_accepted(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = stand.make_gate()

    def refuse(messages: object) -> None:
        raise BrokerDown("gone")

    reads = [stand.read(tag(1))]
    with monkeypatch.context() as patch:
        patch.setattr(stand.broker, "publish", refuse)
        assert stand.post_reads(gate, reads).status == 503
    stand.post_reads(gate, reads).ok()
    assert stand.rows("SELECT count(*) FROM tag_read") == [(1,)]


def test_the_passage_stays_open_while_reads_come_and_closes_after_the_closing_time(stand: Stand) -> None:
    gate = stand.make_gate()
    for _ in range(3):
        stand.post_reads(gate, [stand.read(tag(1))]).ok()
        assert stand.advance(timedelta(seconds=1.5)) == 0
    (passage,) = stand.passages(gate)
    assert (passage["state"], passage["sightings"]) == ("open", [])
    assert stand.advance(timedelta(seconds=0.5)) == 1
    (passage,) = stand.passages(gate)
    assert (passage["state"], passage["sightings"][0]["reads"]) == ("closed", 3)


def test_a_passage_does_not_stay_open_for_ever(stand: Stand) -> None:
    gate = stand.make_gate(longest_s=5)
    for _ in range(16):
        stand.post_reads(gate, [stand.read(tag(1))]).ok()
        stand.advance(timedelta(seconds=1))
    assert [one["state"] for one in stand.passages(gate)] == ["open", "closed", "closed"]
    assert stand.broken() == {}


def test_the_same_reads_again_open_nothing_and_change_nothing(stand: Stand) -> None:
    gate = stand.make_gate()
    reads = [stand.read(tag(1)) for _ in range(5)]
    stand.post_reads(gate, reads).ok()
    stand.advance(timedelta(seconds=2))
    before = stand.snapshot()
    stand.post_reads(gate, reads).ok()
    stand.advance(timedelta(seconds=2))
    assert stand.snapshot() == before


@pytest.mark.parametrize("seed", range(8))
def test_order_and_repetition_within_the_window_give_the_same_passage(stand: Stand, seed: int) -> None:
    pieces = stand.hear_deal(4)
    dice = random.Random(seed)
    results = []
    for shuffled in (False, True):
        gate = stand.make_gate()
        stand._sequences = iter(range(1, 10_000))
        delivery = stand.start(gate, *pieces).ok()
        reads = [stand.read(tag(1 + n % 4), seconds=-n / 20, rssi_dbm=-70 + n % 9, antenna=n % 3) for n in range(60)]
        if shuffled:
            reads += dice.sample(reads, 25)
            dice.shuffle(reads)
        cut = sorted(dice.sample(range(1, len(reads)), 6)) if shuffled else [30]
        for begin, end in zip([0, *cut], [*cut, len(reads)], strict=True):
            stand.post_reads(gate, reads[begin:end]).ok()
        stand.advance(timedelta(seconds=2))
        (passage,) = stand.passages(gate)
        seen = stand.show(delivery)
        results.append(
            [
                [{name: one[name] for name in one if name != "delivery_id"} for one in passage["sightings"]],
                (passage["first_seen"], passage["last_seen"], passage["state"]),
                (seen["state"], seen["departed_at"], seen["discrepancies"]),
            ]
        )
        stand.owner.run(lambda session: session.execute(_text("TRUNCATE delivery, delivery_piece")) and None)
        stand.frozen.at = BEGINNING
    assert results[0] == results[1]


def _text(statement: str):
    from sqlalchemy import text

    return text(statement)


def test_what_a_reader_kept_back_becomes_the_trucks_that_passed(stand: Stand) -> None:
    stand.hear_deal(2)
    gate = stand.make_gate()
    first, second = stand.start(gate, "piece_1").ok(), stand.start(gate, "piece_2").ok()
    stand.frozen.advance(timedelta(minutes=5))
    reads = [stand.read(tag(1), seconds=-200 + n) for n in range(3)] + [
        stand.read(tag(2), seconds=-n) for n in range(3)
    ]
    stand.post_reads(gate, reads).ok()
    stand.advance(timedelta(seconds=2))
    assert [one["delivery_ids"] for one in stand.passages(gate) if one["state"] == "closed"] == [[second["id"]]]
    stand.advance(timedelta(seconds=13))
    earlier, later = sorted(stand.passages(gate), key=lambda one: one["first_seen"])
    assert [one["delivery_ids"] for one in (earlier, later)] == [[first["id"]], [second["id"]]]
    assert stand.show(first)["departed_at"] < stand.show(second)["departed_at"]
    assert stand.broken() == {}


def test_ghosts_are_left_out_and_kept_apart(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(2), stand.make_gate()
    delivery = stand.start(gate, *pieces).ok()
    reads = [stand.read(tag(1)) for _ in range(4)] + [stand.read(tag(2), rssi_dbm=-80)]
    stand.post_reads(gate, reads).ok()
    stand.advance(timedelta(seconds=2))
    (passage,) = stand.passages(gate)
    assert [(one["piece_id"], one["is_ghost"]) for one in passage["sightings"]] == [
        ("piece_1", False),
        ("piece_2", True),
    ]
    assert [(one["kind"], one["piece_id"]) for one in stand.show(delivery)["discrepancies"]] == [
        ("not_read", "piece_2")
    ]
    (event,) = stand.rows("SELECT document FROM epcis_event")
    assert event[0]["epcList"] == [passage["sightings"][0]["link"]]


def test_only_ghosts_make_no_event_and_move_nothing(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(1), stand.make_gate()
    delivery = stand.start(gate, *pieces).ok()
    stand.post_reads(gate, [stand.read(tag(1), rssi_dbm=-80)]).ok()
    stand.advance(timedelta(seconds=2))
    assert stand.passages(gate)[0]["epcis_event_id"] is None
    assert stand.show(delivery)["state"] == "loading"


def test_one_epcis_event_a_passage(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(2), stand.make_gate()
    delivery = stand.start(gate, *pieces).ok()
    (passage,) = stand.pass_gate(gate, 1, 2)
    ((document, owner),) = stand.rows("SELECT document, owner_id FROM epcis_event")
    assert owner == "warehouse"
    assert document == {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "ObjectEvent",
        "eventID": passage["epcis_event_id"],
        "eventTime": "2026-03-02T08:00:00.000Z",
        "eventTimeZoneOffset": "+00:00",
        "epcList": [one["link"] for one in passage["sightings"]],
        "action": "OBSERVE",
        "bizStep": "departing",
        "disposition": "in_transit",
        "readPoint": {"id": f"urn:haihe:gate:{gate['id']}"},
        "bizTransactionList": [
            {"type": "desadv", "bizTransaction": f"urn:haihe:delivery:{delivery['id']}"},
            {"type": "po", "bizTransaction": "urn:haihe:deal:deal_1"},
        ],
    }
    assert passage["epcis_event_id"].startswith("ni:///sha-256;")
    assert stand.broken() == {}


def test_a_piece_without_a_delivery_and_an_unknown_tag_leave_nothing_but_a_trace(stand: Stand) -> None:
    stand.hear_deal(1)
    gate = stand.make_gate()
    stand.told()
    stand.post_reads(gate, [stand.read(epc) for epc in (tag(1), FOREIGN) for _ in range(3)]).ok()
    stand.advance(timedelta(seconds=2))
    (passage,) = stand.passages(gate)
    assert passage["discrepancies"] == [{"kind": "no_delivery", "piece_id": "piece_1", "delivery_id": None}]
    assert [(one["epc"], one["link"] is None) for one in passage["sightings"]] == [(tag(1), False), (FOREIGN, True)]
    ((document,),) = stand.rows("SELECT document FROM epcis_event")
    assert (document["bizStep"], document.get("disposition"), len(document["epcList"])) == ("entering_exiting", None, 1)
    assert "bizLocation" not in document
    assert stand.told() == []


def test_a_piece_of_another_truck_is_named_to_the_warehouse_alone(stand: Stand) -> None:
    stand.hear_deal(2)
    stand.hear_deal(1, deal_id="deal_2", first=3, buyer_id="other")
    gate = stand.make_gate()
    ours = stand.start(gate, "piece_1", "piece_2").ok()
    theirs = stand.start(gate, "piece_3", deal_id="deal_2").ok()
    stand.hear(describe_deal(3, 4, deal_id="deal_2", buyer_id="other", version=2), describe_piece(4))
    stand.send("POST", f"/v1/deliveries/{theirs['id']}/cancel", {"reason": "more coils"}).ok()
    theirs = stand.start(gate, "piece_3", "piece_4", deal_id="deal_2").ok()
    stand.pass_gate(gate, 1, 2, 3)
    assert (stand.show(ours)["state"], stand.show(theirs, party="other")["state"]) == ("departed", "loading")
    (odd,) = stand.show(ours)["discrepancies"]
    assert (odd["kind"], odd["piece_id"], odd["delivery_id"]) == ("wrong_truck", None, ours["id"])
    assert stand.show(ours, party="warehouse")["discrepancies"][0]["piece_id"] == "piece_3"
    (passage,) = stand.passages(gate, party="buyer")
    assert ([one["piece_id"] for one in passage["sightings"]], passage["discrepancies"]) == (["piece_1", "piece_2"], [])
    assert stand.passages(gate, party="other") == []


def test_reads_that_come_late_belong_to_the_truck_that_has_left(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(2), stand.make_gate()
    delivery = stand.start(gate, *pieces).ok()
    stand.pass_gate(gate, 1)
    stand.told()
    late, _ = stand.pass_gate(gate, 2)
    assert (late["delivery_ids"], late["discrepancies"]) == ([delivery["id"]], [])
    assert stand.told() == []
    stand.advance(timedelta(minutes=20))
    again, *_ = stand.pass_gate(gate, 2)
    assert (again["delivery_ids"], [one["kind"] for one in again["discrepancies"]]) == ([], ["no_delivery"])


def test_a_truck_that_passes_after_its_deadline_has_no_delivery(stand: Stand) -> None:
    stand.hear(describe_piece(1), describe_deal(1, load=timedelta(minutes=1)))
    gate = stand.make_gate()
    delivery = stand.start(gate, "piece_1").ok()
    stand.frozen.advance(timedelta(minutes=1))
    stand.pass_gate(gate, 1)
    assert stand.show(delivery)["state"] == "cancelled"


def test_two_deals_leave_in_one_passage(stand: Stand) -> None:
    stand.hear_deal(1)
    stand.hear_deal(1, deal_id="deal_2", first=2, buyer_id="other")
    gate = stand.make_gate()
    ours, theirs = stand.start(gate, "piece_1").ok(), stand.start(gate, "piece_2", deal_id="deal_2").ok()
    stand.told()
    (passage,) = stand.pass_gate(gate, 1, 2)
    assert passage["delivery_ids"] == sorted([ours["id"], theirs["id"]])
    assert {(type(one), one.delivery_id) for one in stand.told()} == {
        (DeliveryDeparted, ours["id"]),
        (DeliveryDeparted, theirs["id"]),
    }
    (seen,) = stand.passages(gate, party="other")
    assert (seen["delivery_ids"], [one["piece_id"] for one in seen["sightings"]]) == ([theirs["id"]], ["piece_2"])
    listed = stand.get(f"/v1/passages?delivery_id={theirs['id']}", party="other").ok()["items"]
    assert [one["id"] for one in listed] == [passage["id"]]
    assert stand.get(f"/v1/passages?delivery_id={theirs['id']}", party="buyer").ok()["items"] == []
    assert stand.get(f"/v1/passages/{passage['id']}", party="stranger").status == 404


def test_a_reader_without_a_clock_gets_ours(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(1), stand.make_gate()
    delivery = stand.start(gate, *pieces).ok()
    for at in ("1970-01-01T00:00:05Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        stand.post_reads(gate, [stand.read(tag(1)) | {"at": at}]).ok()
    stand.advance(timedelta(seconds=2))
    (passage,) = stand.passages(gate)
    assert passage["last_seen"] == BEGINNING.isoformat().replace("+00:00", "Z")
    assert stand.show(delivery)["state"] == "departed"


def test_a_restarted_reader_says_so_and_loses_nothing(stand: Stand) -> None:
    gate = stand.make_gate()
    read = stand.read(tag(1))
    path, sender = f"/v1/gates/{gate['id']}/reads", {"device": gate["id"]}
    for boot in ("a", "b", "b"):
        stand.send("POST", path, {"reads": [read], "boot": boot}, **sender).ok()
    stand.work_off()
    assert stand.rows("SELECT boot FROM tag_read ORDER BY boot") == [("a",), ("b",)]


def test_old_reads_are_forgotten_in_the_end(stand: Stand) -> None:
    gate = stand.make_gate()
    stand.pass_gate(gate, 1)
    stand.advance(timedelta(days=31))
    stand.pass_gate(gate, 1)
    assert stand.rows("SELECT count(*) FROM tag_read") == [(3,)]
    assert len(stand.passages(gate)) == 2
    assert stand.broken() == {}
    assert clock.now() > BEGINNING
