"""Traffic and chains of the benchmarks: what is sent is all that was read, and a chain's truth is what its events say."""

from __future__ import annotations

import json

from loadtests.benchmarks.epcis_things import RAW_LOTS, make_chain, write_document, write_shipping
from loadtests.benchmarks.rfid_traffic import SECOND, by_second, last_second, make_gate, make_traffic
from services.logistics.epcis.read_json import read_document
from services.logistics.rfid.simulator.noise import Noise

NOISE = Noise(latest_s=5.0)


def test_the_seconds_of_a_gate_hold_each_of_its_reads_once_and_in_order() -> None:
    gate = make_gate(3, seconds=40, noise=NOISE)
    places = [(second, place) for second, some in by_second(gate) for place in some]
    assert [place for _, place in places] == list(range(len(gate.at)))
    assert all(gate.received[place] // SECOND == second for second, place in places)
    assert gate.distinct < len(gate.at), "some are sent twice"
    assert last_second([gate]) * SECOND >= max(gate.received)


def test_a_gate_is_switched_off_in_time_and_who_was_under_way_then_is_neither_right_nor_wrong() -> None:
    gate = make_gate(4, seconds=30, noise=NOISE)
    assert max(gate.at) < 30 * SECOND + SECOND
    assert gate.passing.keys().isdisjoint(gate.cut_off)


def test_gates_are_made_until_there_are_enough_reads() -> None:
    gates = make_traffic(a_second=100, seconds=30, noise=NOISE)
    assert sum(len(gate.at) for gate in gates) >= 3_000
    assert sum(len(gate.at) for gate in gates[:-1]) < 3_000


def test_what_a_planted_lot_went_into_is_what_the_events_say() -> None:
    chain = make_chain(400)
    inside: dict[str, set[str]] = {}
    for event in chain.events:
        sources = [one["epcClass"] for one in event.get("inputQuantityList", ())] or event["childEPCs"]
        targets = event.get("outputEPCList", []) + [one["epcClass"] for one in event.get("outputQuantityList", ())]
        for target in targets or [event["parentID"]]:
            inside.setdefault(target, set()).update(sources)
    reached, fresh = set[str](), {chain.planted}
    while fresh:
        reached |= fresh
        fresh = {target for target, sources in inside.items() if sources & fresh} - reached
    assert chain.truth == reached - {chain.planted}
    (lot,) = inside[chain.item]
    assert chain.origins == {lot} | inside[lot]
    assert 0 < len(chain.truth) < len(inside), f"{RAW_LOTS} lots share what is made"


def test_documents_of_the_benchmark_are_read() -> None:
    chain = make_chain(100)
    document = write_document([*chain.events, write_shipping(1), write_shipping(9_999_999)])
    assert len(read_document(json.dumps(document).encode()).events) == len(chain.events) + 2
