"""Discrepancies as tasks: given to somebody, closed with what it was, and recorded as the EPCIS event or correction of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chassis import clock
from events.identity import UserDescribed
from services.logistics.discrepancies import commands
from services.logistics.discrepancies.kinds import RESULTS, Finding, Kind
from services.logistics.epcis import commands as epcis
from services.logistics.epcis.commands import Thing
from services.logistics.rfid.epc import decode_epc
from tests.services.logistics.conftest import BEGINNING, Stand, tag


def user(
    user_id: str = "user_li", party_id: str = "warehouse", state: str = "active", version: int = 1
) -> UserDescribed:
    return UserDescribed(
        user_id=user_id, version=version, party_id=party_id, name="Li", roles=["warehouse"], state=state
    )


def put_down(stand: Stand, *findings: Finding, warehouse_id: str = "warehouse", **said: Any) -> list[dict[str, Any]]:
    """Tasks as a gate puts them down; the warehouse's tasks, newest first."""
    given = {"passage_id": None, "at": clock.now(), **said}
    stand.database.run(lambda session: commands.put_down(session, findings, warehouse_id=warehouse_id, **given))
    return stand.discrepancies()


def assign(stand: Stand, task: dict[str, Any], body: Any, *, party: str = "warehouse", role: str = "warehouse"):
    return stand.send("POST", f"/v1/discrepancies/{task['id']}/assign", body, party=party, role=role)


def close(stand: Stand, task: dict[str, Any], result: str, *, party: str = "warehouse", **said: Any):
    body = {"result": result, "reason": "somebody has looked", **said}
    return stand.send("POST", f"/v1/discrepancies/{task['id']}/close", body, party=party)


def trail(stand: Stand, piece_id: str) -> list[dict[str, Any]]:
    """The events of a piece as its owner sees them, newest first."""
    return stand.get(f"/v1/trails/{piece_id}", party="mill").ok()["events"]


def test_a_task_is_anybodys_of_the_warehouse_until_it_is_given_to_somebody(stand: Stand) -> None:
    stand.hear(user(), user("user_hu", "mill"), user("user_gone", state="deactivated"))
    (task,) = put_down(stand, Finding(Kind.EMPTY_SESSION), gate_id="gate_x")
    assert (task["owner_id"], task["owner_role"], task["assigned_by"]) == (None, "warehouse", None)
    given = assign(stand, task, {"user_id": "user_li"}).ok()
    assert (given["owner_id"], given["owner_role"], given["state"]) == ("user_li", "warehouse", "open")
    assert (given["assigned_by"], given["assigned_at"]) == (
        "user_warehouse_warehouse",
        BEGINNING.isoformat().replace("+00:00", "Z"),
    )
    assert [one["id"] for one in stand.get("/v1/discrepancies?owner_id=user_li", party="warehouse").ok()["items"]] == [
        task["id"]
    ]
    before = stand.snapshot()
    assert assign(stand, task, {"user_id": "user_hu"}).problem() == "not_your_staff"
    assert assign(stand, task, {"user_id": "user_gone"}).problem() == "not_your_staff"
    assert assign(stand, task, {"user_id": "user_never_heard"}).status == 503
    assert assign(stand, task, {"role": "operator"}).status == 422
    assert assign(stand, task, {"user_id": "user_li"}, party="stranger").status == 404
    assert assign(stand, task, {"user_id": "user_li"}, role="finance").problem() == "missing_role"
    assert stand.snapshot() == before
    given = assign(stand, task, {"role": "finance"}).ok()
    assert (given["owner_id"], given["owner_role"]) == (None, "finance")
    close(stand, task, "nothing_carried").ok()
    assert assign(stand, task, {"role": "finance"}).problem() == "illegal_move"


@pytest.mark.parametrize("kind", list(Kind))
def test_a_task_ends_with_a_result_of_its_kind_and_no_other(stand: Stand, kind: Kind) -> None:
    stand.hear_deal(1)
    (task,) = put_down(stand, Finding(kind, "piece_1"))
    assert task["results"] == sorted(RESULTS[kind])
    before = stand.snapshot()
    strange = next(result for effects in RESULTS.values() for result in effects if result not in RESULTS[kind])
    refused = close(stand, task, strange)
    assert (refused.status, refused.problem(), refused.body["allowed"]) == (422, "wrong_result", task["results"])
    assert close(stand, task, "whatever").status == 422
    assert stand.snapshot() == before
    closed = close(stand, task, task["results"][0]).ok()
    assert (closed["state"], closed["result"], closed["reason"]) == (
        "closed",
        task["results"][0],
        "somebody has looked",
    )


