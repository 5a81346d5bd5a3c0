"""Reads that come late, in another order, again, from another gate, or from a tag that only stands there."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from chassis import clock
from events.logistics import EdgeSeen, ReaderHeard, TagRead, TagsRead
from services.logistics.epcis.commands import capture_events
from services.logistics.epcis.read_json import read_event
from services.logistics.rfid.commands import take_reads
from services.logistics.rfid.epc import decode_epc
from services.logistics.rfid.model import Passage
from services.logistics.rfid.tds import encode_identity
from tests.services.logistics.conftest import BEGINNING, SYSTEM, Stand, describe_piece, tag
from tests.services.logistics.test_gate_rules import SIDES, close, events, go, put_rules

STANDING = (
    "SELECT hash FROM epcis_event e WHERE NOT is_error AND NOT EXISTS "
    "(SELECT 1 FROM epcis_event d WHERE d.event_id = e.event_id AND d.is_error) ORDER BY 1"
)


def tell(stand: Stand, gate: dict[str, Any], reads: list[TagRead], **told: Any) -> None:
    """Reads come by the stream."""
    batch = TagsRead(**{"gate_id": gate["id"], "boot": "0", "received_at": clock.now(), "reads": reads, **told})
    stand.database.run(lambda session: take_reads(session, SYSTEM, [batch]))


def see(stand: Stand, epc: str, *, ago: float, antenna: int = 1, rssi_dbm: float = -50, **told: Any) -> TagRead:
    """A read of some seconds ago."""
    at = clock.now() - timedelta(seconds=ago)
    return TagRead(sequence=next(stand._sequences), epc=epc, antenna=antenna, rssi_dbm=rssi_dbm, at=at, **told)


# Late reads


def test_late_reads_take_back_what_was_told_and_tell_it_anew(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(2), stand.make_gate()
    delivery = stand.start(gate, *pieces).ok()
    (first,) = stand.pass_gate(gate, 1)
    assert first["verdict"] == "check"
    tell(stand, gate, [see(stand, tag(2), ago=3.1) for _ in range(3)])
    stand.advance(timedelta(seconds=3))
    (second,) = stand.passages(gate)
    assert (second["version"], len(second["sightings"]), second["verdict"]) == (2, 2, "release")
    old = stand.get(f"/v1/passages/{first['id']}", party="warehouse").ok()
    assert (old["state"], old["superseded_by"]) == ("taken_back", second["id"])
    assert stand.passages(gate, party="buyer")[0]["id"] == second["id"]
    listed = stand.get(f"/v1/passages?gate_id={gate['id']}&state=taken_back", party="warehouse").ok()["items"]
    assert [one["id"] for one in listed] == [first["id"]]
    assert stand.show(delivery)["state"] == "departed"
    ((declared, reason, corrected),) = stand.rows(
        "SELECT event_id, error_reason, corrective_event_ids FROM epcis_event WHERE is_error"
    )
    assert (declared, reason, corrected) == (first["epcis_event_id"], "incorrect_data", [second["epcis_event_id"]])
    assert [(one["kind"], one["state"]) for one in stand.discrepancies()] == [
        ("late_correction", "open"),
        ("not_read", "withdrawn"),
    ]
    assert stand.broken() == {}


def test_late_reads_that_change_no_event_take_none_back(stand: Stand) -> None:
    gate = stand.make_gate()
    stand.hear(describe_piece(1))
    (first,) = stand.pass_gate(gate, 1)
    tell(stand, gate, [see(stand, tag(1), ago=3)])
    stand.advance(timedelta(seconds=3))
    (second,) = stand.passages(gate)
    assert second == first | {"reads": 4, "sightings": [first["sightings"][0] | {"reads": 4}]}
    assert stand.rows("SELECT count(*) FROM epcis_event") == [(1,)]
    assert [(one["kind"], one["state"]) for one in stand.discrepancies()] == [("no_delivery", "open")]


def test_a_delivery_that_left_by_a_misread_stays_gone_and_a_person_is_told(stand: Stand) -> None:
    stand.hear_deal(3)
    gate = stand.make_gate()
    ours, theirs = stand.start(gate, "piece_1", "piece_2").ok(), stand.start(gate, "piece_3").ok()
    tell(stand, gate, [see(stand, tag(3), ago=0)] * 1 + [see(stand, tag(3), ago=0.1) for _ in range(2)])
    stand.advance(timedelta(seconds=3))
    assert stand.show(theirs)["state"] == "departed"
    neighbour = stand.make_gate()
    tell(stand, neighbour, [see(stand, tag(3), ago=3, rssi_dbm=-30) for _ in range(5)])
    stand.advance(timedelta(seconds=3))
    stand.send("PUT", f"/v1/gates/{gate['id']}/rules", {"rules": {"neighbours": [neighbour["id"]]}}).ok()
    assert (stand.show(theirs)["state"], stand.show(ours)["state"]) == ("departed", "loading")


def test_reads_of_hours_ago_stand_alone(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(2), stand.make_gate()
    stand.start(gate, *pieces).ok()
    stand.frozen.advance(timedelta(hours=2))
    stand.pass_gate(gate, 1)
    stand.frozen.advance(timedelta(hours=1))
    before = clock.now()
    tell(stand, gate, [see(stand, tag(2), ago=3_601) for _ in range(3)])
    stand.advance(timedelta(seconds=3))
    late, first = stand.passages(gate)
    assert (late["is_late"], late["version"], [one["epc"] for one in late["sightings"]]) == (True, 1, [tag(2)])
    assert (first["is_late"], first["version"]) == (False, 1)
    assert stand.rows("SELECT count(*) FROM epcis_event WHERE is_error") == [(0,)]
    assert late["first_seen"] < before.isoformat()
    assert stand.broken() == {}


def test_a_read_without_a_believable_time_makes_nothing(stand: Stand) -> None:
    gate = stand.make_gate()
    stand.hear(describe_piece(1))
    tell(stand, gate, [see(stand, tag(1), ago=90_000), see(stand, tag(1), ago=-90_000)])
    tell(
        stand,
        gate,
        [see(stand, tag(1), ago=0, is_skewed=True), see(stand, tag(1), ago=0, reader_at=BEGINNING - timedelta(3))],
    )
    stand.advance(timedelta(seconds=60))
    assert stand.passages(gate) == []
    assert stand.rows("SELECT mark, count(*) FROM tag_read GROUP BY 1") == [("skewed", 4)]


# What was held back


def test_what_was_held_back_is_collected_and_puts_off_nothing(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(2), stand.make_gate()
    stand.start(gate, *pieces).ok()
    stand.frozen.advance(timedelta(minutes=5))
    (before,) = stand.pass_gate(gate, 1)
    stand.frozen.advance(timedelta(seconds=57))
    tell(stand, gate, [see(stand, tag(2), ago=60 + n / 10) for n in range(3)])
    tell(stand, gate, [see(stand, tag(3), ago=n / 10) for n in range(3)])
    for second in range(1, 4):
        stand.advance(timedelta(seconds=1))
        tell(stand, gate, [see(stand, tag(2), ago=60 + second) for _ in range(2)])
    waiting, second, first = stand.passages(gate)
    assert (first["id"], first["version"], first["state"]) == (before["id"], 1, "closed")
    assert ([one["epc"] for one in second["sightings"]], second["state"]) == ([tag(3)], "closed")
    assert (waiting["state"], waiting["reads"]) == ("open", 0)
    stand.advance(timedelta(seconds=11))
    assert [one["version"] for one in stand.passages(gate) if one["state"] == "closed"] == [1, 1]
    stand.advance(timedelta(seconds=1))
    corrected, kept = stand.passages(gate)
    assert (kept["id"], corrected["version"], corrected["reads"]) == (second["id"], 2, 12)
    assert [one["epc"] for one in corrected["sightings"]] == [tag(1), tag(2)]
    assert stand.broken() == {}


def test_a_gate_at_which_something_passes_comes_before_one_that_collects(stand: Stand) -> None:
    waits, passes = stand.make_gate(), stand.make_gate()
    stand.frozen.advance(timedelta(minutes=5))
    tell(stand, waits, [see(stand, tag(1), ago=60 + n) for n in range(3)])
    stand.frozen.advance(timedelta(seconds=20))
    tell(stand, passes, [see(stand, tag(2), ago=1)])
    in_order = select(Passage.gate_id).order_by(Passage.urgent_at())
    assert stand.database.look(lambda session: session.scalars(in_order).all()) == [passes["id"], waits["id"]]
    tell(stand, waits, [see(stand, tag(3), ago=2)])
    assert stand.database.look(lambda session: session.scalars(in_order).all()) == [waits["id"], passes["id"]]


def test_what_was_held_back_of_a_passage_that_still_runs_is_told_with_it_once(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(2), stand.make_gate()
    delivery = stand.start(gate, *pieces).ok()
    stand.frozen.advance(timedelta(minutes=5))
    for second in range(30):
        held_back = [see(stand, tag(2), ago=11 + n / 10) for n in range(3)] if second == 12 else []
        tell(stand, gate, [*held_back, *(see(stand, tag(1), ago=n / 4) for n in range(3))])
        stand.advance(timedelta(seconds=1))
        assert [one["state"] for one in stand.passages(gate)] == ["open"]
        ((waits,),) = stand.rows("SELECT delayed_due IS NOT NULL FROM passage")
        assert waits == (12 <= second < 26)
    stand.advance(timedelta(seconds=2))
    (passage,) = stand.passages(gate)
    assert (passage["state"], passage["version"], passage["reads"]) == ("closed", 1, 93)
    assert stand.show(delivery)["state"] == "departed"
    assert stand.rows("SELECT count(*) FROM passage") == [(1,)]
    assert stand.broken() == {}


# Order


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_any_order_repetition_and_cutting_gives_the_same_events(stand: Stand, seed: int) -> None:
    dice = random.Random(seed)
    stand.owner.run(
        lambda session: session.execute(
            text("TRUNCATE passage, passage_delivery, sighting, tag_read, tag_slot, parked_tag, delivery, delivery_piece, "
                 "epcis_event, epcis_key, epcis_party, epcis_thing, deal, deal_piece, pickup_note, note_piece, piece, "
                 "discrepancy, gate, gate_rules, outbox CASCADE")
        ) and None
    )  # fmt: skip
    stand.frozen.at = BEGINNING
    stand.hear_deal(6)
    gate = stand.make_gate()
    put_rules(stand, gate, **SIDES)
    for number in (1, 3, 5):
        stand.start(gate, f"piece_{number}", f"piece_{number + 1}").ok()
    stand.frozen.advance(timedelta(minutes=8))
    reads = _trucks(stand, dice)
    kept = [(gate["id"], reads, clock.now())]
    hashes = []
    for is_shuffled in (False, True):
        if is_shuffled:
            _forget(stand)
        come = list(reads)
        if is_shuffled:
            come += dice.sample(come, len(come) // 3)
            dice.shuffle(come)
        stand.frozen.at = kept[0][2]
        while come:
            size = dice.randint(1, 40) if is_shuffled else len(come)
            held_back_until = dice.choice((kept[0][2], come[0].at)) if is_shuffled else kept[0][2]
            tell(stand, gate, come[:size], received_at=held_back_until)
            del come[:size]
            stand.advance(timedelta(seconds=dice.choice((0, 0.4, 3, 31)) if is_shuffled else 3))
        stand.advance(timedelta(seconds=60))
        stand.advance(timedelta(seconds=60))
        hashes.append([event_id for (event_id,) in stand.rows(STANDING)])
        assert stand.broken() == {}
        assert stand.rows("SELECT count(*) FROM delivery WHERE state = 'departed'") == [(3,)]
    assert len(hashes[0]) >= 3
    assert hashes[0] == hashes[1]


def _trucks(stand: Stand, dice: random.Random) -> list[TagRead]:
    """Three trucks, minutes apart, that go out past both sides, with strays of nobody's and a tag that stands there."""
    reads = []
    for truck, number in enumerate((1, 3, 5)):
        start = 440 - truck * 130
        for epc in (tag(number), tag(number + 1), "E2806894000040000000000" + str(number)):
            for n in range(dice.randint(4, 9)):
                reads.append(see(stand, epc, ago=start - n * dice.uniform(0.05, 0.15), antenna=2))
                reads.append(see(stand, epc, ago=start - 2 - n * dice.uniform(0.05, 0.15), antenna=1))
    if dice.random() < 0.5:
        reads += [see(stand, tag(99), ago=470 - n * 9, rssi_dbm=-70) for n in range(dice.randint(10, 50))]
    return reads


