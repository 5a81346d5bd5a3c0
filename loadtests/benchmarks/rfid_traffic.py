"""Traffic for the benchmark: gates of the simulator, each a site of its own, their reads as plain arrays by the time of arrival."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from services.logistics.rfid.simulator.arrivals import correct
from services.logistics.rfid.simulator.noise import Noise
from services.logistics.rfid.simulator.traffic import Going, Traffic, Trip
from services.logistics.rfid.simulator.world import START_US, Plan, simulate

BUSY = Traffic(pause_s=1.0, least_pause_s=2.5)
A_TRIP_S = 11.0
"""A busy gate lets a vehicle through so often, about."""
MORE = 1.2
"""So many more trips are planned, so that none runs out of them before the end."""
SECOND = 1_000_000


@dataclass
class GateReads:
    """The reads of one gate in the order in which they come: times of arrival and by our clock, in microseconds from the start.

    ``passing`` has the trip of each tag that passed, ``cut_off`` the tags of trips that were under way at the end.
    """

    number: int
    reader_id: str
    sides: dict[int, str]
    passing: dict[str, Trip]
    cut_off: frozenset[str]
    received: array = field(default_factory=lambda: array("q"))
    at: array = field(default_factory=lambda: array("q"))
    sequence: array = field(default_factory=lambda: array("l"))
    antenna: array = field(default_factory=lambda: array("h"))
    rssi_dbm: array = field(default_factory=lambda: array("h"))
    tag: array = field(default_factory=lambda: array("l"))
    epcs: list[str] = field(default_factory=list)

    @property
    def distinct(self) -> int:
        """How many reads there are, repetitions left out."""
        return len(set(self.sequence))


def make_gate(number: int, *, seconds: float, noise: Noise) -> GateReads:
    """A gate that is busy for so many seconds, and whose readers are then switched off."""
    trips = math.ceil(seconds / A_TRIP_S * MORE) + 1
    plan = Plan(seed=1_000 + number, gates=1, trips=trips, traffic=BUSY, noise=noise)
    simulation = simulate(plan)
    (reader,) = simulation.site.gates[0].readers
    sides = {one.number: "inside" if one.is_inside else "outside" for one in reader.antennas}
    end_us = START_US + round(seconds * SECOND)
    over = [trip for trip in simulation.trips if trip.last_us < end_us and trip.going is not Going.BACK]
    cut_off = [trip for trip in simulation.trips if trip.first_us < end_us <= trip.last_us]
    made = GateReads(number, f"reader-{number}", sides, _by_tag(over), frozenset(_by_tag(cut_off)))
    known: dict[str, int] = {}
    received = [batch.received_us for batch in simulation.batches for _ in batch.sights]
    for came_us, read in zip(received, correct(simulation.batches), strict=True):
        if read.at_us >= end_us:
            continue
        tag = known.setdefault(read.epc, len(known))
        made.received.append(came_us - START_US)
        made.at.append(read.at_us - START_US)
        made.sequence.append(int(read.key))
        made.antenna.append(read.antenna)
        made.rssi_dbm.append(int(read.rssi_dbm))
        made.tag.append(tag)
    made.epcs = list(known)
    return made


def _by_tag(trips: list[Trip]) -> dict[str, Trip]:
    return {tag.epc: trip for trip in trips for pallet in trip.pallets for tag in pallet.tags}


def make_traffic(
    *, a_second: float, seconds: float, noise: Noise, say: Callable[[str], None] = lambda line: None
) -> list[GateReads]:
    """Gates that together have so many reads a second for so long, a few more than fewer."""
    gates: list[GateReads] = []
    wanted, have = a_second * seconds, 0
    while have < wanted:
        gates.append(make_gate(len(gates), seconds=seconds, noise=noise))
        have += len(gates[-1].at)
        if len(gates) % 20 == 0:
            say(f"{have:,} of {wanted:,.0f} reads made")
    return gates


def by_second(gate: GateReads) -> Iterator[tuple[int, range]]:
    """The reads of a gate by the second in which they come, as ranges of their places."""
    start = 0
    for end in range(1, len(gate.received) + 1):
        second = gate.received[start] // SECOND
        if end == len(gate.received) or gate.received[end] // SECOND != second:
            yield second, range(start, end)
            start = end


def last_second(gates: list[GateReads]) -> int:
    """The second in which the last read comes."""
    return math.ceil(max(max(gate.received, default=0) for gate in gates) / SECOND)
