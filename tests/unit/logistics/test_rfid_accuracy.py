"""How right the platform's conclusions are on a simulated site with the noise that RFID.md 5 states, beside naive ways to conclude.

The model of noise is in ``services/logistics/rfid/simulator``; it does not know the rules. Nothing here is timed.
"""

from __future__ import annotations

import random
from functools import reduce
from operator import add

import msgspec
import pytest

from services.logistics.rfid.simulator.arrivals import correct
from services.logistics.rfid.simulator.concluding import conclude
from services.logistics.rfid.simulator.naive import conclude_simply
from services.logistics.rfid.simulator.noise import QUIET
from services.logistics.rfid.simulator.scoring import Score, score
from services.logistics.rfid.simulator.traffic import Going, Traffic
from services.logistics.rfid.simulator.world import Plan, Simulation, simulate

GATES = [Plan(seed=seed, gates=4, trips=20) for seed in (1, 2, 3)]
ZONES = [Plan(seed=seed, gates=0, trips=0, zones=3, tags=30, zone_s=1_200) for seed in (1, 2, 3, 4, 5, 6)]
SMALL = Plan(seed=7, gates=2, trips=4, zones=2, tags=4, zone_s=120)


@pytest.fixture(scope="module")
def simulations() -> list[Simulation]:
    return [simulate(plan) for plan in (*GATES, *ZONES)]


@pytest.fixture(scope="module")
def ours(simulations: list[Simulation]) -> Score:
    return reduce(add, (score(one, conclude(one, correct(one.batches))) for one in simulations))


@pytest.fixture(scope="module")
def naive(simulations: list[Simulation]) -> Score:
    return reduce(add, (score(one, conclude_simply(one, correct(one.batches))) for one in simulations))


def test_who_passed_a_gate_is_right_for_99_of_100(ours: Score, naive: Score) -> None:
    assert ours.presence.right + ours.presence.missed > 5_000
    assert ours.presence.f1 >= 0.99, ours.presence
    assert naive.presence.f1 < 0.5, "a fixed window takes every stray read for a passage"


def test_the_way_that_it_went_is_right_for_98_of_100(ours: Score, naive: Score) -> None:
    assert ours.ways.share >= 0.98, ours.ways
    assert naive.ways.share < ours.ways.share


def test_what_a_pallet_holds_is_right_for_995_of_1000(ours: Score, naive: Score) -> None:
    assert ours.content.right > 4_000
    assert ours.content.share >= 0.995, ours.content
    assert naive.content.share < ours.content.share


def test_where_a_tag_stays_is_right_for_99_seconds_of_100(ours: Score, naive: Score) -> None:
    assert ours.zones.f1 >= 0.99, ours.zones
    assert naive.zones.f1 < 0.95


def test_the_order_in_which_reads_come_and_repetitions_change_nothing(simulations: list[Simulation]) -> None:
    """Only times do, and a reader's clock is corrected by the order of its messages: so the reads are mixed behind that."""
    one = simulations[0]
    reads = correct(one.batches)
    mixed = [*reads, *reads[::7]]
    random.Random(3).shuffle(mixed)
    assert conclude(one, mixed) == conclude(one, reads)


def test_without_noise_everything_is_right() -> None:
    plan = Plan(seed=5, gates=3, trips=6, traffic=Traffic(waits=0, turns=0, wrong=0, follows=0), noise=QUIET)
    one = simulate(plan)
    found = score(one, conclude(one, correct(one.batches)))
    assert (found.presence.f1, found.ways.share, found.content.share) == (1.0, 1.0, 1.0)


def test_one_seed_gives_the_same_bytes_and_another_gives_others() -> None:
    first, again, other = simulate(SMALL), simulate(SMALL), simulate(msgspec.structs.replace(SMALL, seed=8))
    assert msgspec.json.encode(first.batches) == msgspec.json.encode(again.batches)
    assert first.trips == again.trips
    assert first.stays == again.stays
    assert msgspec.json.encode(first.batches) != msgspec.json.encode(other.batches)


def test_one_more_gate_leaves_what_happens_at_the_others_as_it_is() -> None:
    fewer, more = simulate(SMALL), simulate(msgspec.structs.replace(SMALL, gates=3))
    assert fewer.trips == more.trips[: len(fewer.trips)]


def test_the_noise_is_what_it_says(simulations: list[Simulation]) -> None:
    """Ghosts, repetitions and late reads by their share; a tag that is well lit is missed in three rounds of ten."""
    plan = GATES[0]
    one = simulations[0]
    names = [(batch.reader_id, number) for batch in one.batches for number, _ in batch.sights]
    assert 0.015 < 1 - len(set(names)) / len(names) < 0.025
    passing = {tag.epc for trip in one.trips for pallet in trip.pallets for tag in pallet.tags}
    parked = {tag.epc for each in one.parked for tag in each.pallet.tags}
    read = [sight.epc for batch in one.batches for _, sight in batch.sights]
    assert 0.045 < sum(epc not in passing and epc not in parked for epc in read) / len(read) < 0.055
    late = [batch.received_us - batch.told_us for batch in one.batches if batch.sights]
    lags = {batch.reader_id: [] for batch in one.batches}  # type: dict[str, list[int]]
    for batch in one.batches:
        if batch.sights:
            lags[batch.reader_id].append(batch.received_us - batch.told_us)
    overdue = sum(lag - min(each) > 1_000_000 for each in lags.values() for lag in each)
    assert 0.05 < overdue / len(late) < 0.2
    assert max(lag - min(each) for each in lags.values() for lag in each) < 2 * plan.noise.latest_s * 1_000_000


def test_tags_are_missed_and_neighbours_and_those_who_turn_back_are_heard(simulations: list[Simulation]) -> None:
    """What makes it hard is there: without it the figures above would mean little."""
    gates, own = simulations[0].gate_of_reader(), dict[str, str]()
    for one in simulations[:3]:
        own |= {
            tag.epc: one.site.gates[trip.gate].id
            for trip in one.trips
            for pallet in trip.pallets
            for tag in pallet.tags
        }
    heard = {(sight.epc, gates.get(batch.reader_id)) for one in simulations[:3] for batch in one.batches
             for _, sight in batch.sights}  # fmt: skip
    strays = {epc for epc, gate in heard if epc in own and own[epc] != gate}
    missed = {epc for epc in own if (epc, own[epc]) not in heard}
    assert len(strays) > 0.05 * len(own)
    assert missed
    assert any(trip.going is Going.BACK for one in simulations[:3] for trip in one.trips)
    assert any(one.parked for one in simulations[:3])