def _forget(stand: Stand) -> None:
    """As if no read had ever come: trucks stand there again."""
    stand.owner.run(
        lambda session: (
            [
                session.execute(text(statement))
                for statement in (
                    "TRUNCATE passage, passage_delivery, sighting, tag_read, tag_slot, parked_tag, discrepancy, "
                    "epcis_event, epcis_key, epcis_party, epcis_thing CASCADE",
                    "UPDATE delivery SET state = 'loading', departed_at = NULL, departure_seen_by = NULL, "
                    "due_at = started_at + interval '72 hours'",
                )
            ]
            and None
        )
    )


def test_what_settles_a_passage_costs_a_bounded_number_of_statements(stand: Stand) -> None:
    counts = []
    for number in (1, 30):
        gate = stand.make_gate()
        first = 100 * number
        pieces = stand.hear_deal(number, deal_id=f"deal_{number}", first=first)
        stand.start(gate, *pieces, deal_id=f"deal_{number}").ok()
        tell(stand, gate, [see(stand, tag(first + n), ago=0) for n in range(number) for _ in range(4)])
        counts.append(_count_statements(stand, lambda: stand.advance(timedelta(seconds=3))))
    assert counts[0] == counts[1] and counts[0] < 75


def _count_statements(stand: Stand, work: Any) -> int:
    from sqlalchemy import event

    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(stand.database.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(stand.database.engine, "before_cursor_execute", note)
    return len(seen)


# Readers


def test_a_reader_that_lags_is_waited_for_and_meanwhile_the_truck_is_checked(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(1), stand.make_gate()
    delivery = stand.start(gate, *pieces).ok()
    began = clock.now()

    def hear(reader_id: str, behind: float) -> None:
        heard = ReaderHeard(
            gate_id=gate["id"], reader_id=reader_id, at=clock.now(), seen_until=clock.now() - timedelta(seconds=behind)
        )
        stand.database.run(lambda session: take_reads(session, SYSTEM, [heard]))

    hear("a", 0)
    tell(stand, gate, [see(stand, tag(1), ago=0) for _ in range(3)], reader_id="a", boot="a/0")
    for _ in range(4):
        stand.frozen.advance(timedelta(seconds=1))
        hear("a", 0)
        hear("b", (clock.now() - began).total_seconds())
        stand.advance(timedelta())
    assert stand.show(delivery)["state"] == "loading"
    (judged,) = stand.judged()
    assert (judged.verdict, [one.code for one in judged.reasons]) == ("check", ["reader_silent"])
    hear("b", 0)
    stand.advance(timedelta(seconds=1))
    assert stand.show(delivery)["state"] == "departed"
    assert [one.verdict for one in stand.judged()] == ["check", "release"]
    assert stand.rows("SELECT count(*) FROM reader_watermark") == [(2,)]


def test_a_silent_reader_is_left_out_after_ten_seconds(stand: Stand) -> None:
    gate = stand.make_gate()
    heard = ReaderHeard(
        gate_id=gate["id"], reader_id="b", at=clock.now(), seen_until=clock.now() - timedelta(seconds=9)
    )
    stand.database.run(lambda session: take_reads(session, SYSTEM, [heard]))
    tell(stand, gate, [see(stand, tag(1), ago=0) for _ in range(3)])
    stand.advance(timedelta(seconds=4))
    assert [one["state"] for one in stand.passages(gate)] == ["open"]
    for _ in range(4):
        stand.advance(timedelta(seconds=2))
    assert [one["state"] for one in stand.passages(gate)] == ["closed"]


# The photo-eye


def _edges(ago: float, length: float) -> list[EdgeSeen]:
    began = clock.now() - timedelta(seconds=ago)
    return [
        EdgeSeen(port=1, is_high=True, at=began),
        EdgeSeen(port=1, is_high=False, at=began + timedelta(seconds=length)),
    ]


def test_what_passes_without_a_readable_tag_is_a_task(stand: Stand) -> None:
    gate = stand.make_gate()
    tell(stand, gate, [], edges=_edges(4, 3))
    stand.advance(timedelta(seconds=3))
    (passage,) = stand.passages(gate)
    assert (passage["sightings"], passage["verdict"]) == ([], "check")
    assert [one["kind"] for one in passage["discrepancies"]] == ["empty_session"]
    assert events(stand) == []


def test_the_photo_eye_parts_two_trucks_that_follow_closely(stand: Stand) -> None:
    stand.hear_deal(2)
    gate = stand.make_gate()
    first, second = stand.start(gate, "piece_1").ok(), stand.start(gate, "piece_2").ok()
    stand.frozen.advance(timedelta(seconds=10))
    reads = [see(stand, tag(1), ago=6 - n / 10) for n in range(4)] + [
        see(stand, tag(2), ago=3.5 - n / 10) for n in range(4)
    ]
    tell(stand, gate, reads, edges=[*_edges(6, 1), *_edges(3.5, 1)])
    stand.advance(timedelta(seconds=3))
    later, earlier = stand.passages(gate)
    assert (earlier["delivery_ids"], later["delivery_ids"]) == ([first["id"]], [second["id"]])
    assert stand.broken() == {}


# Tags that stand there, and neighbours


def test_a_tag_that_stands_there_passes_nothing_and_hides_no_truck(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(1), stand.make_gate()
    delivery = stand.start(gate, *pieces).ok()
    for _ in range(50):
        tell(stand, gate, [see(stand, tag(77), ago=0), see(stand, tag(77), ago=0.5), see(stand, tag(77), ago=0.7)])
        stand.advance(timedelta(seconds=8))
    assert stand.passages(gate) == [] or all(one["state"] == "open" for one in stand.passages(gate))
    assert [one["kind"] for one in stand.discrepancies() if one["state"] == "open"] == ["parked_tag"]
    tell(stand, gate, [see(stand, tag(1), ago=0) for _ in range(3)] + [see(stand, tag(77), ago=0)])
    for _ in range(3):
        tell(stand, gate, [see(stand, tag(77), ago=0)])
        stand.advance(timedelta(seconds=1))
    assert stand.show(delivery)["state"] == "departed"
    assert [
        [one["epc"] for one in each["sightings"]] for each in stand.passages(gate) if each["state"] == "closed"
    ] == [[tag(1)]]
    assert len(events(stand)) == 1
    stand.advance(timedelta(seconds=60))
    assert stand.broken() == {}


@pytest.mark.parametrize("first", [0, 1])
def test_a_tag_that_two_gates_hear_passed_the_one_that_heard_it_best(stand: Stand, first: int) -> None:
    stand.hear_deal(1)
    gates = [stand.make_gate(), stand.make_gate()]
    for gate, other in (gates, reversed(gates)):
        put_rules(stand, gate, neighbours=[other["id"]])
    delivery = stand.start(gates[0], "piece_1").ok()
    heard = [(gates[0], -40), (gates[1], -60)]
    for gate, rssi_dbm in heard if first == 0 else reversed(heard):
        ago = 0 if gate is heard[first][0] else 3
        tell(stand, gate, [see(stand, tag(1), ago=ago, rssi_dbm=rssi_dbm) for _ in range(4)])
        stand.advance(timedelta(seconds=3))
    stand.advance(timedelta(seconds=3))
    assert stand.show(delivery)["state"] == "departed"
    (near,), (far,) = (stand.passages(gate) for gate in gates)
    assert (near["sightings"][0]["lost_to"], far["sightings"][0]["lost_to"]) == (None, gates[0]["id"])
    assert [one["readPoint"]["id"] for one in events(stand)] == [f"urn:haihe:gate:{gates[0]['id']}"]


# Pallets


def _pack(stand: Stand, parent: str, children: list[str]) -> None:
    packed = {
        "type": "AggregationEvent",
        "eventTime": "2026-03-02T07:00:00Z",
        "eventTimeZoneOffset": "+00:00",
        "parentID": parent,
        "childEPCs": children,
        "action": "ADD",
        "bizStep": "packing",
    }
    stand.database.run(lambda session: capture_events(session, [read_event(packed, {}, "$")], owner_id="warehouse"))


def _link(epc: str) -> str:
    found = decode_epc(epc)
    assert found is not None
    return found.link


def test_what_is_not_read_of_a_pallet_passes_with_it(stand: Stand) -> None:
    pieces, gate = stand.hear_deal(5), stand.make_gate()
    parent = "https://id.gs1.org/00/106141412345678908"
    _pack(stand, parent, [_link(tag(number)) for number in range(1, 6)])
    delivery = stand.start(gate, *pieces).ok()
    (passage,) = stand.pass_gate(gate, 1, 2, 3)
    assert (stand.show(delivery)["state"], stand.show(delivery)["discrepancies"]) == ("departed", [])
    assert (passage["verdict"], {one["code"] for one in passage["reasons"]}) == ("check", {"inferred"})
    (event,) = [one for one in events(stand) if one["bizStep"] == "departing"]
    assert (event["type"], event["parentID"], event["action"]) == ("AggregationEvent", parent, "OBSERVE")
    assert event["childEPCs"] == sorted(_link(tag(number)) for number in range(1, 6))
    assert event["persistentDisposition"] == {"set": ["completeness_inferred"]}


def test_a_whole_pallet_is_verified_and_a_stranger_on_it_is_a_task(stand: Stand) -> None:
    for number in range(1, 6):
        stand.hear(describe_piece(number))
    gate = stand.make_gate()
    ours, theirs = "https://id.gs1.org/00/106141412345678908", "https://id.gs1.org/00/106141412345678915"
    _pack(stand, ours, [_link(tag(1)), _link(tag(2))])
    _pack(stand, theirs, [_link(tag(3)), _link(tag(4)), _link(tag(5))])
    stand.pass_gate(gate, 1, 2)
    whole = [one for one in events(stand) if one["type"] == "AggregationEvent" and one["action"] == "OBSERVE"]
    assert [one["persistentDisposition"]["set"] for one in whole] == [["completeness_verified"]]
    stand.frozen.advance(timedelta(minutes=1))
    passage = stand.pass_gate(gate, 1, 2, 3)[0]
    odd = [one for one in stand.discrepancies() if one["kind"] == "pallet_mismatch"]
    assert [(one["epc"], one["parent"], one["other_parent"]) for one in odd] == [(_link(tag(3)), ours, theirs)]
    assert "mismatch" in {one["code"] for one in passage["reasons"]}


def test_long_tags_and_others_memory_are_kept(stand: Stand) -> None:
    gate = stand.make_gate()
    long = encode_identity("urn:epc:id:sgtin:4012345.099887.ABC%2F1-x", filter=1)
    tell(
        stand,
        gate,
        [see(stand, long, ago=0) for _ in range(3)] + [see(stand, tag(5), ago=0, pc=0x31A1) for _ in range(3)],
    )
    stand.advance(timedelta(seconds=3))
    (passage,) = stand.passages(gate)
    links = {one["epc"]: one["link"] for one in passage["sightings"]}
    assert links == {long: "https://id.gs1.org/01/04012345998870/21/ABC%2F1-x", tag(5): None}
    assert [one["epcList"] for one in events(stand)] == [[links[long]]]


def test_late_sides_turn_a_passage_round(stand: Stand) -> None:
    stand.hear(describe_piece(1))
    gate = stand.make_gate()
    put_rules(stand, gate, **SIDES)
    go(stand, gate, tag(1), way="in")
    assert close(stand, gate)["sightings"][0]["direction"] == "in"


def test_reads_of_hours_ago_that_contradict_what_was_told_correct_it(stand: Stand) -> None:
    stand.hear(describe_piece(1))
    gate = stand.make_gate()
    put_rules(stand, gate, **SIDES)
    stand.frozen.advance(timedelta(seconds=20))
    tell(stand, gate, [see(stand, tag(1), ago=1 - n / 10, antenna=2) for n in range(4)])
    told = close(stand, gate)
    assert told["sightings"][0]["direction"] == "in"
    stand.frozen.advance(timedelta(hours=1))
    ago = 3_600 + 10 + 3
    late = [see(stand, tag(1), ago=ago - n / 10, antenna=antenna) for antenna, n in ((2, 1), (2, 2), (1, 18), (1, 19))]
    tell(stand, gate, late)
    stand.advance(timedelta(seconds=3))
    (passage,) = stand.passages(gate)
    assert (passage["version"], passage["sightings"][0]["direction"], passage["is_late"]) == (2, "out", False)
    assert stand.rows("SELECT event_id FROM epcis_event WHERE is_error") == [(told["epcis_event_id"],)]
    assert [one["bizStep"] for one in events(stand)] == ["departing"]
    assert stand.broken() == {}
