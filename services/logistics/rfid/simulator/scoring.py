"""How right a conclusion is: presence at gates and in zones (F1), direction, and the content of pallets.

A gate's presence is counted by passage and tag: once right when it overlaps what passed, wrong when nothing did, when it was
another gate, or once too often. A tag that came up to the wall and went back did not pass, and is wrong when it is given a
direction. Direction is counted of what is present; content is what is in both truth and conclusion among what is in either, of all
pallets that passed. A zone's presence is counted by the second.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from services.logistics.rfid.simulator.concluding import Concluded, Seen, Stayed
from services.logistics.rfid.simulator.traffic import Going, Trip
from services.logistics.rfid.simulator.world import Simulation

SECOND = 1_000_000
SLACK_US = SECOND
"""Clocks are believed to a second."""


class Tally(msgspec.Struct):
    """Right, said but not so, so but not said."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.right + other.right, self.wrong + other.wrong, self.missed + other.missed)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; 1 when there was nothing to say and nothing was said."""
        all_of_it = 2 * self.right + self.wrong + self.missed
        return 2 * self.right / all_of_it if all_of_it else 1.0

    @property
    def share(self) -> float:
        """Right among all that is in either."""
        all_of_it = self.right + self.wrong + self.missed
        return self.right / all_of_it if all_of_it else 1.0


class Score(msgspec.Struct, frozen=True):
    """What of a conclusion is right, of passages of tags, their ways, the content of pallets, and seconds in zones."""

    presence: Tally
    ways: Tally
    content: Tally
    zones: Tally

    def __add__(self, other: Score) -> Score:
        return Score(
            self.presence + other.presence,
            self.ways + other.ways,
            self.content + other.content,
            self.zones + other.zones,
        )


def score(simulation: Simulation, concluded: Concluded) -> Score:
    """How right it is."""
    presence, ways = tally_passages(simulation, concluded.seen)
    return Score(presence, ways, tally_content(simulation, concluded), tally_zones(simulation, concluded.stayed))


def _by_tag(simulation: Simulation) -> dict[str, tuple[str, Trip]]:
    """Where and with what each tag came; each comes once."""
    gates = simulation.site.gates
    return {
        tag.epc: (gates[trip.gate].id, trip)
        for trip in simulation.trips
        for pallet in trip.pallets
        for tag in pallet.tags
    }


def tally_passages(simulation: Simulation, seen: list[Seen]) -> tuple[Tally, Tally]:
    """Presence, and direction of what is present."""
    truth, presence, ways = _by_tag(simulation), Tally(), Tally()
    found: set[str] = set()
    for one in seen:
        gate_id, trip = truth.get(one.epc, ("", None))
        if trip is not None and trip.going is Going.BACK and gate_id == one.gate_id:
            presence.wrong += one.direction != "unknown"
        elif (
            trip is None or gate_id != one.gate_id or one.epc in found or not _overlaps(trip, one.first_us, one.last_us)
        ):
            presence.wrong += 1
        else:
            found.add(one.epc)
            presence.right += 1
            ways.right += one.direction == trip.going
            ways.wrong += one.direction != trip.going
    passed = {epc for epc, (_, trip) in truth.items() if trip.going is not Going.BACK}
    presence.missed = len(passed - found)
    return presence, ways


def _overlaps(trip: Trip, first_us: int, last_us: int) -> bool:
    return first_us <= trip.last_us + SLACK_US and last_us >= trip.first_us - SLACK_US


def tally_content(simulation: Simulation, concluded: Concluded) -> Tally:
    """What pallets are said to hold, against what they held."""
    gates, tally = simulation.site.gates, Tally()
    said: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in concluded.held:
        said[one.gate_id, one.parent] |= one.children
    for trip in simulation.trips:
        for pallet in trip.pallets:
            if not pallet.parent or trip.going is Going.BACK:
                continue
            children = said[gates[trip.gate].id, pallet.parent]
            tally.right += len(children & pallet.cases)
            tally.wrong += len(children - pallet.cases)
            tally.missed += len(pallet.cases - children)
    return tally


def tally_zones(simulation: Simulation, stayed: list[Stayed]) -> Tally:
    """Presence in zones by the second."""
    is_so = _seconds((stay.epc, stay.zone, stay.from_us, stay.until_us) for stay in simulation.stays)
    is_said = _seconds((one.epc, one.zone, one.from_us, one.until_us) for one in stayed)
    return Tally(len(is_so & is_said), len(is_said - is_so), len(is_so - is_said))


def _seconds(spans: Iterable[tuple[str, int, int, int]]) -> set[tuple[str, int, int]]:
    return {
        (epc, zone, second)
        for epc, zone, from_us, until_us in spans
        for second in range(-(-from_us // SECOND), until_us // SECOND + 1)
    }
