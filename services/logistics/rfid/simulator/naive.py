"""The simple ways to conclude from reads, to stand beside the platform's: a fixed window, and the first antenna wins.

A tag is at a gate, or in a zone, for as long as it was read within the last two seconds, whoever read it; it went the way
that its first antenna says; a pallet holds what was read with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from services.logistics.rfid.simulator.concluding import Concluded, Held, Seen, Stayed, rules_of
from services.logistics.rfid.simulator.world import Simulation
from services.logistics.rfid.stages.reads import SECOND_US, Read, unique

WINDOW_US = 2 * SECOND_US


def conclude_simply(simulation: Simulation, reads: Iterable[Read]) -> Concluded:
    """What fixed windows and first antennas say."""
    gates = simulation.gate_of_reader()
    at_gates: dict[tuple[str, str], list[Read]] = defaultdict(list)
    in_zones: dict[str, list[Read]] = defaultdict(list)
    for read in sorted(unique(reads).values()):
        if read.reader_id in gates:
            at_gates[gates[read.reader_id], read.epc].append(read)
        else:
            in_zones[read.epc].append(read)
    seen = _see(simulation, at_gates)
    return Concluded(seen, _hold(simulation, seen), _stay(simulation, in_zones))


def _see(simulation: Simulation, at_gates: dict[tuple[str, str], list[Read]]) -> list[Seen]:
    rules = rules_of(simulation)
    seen: list[Seen] = []
    for (gate_id, epc), reads in at_gates.items():
        for window in _windows(reads):
            first = window[0]
            direction = "in" if (first.reader_id, first.antenna) in rules[gate_id].outside else "out"
            seen.append(Seen(gate_id, 0, epc, direction, first.at_us, window[-1].at_us))
    return sorted(seen)


def _windows(reads: list[Read]) -> list[list[Read]]:
    windows: list[list[Read]] = []
    for read in reads:
        if not windows or read.at_us - windows[-1][-1].at_us > WINDOW_US:
            windows.append([])
        windows[-1].append(read)
    return windows


def _hold(simulation: Simulation, seen: list[Seen]) -> list[Held]:
    """Each parent that was read, with those of its children that were read at the same gate at the same time."""
    by_place: dict[tuple[str, str], list[Seen]] = defaultdict(list)
    for one in seen:
        by_place[one.gate_id, one.epc].append(one)
    held: list[Held] = []
    for parent, children in simulation.booked.items():
        for gate in simulation.site.gates:
            for own in by_place.get((gate.id, parent), ()):
                near = frozenset(
                    child
                    for child in children
                    for one in by_place.get((gate.id, child), ())
                    if one.first_us <= own.last_us + WINDOW_US and one.last_us >= own.first_us - WINDOW_US
                )
                held.append(Held(gate.id, parent, near, own.first_us, own.last_us))
    return held


def _stay(simulation: Simulation, in_zones: dict[str, list[Read]]) -> list[Stayed]:
    """A tag is where it was read last, for two seconds."""
    zones = {zone.reader.id: number for number, zone in enumerate(simulation.site.zones)}
    stays: list[Stayed] = []
    for epc, reads in in_zones.items():
        for read, after in zip(reads, [*reads[1:], None], strict=True):
            until_us = read.at_us + WINDOW_US
            if after is not None:
                until_us = min(until_us, after.at_us)
            stays.append(Stayed(epc, zones[read.reader_id], read.at_us, until_us))
    return sorted(stays)