def test_what_was_loaded_though_not_read_left_with_its_truck_and_is_marked_as_manual(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(2), stand.make_gate()
    delivery = stand.start(gate, *pieces).ok()
    (task,) = put_down(stand, Finding(Kind.NOT_READ, "piece_2", delivery["id"]), gate_id=gate["id"])
    closed = close(stand, task, "was_loaded").ok()
    (event,) = trail(stand, "piece_2")
    assert event["eventID"] == closed["closing_event_ids"][0]
    assert (event["bizStep"], event["disposition"], event["eventTime"]) == (
        "departing",
        "in_transit",
        task["at"].replace("Z", ".000Z"),
    )
    assert (event["haihe:entry"], event["haihe:method"], event["haihe:reason"]) == (
        "manual",
        "word",
        "somebody has looked",
    )
    assert event["bizTransactionList"][0]["bizTransaction"] == f"urn:haihe:delivery:{delivery['id']}"
    assert event["readPoint"] == {"id": f"urn:haihe:gate:{gate['id']}"} and "bizLocation" not in event
    seen_by = stand.rows(
        "SELECT DISTINCT p.party_id FROM epcis_party p JOIN epcis_event e ON e.id = p.event ORDER BY 1"
    )
    assert {"buyer", "mill"} <= {party for (party,) in seen_by}


def test_what_was_left_behind_is_in_the_warehouse(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(2), stand.make_gate()
    delivery = stand.start(gate, *pieces).ok()
    (task,) = put_down(stand, Finding(Kind.NOT_READ, "piece_2", delivery["id"]), gate_id=gate["id"])
    close(stand, task, "not_loaded").ok()
    (event,) = trail(stand, "piece_2")
    assert (event["bizStep"], event["bizLocation"]) == ("inspecting", {"id": "urn:haihe:warehouse:warehouse"})
    assert "disposition" not in event and "bizTransactionList" not in event


@pytest.mark.parametrize(("result", "disposition"), [("lost", "unknown"), ("stolen", "stolen")])
def test_what_is_gone_is_nowhere(stand: Stand, result: str, disposition: str) -> None:
    stand.hear_deal(1)
    (task,) = put_down(stand, Finding(Kind.MISSING, "piece_1"))
    close(stand, task, result).ok()
    (event,) = trail(stand, "piece_1")
    assert event["disposition"] == disposition and "bizLocation" not in event


def test_an_empty_session_is_told_which_pieces_it_was(stand: Stand) -> None:
    stand.hear_deal(2)
    (task,) = put_down(stand, Finding(Kind.EMPTY_SESSION), gate_id="gate_x")
    before = stand.snapshot()
    assert close(stand, task, "was_loaded").problem() == "no_pieces_named"
    assert close(stand, task, "was_loaded", piece_ids=["piece_9"]).status == 404
    assert stand.snapshot() == before
    close(stand, task, "was_loaded", piece_ids=["piece_1", "piece_2"]).ok()
    assert [trail(stand, piece)[0]["bizStep"] for piece in ("piece_1", "piece_2")] == ["departing"] * 2


def test_a_warehouse_cannot_say_anything_of_a_piece_that_it_does_not_keep(stand: Stand) -> None:
    stand.hear_deal(1)
    (task,) = put_down(stand, Finding(Kind.EMPTY_SESSION), warehouse_id="elsewhere")[:1] or stand.discrepancies(
        party="elsewhere"
    )
    before = stand.snapshot()
    assert close(stand, task, "was_loaded", party="elsewhere", piece_ids=["piece_1"]).status == 404
    assert close(stand, task, "was_loaded", party="mill", piece_ids=["piece_1"]).status == 404
    assert stand.snapshot() == before


def test_what_goes_on_is_one_task_while_it_is_open(stand: Stand) -> None:
    parked = Finding(Kind.PARKED_TAG, epc=tag(1))
    put_down(stand, parked, gate_id="gate_x")
    assert len(put_down(stand, parked, gate_id="gate_x")) == 1
    assert len(put_down(stand, parked, gate_id="gate_y")) == 2
    assert len(put_down(stand, Finding(Kind.UNKNOWN_DIRECTION), Finding(Kind.UNKNOWN_DIRECTION), gate_id="gate_x")) == 4
    (first,) = [one for one in stand.discrepancies() if one["gate_id"] == "gate_x" and one["kind"] == "parked_tag"]
    close(stand, first, "belongs_here").ok()
    assert len(put_down(stand, parked, gate_id="gate_x")) == 5


def test_what_late_reads_took_back_is_withdrawn_and_what_somebody_closed_stays(stand: Stand) -> None:
    said = {"passage_id": "passage_1", "gate_id": "gate_x"}
    put_down(stand, Finding(Kind.UNKNOWN_DIRECTION), Finding(Kind.EMPTY_SESSION), **said)
    unknown, empty = sorted(stand.discrepancies(), key=lambda one: one["kind"], reverse=True)
    close(stand, empty, "nothing_carried").ok()
    stand.database.run(lambda session: commands.withdraw(session, ["passage_1"], clock.now()))
    states = {one["kind"]: one["state"] for one in stand.discrepancies()}
    assert states == {"unknown_direction": "withdrawn", "empty_session": "closed"}
    assert close(stand, unknown, "went_in").problem() == "illegal_move"


def test_what_was_missing_and_is_seen_again_is_found(stand: Stand) -> None:
    stand.hear_deal(2)
    put_down(stand, Finding(Kind.MISSING, "piece_1"), Finding(Kind.MISSING, "piece_2"), stock_take_id="take_1")
    stand.database.run(
        lambda session: commands.close_found(session, warehouse_id="warehouse", piece_ids=["piece_1"], at=clock.now())
    )
    states = {one["piece_id"]: (one["state"], one["result"], one["closed_by"]) for one in stand.discrepancies()}
    assert states == {"piece_1": ("closed", "found", "system:logistics"), "piece_2": ("open", None, None)}


def observe(stand: Stand, *numbers: int) -> str:
    """What a gate has captured of coils that passed it, nobody knows which way; the eventID."""
    links = {number: decode_epc(tag(number)).link for number in numbers}
    things = [Thing(link, f"piece_{number}", None, None) for number, link in links.items()]
    said = {"gate_id": "gate_x", "warehouse_id": "warehouse", "at": clock.now(), "biz_step": "entering_exiting"}
    return stand.database.run(
        lambda session: epcis.capture_observation(session, disposition=None, things=things, **said)
    )


def standing(stand: Stand) -> list[tuple[str, list[str]]]:
    """What is recorded and not taken back: business step and EPCs."""
    taken_back = "SELECT 1 FROM epcis_event d WHERE d.is_error AND d.event_id = e.event_id"
    rows = stand.rows(
        "SELECT e.biz_step, e.fields -> 'epcList' FROM epcis_event e "
        f"WHERE NOT e.is_error AND NOT EXISTS ({taken_back}) ORDER BY e.biz_step"
    )
    return [(step, [epc.rpartition("/")[2] for epc in epcs]) for step, epcs in rows]


def test_a_misread_coil_is_taken_out_of_what_was_captured(stand: Stand) -> None:
    stand.hear_deal(2)
    event_id = observe(stand, 1, 2)
    (task,) = put_down(stand, Finding(Kind.NO_DELIVERY, "piece_2"), gate_id="gate_x", epcis_event_id=event_id)
    closed = close(stand, task, "misread").ok()
    assert standing(stand) == [("entering_exiting", [str(1)])]
    ((reason, corrective),) = stand.rows("SELECT error_reason, corrective_event_ids FROM epcis_event WHERE is_error")
    assert (reason, corrective) == ("incorrect_data", closed["closing_event_ids"])
    assert closed["closing_event_ids"][0] in [event["eventID"] for event in trail(stand, "piece_1")]


def test_what_was_misread_altogether_did_not_occur(stand: Stand) -> None:
    stand.hear_deal(1)
    event_id = observe(stand, 1)
    (task,) = put_down(stand, Finding(Kind.NO_DELIVERY, "piece_1"), gate_id="gate_x", epcis_event_id=event_id)
    assert close(stand, task, "misread").ok()["closing_event_ids"] == [event_id]
    assert standing(stand) == []
    assert stand.rows("SELECT error_reason, corrective_event_ids FROM epcis_event WHERE is_error") == [
        ("did_not_occur", None)
    ]


@pytest.mark.parametrize(
    ("result", "step", "place"),
    [("went_in", "arriving", "urn:haihe:warehouse:warehouse"), ("went_out", "departing", None)],
)
def test_what_passed_nobody_knew_which_way_is_told_the_way(
    stand: Stand, result: str, step: str, place: str | None
) -> None:
    stand.hear_deal(2)
    event_id = observe(stand, 1, 2)
    (task,) = put_down(stand, Finding(Kind.UNKNOWN_DIRECTION), gate_id="gate_x", epcis_event_id=event_id)
    (right,) = close(stand, task, result).ok()["closing_event_ids"]
    assert standing(stand) == [(step, ["1", "2"])]
    (event,) = [one for one in trail(stand, "piece_1") if one["eventID"] == right]
    assert event.get("bizLocation", {}).get("id") == place and event["haihe:entry"] == "manual"


def test_one_coil_went_the_other_way(stand: Stand) -> None:
    stand.hear_deal(2)
    event_id = observe(stand, 1, 2)
    odd = Finding(Kind.CONTRADICTION, epc=decode_epc(tag(2)).link)
    (task,) = put_down(stand, odd, gate_id="gate_x", epcis_event_id=event_id)
    close(stand, task, "went_in").ok()
    assert standing(stand) == [("arriving", ["2"]), ("entering_exiting", ["1"])]


def test_what_was_captured_is_corrected_once(stand: Stand) -> None:
    stand.hear_deal(1)
    event_id = observe(stand, 1)
    first, second = put_down(
        stand, Finding(Kind.UNKNOWN_DIRECTION), Finding(Kind.NO_DELIVERY, "piece_1"), epcis_event_id=event_id
    )
    assert close(stand, first, "misread").ok()["closing_event_ids"] == [event_id]
    result = "went_out" if second["kind"] == "unknown_direction" else "misread"
    assert close(stand, second, result).ok()["closing_event_ids"] == []
    assert stand.rows("SELECT count(*) FROM epcis_event") == [(2,)]


def test_what_came_on_another_pallet_is_packed_there(stand: Stand) -> None:
    stand.hear_deal(1)
    here, there = (f"https://id.gs1.org/00/36901234560000001{n}" for n in (1, 8))
    odd = Finding(Kind.PALLET_MISMATCH, epc=decode_epc(tag(1)).link, parent=here, other_parent=there)
    (task,) = put_down(stand, odd, gate_id="gate_x")
    assert len(close(stand, task, "repacked").ok()["closing_event_ids"]) == 2
    rows = stand.rows("SELECT action, biz_step, fields ->> 'parentID' FROM epcis_event ORDER BY action")
    assert rows == [("ADD", "packing", here), ("DELETE", "unpacking", there)]


def test_what_stayed_at_a_packing_station_with_one_pallet_is_packed_once_a_person_says_so(stand: Stand) -> None:
    stand.hear_deal(2)
    gate = stand.make_gate()
    stand.send("PUT", f"/v1/gates/{gate['id']}/rules", {"rules": {"role": "packing", "closing_ms": 5_000}}).ok()
    pallet = "3114B3F2E4B2A04000000000"
    for epcs in ([tag(1), tag(2), pallet], [tag(1)], [tag(1), tag(2), pallet], [tag(1), tag(2)]):
        stand.post_reads(gate, [stand.read(epc) for epc in epcs for _ in range(3)]).ok()
        stand.advance(timedelta(seconds=4))
    stand.advance(timedelta(seconds=9))
    assert stand.discrepancies() == []
    for _ in range(4):
        stand.post_reads(gate, [stand.read(epc) for epc in (tag(1), tag(2), pallet) for _ in range(3)]).ok()
        stand.advance(timedelta(seconds=4))
    stand.advance(timedelta(seconds=9))
    (task,) = stand.discrepancies()
    carrier = decode_epc(pallet).link
    assert (task["kind"], task["parent"], task["results"]) == (
        "packed_together",
        carrier,
        ["as_seen", "misread", "packed"],
    )
    assert stand.rows("SELECT count(*) FROM epcis_event WHERE type = 'AggregationEvent'") == [(0,)]
    assert len(close(stand, task, "packed").ok()["closing_event_ids"]) == 1
    rows = stand.rows("SELECT fields ->> 'parentID', fields -> 'childEPCs' FROM epcis_event WHERE action = 'ADD'")
    assert rows == [(carrier, [decode_epc(tag(number)).link for number in (1, 2)])]
    assert [event["type"] for event in trail(stand, "piece_2")][0] == "AggregationEvent"
