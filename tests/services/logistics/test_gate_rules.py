"""A gate's rules in versions, which way things went by them, and what it says to a truck."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from services.logistics.rfid.stages.sessions import PortalRules
from services.logistics.warehouses.rules import Antenna, GateRules, Side, portal_rules
from tests.services.logistics.conftest import Stand, describe_piece, tag

SIDES = {"antennas": [{"antenna": 1, "side": "outside"}, {"antenna": 2, "side": "inside"}]}
FOREIGN = "E280689400004003E5A1B2C3"


def put_rules(stand: Stand, gate: dict[str, Any], **rules: Any) -> dict[str, Any]:
    """Change the rules of a gate and let some time pass; the version that is in force then."""
    changed = stand.send("PUT", f"/v1/gates/{gate['id']}/rules", {"rules": rules}).ok()
    stand.frozen.advance(timedelta(seconds=5))
    return changed


def go(stand: Stand, gate: dict[str, Any], *epcs: str, way: str = "out", at: float = 0) -> None:
    """Tags go through a gate with antennas on both sides."""
    first, second = (2, 1) if way == "out" else (1, 2)
    reads = []
    for epc in epcs:
        reads += [stand.read(epc, seconds=at - 2 + n / 10, antenna=first) for n in range(4)]
        reads += [stand.read(epc, seconds=at - 0.5 + n / 10, antenna=second) for n in range(4)]
    stand.post_reads(gate, reads).ok()


def close(stand: Stand, gate: dict[str, Any]) -> dict[str, Any]:
    """Let the closing time pass, and some more; the newest passage."""
    stand.advance(timedelta(seconds=3))
    stand.frozen.advance(timedelta(seconds=10))
    return stand.passages(gate)[0]


def events(stand: Stand) -> list[dict[str, Any]]:
    """The EPCIS events that stand, by time."""
    return [
        document
        for (document,) in stand.rows(
            "SELECT document FROM epcis_event e WHERE NOT is_error AND NOT EXISTS (SELECT 1 FROM epcis_event d "
            "WHERE d.event_id = e.event_id AND d.is_error) ORDER BY event_time, event_id"
        )
    ]


# Versions


def test_rules_are_kept_in_versions(stand: Stand) -> None:
    gate = stand.make_gate(closing_ms=500, ghost_reads=5)
    first = stand.get(f"/v1/gates/{gate['id']}/rules", party="warehouse").ok()
    assert (first["version"], first["rules"]["closing_ms"], first["rules"]["ghost_reads"]) == (1, 500, 5)
    assert first["rules"]["role"] == "both"
    second = put_rules(stand, gate, role="dispatch", closing_ms=1_000)
    assert (second["version"], second["made_by"]) == (2, "user_warehouse_warehouse")
    assert put_rules(stand, gate, role="dispatch", closing_ms=1_000) == second
    versions = stand.get(f"/v1/gates/{gate['id']}/rules/versions", party="warehouse").ok()["items"]
    assert versions == [second, first]
    assert stand.get(f"/v1/gates/{gate['id']}", party="warehouse").ok()["closing_ms"] == 1_000


def test_each_threshold_of_the_stages_is_a_rule_and_a_gate_comes_with_the_same_numbers() -> None:
    fresh = portal_rules(GateRules())
    assert fresh == PortalRules()
    changed = portal_rules(
        GateRules(
            antennas=(Antenna(antenna=1, side=Side.INSIDE), Antenna(antenna=2, side=Side.OUTSIDE)),
            closing_ms=1_000, settle_ms=1_000, longest_s=60, least_side_reads=3, least_gap_ms=100, last_side_percent=90,
            ghost_reads=4, ghost_antennas=1, ghost_rssi_dbm=-70, ghost_share_percent=50, ghost_weaker_db=10, burst_ms=1_000,
            near_reads=5, parked_s=120,
        )
    )  # fmt: skip
    assert [name for name in PortalRules.__struct_fields__ if getattr(changed, name) == getattr(fresh, name)] == []


def test_rules_belong_to_the_warehouse_and_name_gates_of_its_own(stand: Stand) -> None:
    gate, other = stand.make_gate(), stand.make_gate(party="elsewhere")
    before = stand.snapshot()
    path = f"/v1/gates/{gate['id']}/rules"
    assert stand.get(path, party="elsewhere").status == 404
    assert stand.get(f"{path}/versions", party="elsewhere").status == 404
    assert stand.send("PUT", path, {"rules": {}}, party="elsewhere").status == 404
    assert stand.send("PUT", path, {"rules": {}}, role="purchaser").status == 403
    for neighbour in (gate["id"], other["id"], "gate_x"):
        answer = stand.send("PUT", path, {"rules": {"neighbours": [neighbour]}})
        assert (answer.problem(), answer.body["gates"]) == ("no_such_neighbour", [neighbour])
    for wrong in (
        {"role": "door"},
        {"closing_ms": 1},
        {"antennas": [{"antenna": 1}]},
        {"colour": 1},
        {"meanings": [{}]},
    ):
        assert stand.send("PUT", path, {"rules": wrong}).status == 422
    assert stand.snapshot() == before


def test_a_passage_is_judged_by_the_rules_of_its_time(stand: Stand) -> None:
    stand.hear(describe_piece(1))
    gate = stand.make_gate()
    reads = [stand.read(tag(1)) for _ in range(3)]
    stand.frozen.advance(timedelta(seconds=1))
    put_rules(stand, gate, closing_ms=2_000, meanings=[{"biz_step": "inspecting", "disposition": "conformant"}])
    stand.post_reads(gate, reads).ok()
    assert close(stand, gate)["rules_version"] == 1
    stand.post_reads(gate, [stand.read(tag(1)) for _ in range(3)]).ok()
    assert close(stand, gate)["rules_version"] == 2
    assert [(one["bizStep"], one.get("disposition")) for one in events(stand)] == [
        ("entering_exiting", None),
        ("inspecting", "conformant"),
    ]


# Directions


def test_a_delivery_leaves_when_its_pieces_go_out_and_not_when_they_come_in(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(2), stand.make_gate()
    put_rules(stand, gate, **SIDES)
    delivery = stand.start(gate, *pieces).ok()
    go(stand, gate, tag(1), tag(2), way="in")
    came = close(stand, gate)
    assert stand.show(delivery)["state"] == "loading"
    assert {(one["direction"], one["by"]) for one in came["sightings"]} == {("in", "sides")}
    go(stand, gate, tag(1), tag(2), way="out")
    left = close(stand, gate)
    assert (stand.show(delivery)["state"], left["delivery_ids"]) == ("departed", [delivery["id"]])
    arriving, departing = events(stand)
    assert (arriving["bizStep"], arriving["disposition"]) == ("arriving", "in_progress")
    assert arriving["bizLocation"] == {"id": "urn:haihe:warehouse:warehouse"} and "bizTransactionList" not in arriving
    assert (departing["bizStep"], departing["disposition"]) == ("departing", "in_transit")
    assert "bizLocation" not in departing and departing["bizTransactionList"]
    assert stand.broken() == {}


def test_both_ways_at_once_are_two_events(stand: Stand) -> None:
    stand.hear_deal(2)
    gate = stand.make_gate()
    put_rules(stand, gate, **SIDES)
    go(stand, gate, tag(1), way="out")
    go(stand, gate, tag(2), way="in")
    passage = close(stand, gate)
    assert len(passage["epcis_event_ids"]) == 2
    assert sorted(one["bizStep"] for one in events(stand)) == ["arriving", "departing"]


def test_where_nobody_knows_the_way_a_person_is_asked(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(1), stand.make_gate()
    put_rules(stand, gate, **SIDES)
    delivery = stand.start(gate, *pieces).ok()
    stand.post_reads(gate, [stand.read(tag(1), antenna=7) for _ in range(4)]).ok()
    passage = close(stand, gate)
    assert [one["kind"] for one in passage["discrepancies"]] == ["unknown_direction"]
    assert (passage["verdict"], [one["code"] for one in passage["reasons"]]) == ("check", ["unknown_direction"])
    assert stand.show(delivery)["state"] == "loading"
    assert [one["bizStep"] for one in events(stand)] == ["entering_exiting"]


def test_what_is_inside_cannot_come_in_again(stand: Stand) -> None:
    stand.hear(describe_piece(1))
    gate = stand.make_gate()
    put_rules(stand, gate, **SIDES)
    for _ in range(2):
        go(stand, gate, tag(1), way="in")
        passage = close(stand, gate)
    assert passage["sightings"][0]["contradicts"]
    assert [one["kind"] for one in passage["discrepancies"]] == ["contradiction"]
    assert passage["verdict"] == "check"


def test_a_gate_that_only_receives_sends_nothing_off(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(1), stand.make_gate()
    put_rules(stand, gate, role="receiving")
    delivery = stand.start(gate, *pieces).ok()
    (passage,) = stand.pass_gate(gate, 1)
    assert stand.show(delivery)["state"] == "loading"
    assert (passage["sightings"][0]["direction"], passage["sightings"][0]["by"]) == ("in", "role")
    assert [one["bizStep"] for one in events(stand)] == ["arriving"]


# Verdicts


def test_a_truck_that_is_whole_is_released(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(2), stand.make_gate()
    delivery = stand.start(gate, *pieces).ok()
    (passage,) = stand.pass_gate(gate, 1, 2)
    assert (passage["verdict"], passage["reasons"], passage["plate"]) == ("release", [], "津A·12345")
    (judged,) = stand.judged()
    assert (judged.gate_id, judged.warehouse_id, judged.passage_id) == (gate["id"], "warehouse", passage["id"])
    assert (judged.verdict, judged.delivery_ids, judged.plate, judged.reasons) == (
        "release",
        [delivery["id"]],
        "津A·12345",
        [],
    )
    (seen,) = stand.passages(gate, party="buyer")
    assert (seen["verdict"], seen["plate"], seen["reasons"]) == (None, None, [])


def test_an_item_without_a_note_stops_the_truck(stand: Stand) -> None:
    stand.hear_deal(2)
    gate = stand.make_gate()
    stand.start(gate, "piece_1").ok()
    (passage,) = stand.pass_gate(gate, 1, 2)
    assert passage["verdict"] == "stop"
    assert [(one["code"], one["piece_id"]) for one in passage["reasons"]] == [("no_note", "piece_2")]


def test_an_item_of_another_truck_stops_it(stand: Stand) -> None:
    stand.hear_deal(4)
    gate = stand.make_gate()
    stand.start(gate, "piece_1", "piece_2").ok()
    stand.start(gate, "piece_3", "piece_4").ok()
    (passage,) = stand.pass_gate(gate, 1, 2, 3)
    assert (passage["verdict"], [one["code"] for one in passage["reasons"]]) == ("stop", ["wrong_truck"])


def test_an_expired_note_stops_it_and_an_unconfirmed_one_has_it_checked(stand: Stand) -> None:
    stand.hear_deal(2)
    gate = stand.make_gate()
    stand.issue("piece_1").ok()
    (passage,) = stand.pass_gate(gate, 1)
    assert (passage["verdict"], [one["code"] for one in passage["reasons"]]) == ("check", ["not_confirmed"])
    stand.advance(timedelta(days=19, hours=23))
    stand.advance(timedelta(days=2))
    passage = stand.pass_gate(gate, 1)[0]
    assert (passage["verdict"], [one["code"] for one in passage["reasons"]]) == ("stop", ["note_expired"])


def test_what_is_expected_and_not_read_has_it_checked(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(2), stand.make_gate()
    stand.start(gate, *pieces).ok()
    (passage,) = stand.pass_gate(gate, 1)
    assert (passage["verdict"], [one["code"] for one in passage["reasons"]]) == ("check", ["not_read"])


def test_a_tag_that_nobody_knows_has_it_checked(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(1), stand.make_gate()
    stand.start(gate, *pieces).ok()
    stand.post_reads(gate, [stand.read(epc) for epc in (tag(1), FOREIGN) for _ in range(3)]).ok()
    passage = close(stand, gate)
    assert (passage["verdict"], [one["code"] for one in passage["reasons"]]) == ("check", ["unknown_tag"])


def test_a_verdict_that_comes_too_late_is_kept_and_not_said(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(1), stand.make_gate()
    stand.start(gate, *pieces).ok()
    stand.post_reads(gate, [stand.read(tag(1)) for _ in range(3)]).ok()
    stand.advance(timedelta(minutes=5))
    assert (stand.passages(gate)[0]["verdict"], stand.judged()) == ("release", [])


def test_a_tag_of_another_company_is_kept_and_makes_no_event(stand: Stand) -> None:
    gate = stand.make_gate()
    put_rules(stand, gate, prefixes=["9999999"])
    (passage,) = stand.pass_gate(gate, 1)
    assert [(one["epc"], one["link"]) for one in passage["sightings"]] == [(tag(1), None)]
    assert (events(stand), passage["verdict"]) == ([], "check")


# Trying rules out


def try_out(stand: Stand, gate: dict[str, Any], *lines: Any, party: str = "warehouse", role: str = "warehouse") -> Any:
    """What rules make of a recorded file."""
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    return stand.send_raw(
        f"/v1/gates/{gate['id']}/rules/try", text.encode(), "application/x-ndjson", party=party, role=role
    )


def recorded(epc: str, second: float, antenna: int) -> dict[str, Any]:
    """A line of a file."""
    return {"epc": epc, "at": f"2026-03-01T10:00:{second:06.3f}Z", "antenna": antenna, "rssi_dbm": -50}


def test_rules_are_tried_out_on_a_recorded_file_and_nothing_is_written(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(2), stand.make_gate()
    delivery = stand.start(gate, *pieces).ok()
    before = stand.snapshot()
    lines = [recorded(tag(n), second, 2 if second < 2 else 1) for n in (1, 2) for second in (1, 1.2, 1.4, 3, 3.2, 3.4)]
    found = try_out(stand, gate, {"rules": {**SIDES, "meanings": [{"biz_step": "shipping"}]}}, *lines, "").ok()
    assert stand.snapshot() == before
    (old,), (new,) = found["before"]["passages"], found["after"]["passages"]
    assert (found["before"]["version"], found["after"]["version"]) == (1, None)
    assert (old["verdict"], old["delivery_ids"], old["biz_steps"]) == ("release", [delivery["id"]], ["departing"])
    assert (new["verdict"], new["delivery_ids"], new["biz_steps"]) == ("release", [delivery["id"]], ["shipping"])
    assert {(one["direction"], one["by"]) for one in new["tags"]} == {("out", "sides")}
    assert {(one["direction"], one["by"]) for one in old["tags"]} == {("unknown", "nothing")}
    assert (new["first_seen"], new["last_seen"]) == ("2026-03-01T10:00:01Z", "2026-03-01T10:00:03.400000Z")
    assert try_out(stand, gate, *lines).ok()["after"] is None


def test_what_a_gate_has_read_is_given_out_and_tried_out_as_it_was(stand: Stand) -> None:
    gate = stand.make_gate()
    put_rules(stand, gate, **SIDES)
    go(stand, gate, tag(1), tag(2))
    passage = close(stand, gate)
    path = f"/v1/gates/{gate['id']}/reads"
    assert stand.get(path, party="elsewhere").status == 404
    lines = stand.get(path, party="warehouse").ok().splitlines()
    assert len(lines) == passage["reads"] == 16
    ((tried,),) = (try_out(stand, gate, *lines).ok()["before"]["passages"],)
    told = ("epc", "reads", "direction", "by", "is_ghost")
    assert [[one[name] for name in told] for one in tried["tags"]] == [
        [one[name] for name in told] for one in passage["sightings"]
    ]
    assert stand.get(f"{path}?until=2026-03-01T00:00:00Z", party="warehouse").ok() is None


def test_a_file_that_is_none_is_refused_with_its_line(stand: Stand) -> None:
    gate = stand.make_gate()
    good = recorded(tag(1), 1, 1)
    for wrong in (
        "{",
        "[]",
        {**good, "epc": "xyz"},
        {**good, "at": "yesterday"},
        {"rules": {"role": "door"}},
        {"is_high": 1},
    ):
        answer = try_out(stand, gate, good, wrong)
        assert (answer.problem(), answer.body["field"]) == ("recording_invalid", "$[1]")
    assert try_out(stand, gate, good, party="elsewhere").status == 404
    assert try_out(stand, gate, good, role="purchaser").status == 403
