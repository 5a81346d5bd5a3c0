"""Timelines folded from events: order plays no part; parents go along; codes and estimates follow their tables."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.logistics.epcis.fields import Event
from services.logistics.milestones.codes import Code, code_of, dcsa_code
from services.logistics.milestones.containers import NotAContainer, container_of, name_container, read_container
from services.logistics.milestones.eta import Basis, Eta, Plan, estimate
from services.logistics.milestones.fold import Scope, Told, fold

T = datetime(2026, 3, 2, 8, tzinfo=UTC)
H = timedelta(hours=1)
PALLET, BOX = "https://id.gs1.org/00/369012345600000018", name_container("CSQU3054383")
SEAL = "https://id.gs1.org/8004/4012345SEAL1"
PIECES = {"urn:x:a": "piece_a", "urn:x:b": "piece_b"}
SCOPE = Scope("delivery_1", PIECES)
PAPER = {"bizTransactionList": [{"type": "desadv", "bizTransaction": "urn:haihe:delivery:delivery_1"}]}


def told(hours: float, kind: str = "ObjectEvent", *, by: str = "warehouse", **fields: Any) -> Told:
    event_id = f"{hours}/{fields.get('bizStep')}/{by}"
    return Told(T + hours * H, event_id, by, Event(kind, {"eventID": event_id, "action": "OBSERVE", **fields}))


def seen(hours: float, step: str, *epcs: str, place: str = "urn:p:1", by: str = "warehouse", **fields: Any) -> Told:
    return told(hours, by=by, epcList=list(epcs), bizStep=step, readPoint={"id": place}, **fields)


def pack(hours: float, parent: str, *children: str, action: str = "ADD", **fields: Any) -> Told:
    step = "packing" if action == "ADD" else "unpacking"
    return told(
        hours, "AggregationEvent", parentID=parent, childEPCs=list(children), action=action, bizStep=step, **fields
    )


def codes(events: list[Told], scope: Scope = SCOPE) -> list[tuple[str, float, tuple[str, ...]]]:
    return [(one.code.value, (one.at - T) / H, one.piece_ids) for one in fold(events, scope)]


JOURNEY = [
    seen(0, "picking", "urn:x:a", "urn:x:b"),
    pack(1, PALLET, "urn:x:a", "urn:x:b"),
    pack(2, BOX, PALLET),
    told(3, "AssociationEvent", parentID=BOX, childEPCs=[SEAL], action="ADD", bizStep="installing"),
    seen(4, "departing", BOX),
    seen(5, "arriving", BOX, place="urn:p:port", by="terminal"),
    seen(6, "loading", BOX, place="urn:p:ship"),
    seen(20, "unloading", BOX, place="urn:p:port2"),
    pack(22, BOX, action="DELETE"),
    seen(24, "receiving", "urn:x:a", place="urn:p:2"),
    seen(25, "receiving", "urn:x:b", place="urn:p:2"),
    seen(30, "departing", BOX, place="urn:p:2"),
]  # fmt: skip
BOTH = ("piece_a", "piece_b")


def test_a_journey_is_followed_through_pallet_container_and_seal() -> None:
    assert codes(JOURNEY) == [
        ("picked", 0, BOTH), ("packed", 1, BOTH), ("packed", 2, BOTH), ("sealed", 3, BOTH), ("gate_out", 4, BOTH),
        ("gate_in", 5, BOTH), ("loaded", 6, BOTH), ("unloaded", 20, BOTH), ("unpacked", 22, BOTH), ("received", 24, BOTH),
    ]  # fmt: skip
    dcsa = [one.dcsa_code for one in fold(JOURNEY, SCOPE) if one.container == "CSQU3054383"]
    assert dcsa == ["STUF", "RSEA", "GTOT", "GTIN", "LOAD", "DISC", "STRP"]
    received = fold(JOURNEY, SCOPE)[-1]
    assert (received.at, received.until, len(received.event_ids)) == (T + 24 * H, T + 25 * H, 2)


@pytest.mark.parametrize("seed", range(20))
def test_neither_the_order_in_which_events_came_nor_their_repetition_matters(seed: int) -> None:
    events = JOURNEY.copy()
    random.Random(seed).shuffle(events)
    assert fold(events, SCOPE) == fold(JOURNEY, SCOPE)


def test_an_empty_container_that_goes_on_is_not_the_delivery_any_more() -> None:
    assert [at for code, at, _ in codes(JOURNEY) if code == "gate_out"] == [4]


def test_an_event_under_the_papers_of_another_delivery_is_not_of_this_one() -> None:
    other = {"bizTransactionList": [{"type": "desadv", "bizTransaction": "urn:haihe:delivery:delivery_0"}]}
    assert codes([seen(1, "departing", "urn:x:a", **other)]) == []
    assert codes([seen(1, "departing", "urn:y:other", **PAPER)]) == [("gate_out", 1, ())]


def test_the_next_trip_of_a_received_piece_is_not_of_this_delivery() -> None:
    scope = Scope("delivery_1", PIECES, received_at=T + 24 * H)
    assert codes([seen(20, "departing", "urn:x:a"), seen(60, "arriving", "urn:x:a")], scope) == [
        ("gate_out", 20, ("piece_a",))
    ]
    assert codes([seen(60, "receiving", "urn:x:a", **PAPER)], scope) == [("received", 60, ("piece_a",))]
    received = [seen(1, "receiving", "urn:x:a"), seen(24, "receiving", "urn:x:b")]
    assert codes([*received, seen(47, "inspecting", "urn:x:a"), seen(49, "departing", "urn:x:b")]) == [
        ("received", 1, BOTH),
        ("inspected", 47, ("piece_a",)),
    ]


def test_the_trip_that_brought_the_goods_is_not_of_this_delivery() -> None:
    earlier = [
        seen(step, name, "urn:x:a") for step, name in enumerate(("departing", "arriving", "unloading", "receiving"))
    ]
    later = [seen(10, "picking", "urn:x:a"), seen(26, "departing", "urn:x:a")]
    scope = Scope("delivery_1", PIECES, started_at=T + 25 * H)
    assert codes([*earlier, *later], scope) == [("picked", 10, ("piece_a",)), ("gate_out", 26, ("piece_a",))]
    assert codes([seen(24, "departing", "urn:x:a", **PAPER)], scope) == [("gate_out", 24, ("piece_a",))]


def test_a_container_of_the_plan_is_followed_without_anything_known_to_be_in_it() -> None:
    scope = Scope("delivery_1", PIECES, containers=[BOX])
    (one,) = fold([seen(4, "arriving", BOX, "urn:y:other")], scope)
    assert (one.code, one.container, one.dcsa_code, one.piece_ids) == (Code.GATE_IN, "CSQU3054383", "GTIN", ())


@pytest.mark.parametrize(
    ("fields", "kind", "code", "dcsa"),
    [
        ({"bizStep": "inspecting"}, "ObjectEvent", "inspected", "INSP"),
        ({"bizStep": "inspecting", "{urn:c}customsStatus": "selected_for_scan"}, "ObjectEvent", "inspected", "CUSS"),
        (
            {"bizStep": "inspecting", "{urn:c}customsStatus": "selected_for_inspection"},
            "ObjectEvent",
            "inspected",
            "CUSI",
        ),
        ({"bizStep": "holding"}, "ObjectEvent", "held", None),
        ({"bizStep": "accepting", "{urn:c}customsStatus": "released"}, "ObjectEvent", "cleared", "CUSR"),
        ({"bizStep": "accepting"}, "ObjectEvent", "received", None),
        ({"bizStep": "removing"}, "ObjectEvent", "removed", "RMVD"),
        ({"bizStep": "storing", "disposition": "container_open"}, "ObjectEvent", "unsealed", None),
        ({"bizStep": "storing", "disposition": "container_closed"}, "ObjectEvent", "sealed", "RSEA"),
        ({"bizStep": "installing", "action": "DELETE"}, "AssociationEvent", "unsealed", None),
        ({"bizStep": "receiving", "disposition": "returned"}, "ObjectEvent", None, None),
        ({"bizStep": "sensor_reporting"}, "ObjectEvent", None, None),
        ({"bizStep": "https://example.com/own"}, "ObjectEvent", None, None),
        ({}, "ObjectEvent", None, None),
    ],
)
def test_what_events_mean(fields: dict[str, Any], kind: str, code: str | None, dcsa: str | None) -> None:
    event = Event(kind, fields)
    assert code_of(event) == code
    if code is not None:
        customs = next((value for name, value in fields.items() if name.endswith("customsStatus")), None)
        assert dcsa_code(Code(code), customs) == dcsa


def test_container_numbers_are_checked() -> None:
    assert read_container("csqu 305438-3") == "CSQU3054383"
    for wrong in ("CSQU3054384", "CSQX3054383", "CSQU305438", "", "CSQU30543833", "ＣSQU3054383"):
        with pytest.raises(NotAContainer):
            read_container(wrong)
    assert container_of(BOX) == "CSQU3054383"
    assert container_of("CSQU3054383") is container_of("urn:epc:id:bic:CSQU3054384") is None


TRIPS = [2 * H, 4 * H, 3 * H, 50 * H]


@pytest.mark.parametrize(
    ("plan", "departed_at", "trips", "eta"),
    [
        (Plan(), None, TRIPS, None),
        (Plan(), T, TRIPS, Eta(T + 3.5 * H, Basis.LANE, 4, 3.5 * H)),
        (Plan(), T, TRIPS[:2], None),
        (Plan(departs_at=T), None, TRIPS[:3], Eta(T + 3 * H, Basis.LANE, 3, 3 * H, leaves_at=T)),
        (Plan(departs_at=T), T + H, TRIPS[:3], Eta(T + 4 * H, Basis.LANE, 3, 3 * H)),
        (Plan(arrives_at=T + 9 * H), T, TRIPS, Eta(T + 9 * H, Basis.PLAN)),
        (Plan(T, T + 9 * H), None, TRIPS, Eta(T + 9 * H, Basis.PLAN, leaves_at=T)),
        (Plan(T, T + 9 * H), T, TRIPS, Eta(T + 9 * H, Basis.PLAN)),
        (Plan(T, T + 9 * H), T + 2 * H, TRIPS, Eta(T + 11 * H, Basis.PLAN_MOVED)),
        (Plan(T, T + 9 * H), T - 2 * H, TRIPS, Eta(T + 7 * H, Basis.PLAN_MOVED)),
    ],
)
def test_estimates_rest_on_the_plan_or_on_earlier_trips(
    plan: Plan, departed_at: datetime | None, trips: list[timedelta], eta: Eta | None
) -> None:
    assert estimate(plan, departed_at, trips) == eta


def test_an_estimate_is_overdue_when_its_time_is_over_or_the_departure_that_it_rests_on_is() -> None:
    waiting, gone = Eta(T + 9 * H, Basis.PLAN, leaves_at=T), Eta(T + 9 * H, Basis.PLAN)
    assert [waiting.is_overdue(T + hours * H) for hours in (-1, 1, 10)] == [False, True, True]
    assert [gone.is_overdue(T + hours * H) for hours in (-1, 1, 10)] == [False, False, True]
