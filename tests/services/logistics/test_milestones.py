"""The timeline of a delivery: from whoever's EPCIS events, in whatever order they came, shown to its parties alone."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest

from chassis import clock
from events.logistics import DeliveryCancelled, EpcisEventCaptured, ShipmentMilestone
from services.logistics.discrepancies import commands
from services.logistics.discrepancies.kinds import Finding, Kind
from services.logistics.epcis import commands as epcis
from services.logistics.epcis.fields import Event
from services.logistics.epcis.read_json import read_event
from services.logistics.rfid.epc import decode_epc
from tests.services.logistics.conftest import BEGINNING, Stand, tag

CAPTURED, MILESTONES = EpcisEventCaptured.topic, ShipmentMilestone.topic
BOX = "urn:epc:id:bic:CSQU3054383"
HOUR = timedelta(hours=1)


def start(stand: Stand, count: int = 2, **said: Any) -> dict[str, Any]:
    """A truck is loaded with coils at a gate."""
    pieces = stand.hear_deal(count, **said)
    return stand.start(stand.make_gate(), *pieces).ok()


def depart(stand: Stand, delivery: dict[str, Any]) -> None:
    stand.send("POST", f"/v1/deliveries/{delivery['id']}/depart", {"reason": "the gate was off"}).ok()


def plan(stand: Stand, delivery: dict[str, Any], *, party: str = "mill", role: str = "seller", **said: Any):
    return stand.send("POST", f"/v1/deliveries/{delivery['id']}/plan", said, party=party, role=role)


def write(hours: float, kind: str = "ObjectEvent", **fields: Any) -> Event:
    at = (BEGINNING + hours * HOUR).isoformat().replace("+00:00", "Z")
    return read_event(
        {"type": kind, "eventTime": at, "eventTimeZoneOffset": "+00:00", "action": "OBSERVE", **fields}, {}, "$"
    )


def capture(stand: Stand, *events: Event, by: str, given_to: tuple[str, ...] = ()) -> list[str]:
    """Somebody captures events; their ids."""
    said = {"owner_id": by, "parties": [given_to] * len(events)}
    told = stand.database.run(lambda session: epcis.capture_events(session, list(events), **said))
    return [one.event_id for one in told]


def coil(number: int) -> str:
    return decode_epc(tag(number)).link


def timeline(stand: Stand, delivery: dict[str, Any], *, party: str = "buyer") -> dict[str, Any]:
    return stand.get(f"/v1/deliveries/{delivery['id']}/milestones", party=party).ok()


def brief(shown: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(one["code"], one["classifier"], one["at"]) for one in shown["milestones"]]


def at(hours: float) -> str:
    return (BEGINNING + hours * HOUR).isoformat().replace("+00:00", "Z")


def hear_captured(stand: Stand) -> list[ShipmentMilestone]:
    """The captures are heard; the milestones that they make."""
    stand.hear(*stand.told(CAPTURED))
    return stand.told(MILESTONES)


def test_the_parties_see_what_happened_and_nobody_else_does(stand: Stand) -> None:
    delivery = start(stand, weigher_id="weigher")
    stand.advance(HOUR)
    depart(stand, delivery)
    shown = timeline(stand, delivery)
    assert brief(shown) == [("loaded", "actual", at(0)), ("gate_out", "actual", at(1))]
    left = shown["milestones"][1]
    assert (left["piece_ids"], left["told_by"], left["place"]) == (
        ["piece_1", "piece_2"], ["warehouse"], f"urn:haihe:gate:{delivery['gate_id']}",
    )  # fmt: skip
    assert (shown["state"], shown["eta"], left["dcsa_code"]) == ("departed", None, None)
    for party in ("mill", "warehouse", "weigher"):
        assert timeline(stand, delivery, party=party) == shown
    assert stand.get(f"/v1/deliveries/{delivery['id']}/milestones", party="stranger").status == 404
    before = stand.snapshot()
    assert plan(stand, delivery, party="stranger").status == 404
    assert plan(stand, delivery, party="weigher").problem() == "not_your_truck"
    assert plan(stand, delivery, role="finance").problem() == "missing_role"
    assert stand.snapshot() == before


def container_journey(delivery: dict[str, Any]) -> list[tuple[str, Event]]:
    """Who captures what: the warehouse, a carrier that the buyer was given events of, and the buyer."""
    paper = {"bizTransactionList": [{"type": "desadv", "bizTransaction": f"urn:haihe:delivery:{delivery['id']}"}]}
    packed = write(1, "AggregationEvent", parentID=BOX, childEPCs=[coil(1), coil(2)], bizStep="packing")
    packed.fields["action"] = "ADD"
    seal = write(
        2, "AssociationEvent", parentID=BOX, childEPCs=["https://id.gs1.org/8004/4012345SEAL1"], bizStep="installing"
    )
    seal.fields["action"] = "ADD"
    return [
        ("warehouse", packed),
        ("warehouse", seal),
        (
            "warehouse",
            write(3, epcList=[BOX], bizStep="departing", disposition="in_transit", readPoint={"id": "urn:p:yard"}),
        ),
        ("carrier", write(5, epcList=[BOX], bizStep="arriving", readPoint={"id": "urn:p:port"}, **paper)),
        ("carrier", write(8, epcList=[BOX], bizStep="loading", readPoint={"id": "urn:p:ship"}, **paper)),
        ("buyer", write(30, epcList=[coil(1), coil(2)], bizStep="receiving", readPoint={"id": "urn:p:mill"})),
    ]


ACTUAL = [
    ("loaded", None, 0), ("packed", "STUF", 1), ("sealed", "RSEA", 2), ("gate_out", "GTOT", 3), ("gate_in", "GTIN", 5),
    ("loaded", "LOAD", 8), ("received", None, 30),
]  # fmt: skip


@pytest.mark.parametrize("order", list(itertools.permutations(range(6)))[::97])
def test_a_container_is_followed_whoever_tells_of_it_and_in_whatever_order(
    stand: Stand, order: tuple[int, ...]
) -> None:
    delivery = start(stand)
    journey = container_journey(delivery)
    for place in order:
        by, event = journey[place]
        capture(stand, event, by=by, given_to=("buyer",) if by == "carrier" else ())
        hear_captured(stand)
    stand.frozen.advance(timedelta(hours=31))
    shown = timeline(stand, delivery, party="mill")
    expected = [one for one in ACTUAL if one != ("loaded", None, 0)]
    found = [
        (one["code"], one["dcsa_code"], one["at"])
        for one in shown["milestones"]
        if one["container"] or one["code"] == "received"
    ]
    assert found == [(code, dcsa, at(hours)) for code, dcsa, hours in expected]
    assert shown["milestones"][-1]["told_by"] == ["buyer"] and shown["eta"] is None
    told = stand.rows(
        "SELECT code, classifier, container, place FROM milestone_told WHERE NOT is_withdrawn ORDER BY 1, 4"
    )
    assert len(told) == len(shown["milestones"])


def test_strangers_events_do_not_count_and_those_given_under_the_papers_move_no_estimate(stand: Stand) -> None:
    delivery = start(stand)
    plan(stand, delivery, departs_at=at(4), arrives_at=at(10)).ok()
    capture(stand, write(1, epcList=[coil(1)], bizStep="departing"), by="stranger", given_to=("buyer",))
    paper = {"bizTransactionList": [{"type": "desadv", "bizTransaction": f"urn:haihe:delivery:{delivery['id']}"}]}
    capture(stand, write(2, epcList=[coil(1)], bizStep="departing", **paper), by="stranger")
    assert [one for one in brief(timeline(stand, delivery)) if one[:2] == ("gate_out", "actual")] == []
    capture(stand, write(2, epcList=[coil(2)], bizStep="departing", **paper), by="carrier", given_to=("buyer",))
    shown = timeline(stand, delivery)
    (left,) = [one for one in shown["milestones"] if (one["code"], one["classifier"]) == ("gate_out", "actual")]
    assert (left["told_by"], left["at"]) == (["carrier"], at(2))
    assert shown["eta"] == {"at": at(10), "basis": "plan", "samples": 0, "typical_s": None, "is_overdue": False}


def test_a_plan_moves_with_the_departure_and_is_told_anew(stand: Stand) -> None:
    delivery = start(stand)
    stand.told()
    planned = plan(stand, delivery, departs_at=at(1), arrives_at=at(9)).ok()
    assert brief(planned) == [
        ("loaded", "actual", at(0)),
        ("gate_out", "planned", at(1)),
        ("received", "planned", at(9)),
        ("received", "estimated", at(9)),
    ]
    told = stand.told(MILESTONES)
    assert [(one.code, one.classifier, one.version) for one in told] == [
        ("loaded", "actual", 1), ("gate_out", "planned", 2), ("received", "planned", 3), ("received", "estimated", 4),
    ]  # fmt: skip
    assert {one.subject for one in told} == {delivery["id"]} and told[0].party_ids == ["buyer", "mill", "warehouse"]
    plan(stand, delivery, departs_at=at(1), arrives_at=at(9)).ok()
    assert stand.told(MILESTONES) == []
    stand.advance(3 * HOUR)
    depart(stand, delivery)
    told = hear_captured(stand)
    assert sorted((one.code, one.classifier, one.at) for one in told) == [
        ("gate_out", "actual", BEGINNING + 3 * HOUR),
        ("received", "estimated", BEGINNING + 11 * HOUR),
    ]
    shown = timeline(stand, delivery)
    assert (shown["eta"]["at"], shown["eta"]["basis"], shown["eta"]["is_overdue"]) == (at(11), "plan_moved", False)
    stand.frozen.advance(9 * HOUR)
    assert timeline(stand, delivery)["eta"]["is_overdue"]
    before = stand.snapshot()
    assert plan(stand, delivery, departs_at=at(9), arrives_at=at(9)).problem() == "arrives_before_it_leaves"
    assert plan(stand, delivery, containers=["CSQU3054384"]).problem() == "not_a_container"
    assert plan(stand, delivery, containers=["CSQU 305438 3 <b>"]).status == 422
    assert stand.snapshot() == before


def test_what_was_planned_of_a_delivery_that_is_called_off_is_withdrawn(stand: Stand) -> None:
    delivery = start(stand, weigher_id="weigher")
    plan(stand, delivery, departs_at=at(1), arrives_at=at(9)).ok()
    assert stand.told(MILESTONES)[0].party_ids == ["buyer", "mill", "warehouse", "weigher"]
    stand.told()
    stand.send("POST", f"/v1/deliveries/{delivery['id']}/cancel", {"reason": "the truck broke down"}).ok()
    stand.hear(*(one for one in stand.told() if isinstance(one, DeliveryCancelled)))
    told = stand.told(MILESTONES)
    assert {(one.code, one.classifier) for one in told if one.is_withdrawn} == {
        ("gate_out", "planned"),
        ("received", "planned"),
        ("received", "estimated"),
    }
    assert len(told) == 3 and brief(timeline(stand, delivery)) == [("loaded", "actual", at(0))]
    capture(stand, write(2, epcList=[coil(1)], bizStep="picking"), by="warehouse")
    assert hear_captured(stand) == []


def test_what_was_heard_twice_is_told_once_and_what_was_taken_back_is_withdrawn(stand: Stand) -> None:
    delivery = start(stand)
    (event_id,) = capture(
        stand, write(-1, epcList=[coil(1)], bizStep="picking", readPoint={"id": "urn:p:1"}), by="warehouse"
    )
    captured = stand.told(CAPTURED)
    stand.hear(*captured)
    told = stand.told(MILESTONES)
    assert [(one.code, one.event_ids, one.piece_ids) for one in told if one.code == "picked"] == [
        ("picked", [event_id], ["piece_1"])
    ]
    stand.hear(*captured)
    assert stand.told(MILESTONES) == []
    declare = {"owner_id": "warehouse", "reason": "did_not_occur", "at": clock.now()}
    stand.database.run(lambda session: epcis.capture_error_declaration(session, event_id, **declare))
    (taken_back,) = hear_captured(stand)
    assert (taken_back.code, taken_back.is_withdrawn, taken_back.version) == ("picked", True, told[-1].version + 1)
    assert [one["code"] for one in timeline(stand, delivery)["milestones"]] == ["loaded"]


def test_a_container_of_the_plan_is_found_by_its_number(stand: Stand) -> None:
    delivery = start(stand)
    plan(stand, delivery, containers=["csqu 305438-3"]).ok()
    stand.told()
    capture(
        stand,
        write(2, epcList=[BOX], bizStep="arriving", readPoint={"id": "urn:p:port"}),
        by="carrier",
        given_to=("mill",),
    )
    (told,) = [one for one in hear_captured(stand) if one.container]
    assert (told.code, told.dcsa_code, told.container, told.place) == ("gate_in", "GTIN", "CSQU3054383", "urn:p:port")


def test_a_discrepancy_of_the_delivery_is_a_milestone_of_it(stand: Stand) -> None:
    delivery = start(stand)
    odd = [Finding(Kind.NOT_READ, "piece_2", delivery["id"]), Finding(Kind.WRONG_TRUCK, "piece_9", delivery["id"])]
    said = {"passage_id": None, "warehouse_id": "warehouse", "at": clock.now()}
    stand.database.run(lambda session: commands.put_down(session, odd, **said))
    found = [one for one in timeline(stand, delivery)["milestones"] if one["code"] == "discrepancy"]
    assert [(one["detail"], one["piece_ids"]) for one in found] == [("not_read", ["piece_2"]), ("wrong_truck", [])]
    assert [one["discrepancy_id"] for one in found] == [one["id"] for one in reversed(stand.discrepancies())]


def test_an_arrival_is_estimated_from_earlier_trips_between_the_same_companies(stand: Stand) -> None:
    gate = stand.make_gate()
    numbers = itertools.count(1)

    def trip(hours: float | None, **said: Any) -> dict[str, Any]:
        number = next(numbers)
        deal_id = f"deal_{number}"
        stand.hear_deal(1, deal_id=deal_id, first=number, **said)
        delivery = stand.start(gate, f"piece_{number}", deal_id=deal_id).ok()
        stand.weigh(delivery, "loading", 8_000).ok()
        depart(stand, delivery)
        if hours is not None:
            stand.frozen.advance(hours * HOUR)
            stand.weigh(delivery, "receiving", 8_000, party=said.get("buyer_id", "buyer")).ok()
        return delivery

    for hours in (4, 9, 5):
        trip(hours)
    trip(1, buyer_id="other")
    left_at = clock.now()
    delivery = trip(None)
    eta = timeline(stand, delivery)["eta"]
    assert (eta["basis"], eta["samples"], eta["typical_s"]) == ("lane", 3, 5 * 3600)
    assert datetime.fromisoformat(eta["at"]) == left_at + 5 * HOUR
    assert timeline(stand, trip(None, buyer_id="other"), party="other")["eta"] is None
