"""A whole simulation from one seed: the same plan gives the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import msgspec

from services.logistics.rfid.simulator.arrivals import Batch, Clock, make_clock, send
from services.logistics.rfid.simulator.goods import Maker, Pallet
from services.logistics.rfid.simulator.inventory import Parked, Sight, listen
from services.logistics.rfid.simulator.noise import Noise, haunt
from services.logistics.rfid.simulator.radio import Air
from services.logistics.rfid.simulator.sites import Site, make_site
from services.logistics.rfid.simulator.stays import Stay, listen_zone, plan_stays, stray
from services.logistics.rfid.simulator.traffic import Traffic, Trip, plan_trips

START_US = 1_800_000_000_000_000


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is simulated: so many gates with so many trips each, so many zones with so many tags in them for so many seconds."""

    seed: int = 1
    gates: int = 4
    trips: int = 10
    zones: int = 0
    tags: int = 0
    zone_s: int = 0
    traffic: Traffic = Traffic()
    noise: Noise = Noise()
    start_us: int = START_US


class Simulation(msgspec.Struct, frozen=True):
    """What there is and what happened (the truth), and what was heard of it: the messages of all readers as they came."""

    plan: Plan
    site: Site
    trips: tuple[Trip, ...]
    parked: tuple[Parked, ...]
    stays: tuple[Stay, ...]
    batches: tuple[Batch, ...]

    @property
    def pallets(self) -> list[Pallet]:
        """All pallets and containers, and loose pieces."""
        return [one for trip in self.trips for one in trip.pallets] + [one.pallet for one in self.parked]

    @property
    def booked(self) -> dict[str, frozenset[str]]:
        """What papers say that each parent holds, by the EPC of its tag."""
        return {one.parent: one.booked for one in self.pallets if one.parent}

    @property
    def announced(self) -> frozenset[str]:
        """The tags that a dispatch advice names."""
        announced = [one for trip in self.trips for one in trip.pallets if one.is_announced]
        return frozenset(epc for one in announced for epc in (*one.booked, one.parent) if epc)

    def clock_of(self, reader_id: str) -> Clock:
        """The clock of a reader."""
        return make_clock(_chance(self.plan, "clock", reader_id), self.plan.noise, self.plan.start_us)

    def gate_of_reader(self) -> dict[str, str]:
        """The gate of each gate's reader, by their ids."""
        return {reader.id: gate.id for gate in self.site.gates for reader in gate.readers}


def _chance(plan: Plan, *of: object) -> Random:
    """A source of chance of its own for each thing, so that one more gate does not change the others."""
    return Random("/".join(map(str, (plan.seed, *of))))


def simulate(plan: Plan) -> Simulation:
    """Everything that happens and is heard."""
    site = make_site(gates=plan.gates, zones=plan.zones)
    trips = [trip for number in range(plan.gates) for trip in _plan_gate(plan, number)]
    parked = [one for number in range(plan.gates) for one in _park(plan, site, trips, number)]
    stays = plan_stays(
        _chance(plan, "stays"), Maker(_chance(plan, "stay goods")), site,
        start_us=plan.start_us, seconds=plan.zone_s, tags=plan.tags,
    )  # fmt: skip
    heard = [*_hear_gates(plan, site, trips, parked), *_hear_zones(plan, site, stays)]
    batches = [batch for reader_id, sights in heard for batch in _send(plan, reader_id, sights)]
    return Simulation(plan, site, tuple(trips), tuple(parked), tuple(stays), tuple(sorted(batches)))


def _plan_gate(plan: Plan, gate: int) -> list[Trip]:
    maker = Maker(_chance(plan, "goods", gate))
    return plan_trips(
        _chance(plan, "traffic", gate), maker, plan.traffic, gate=gate, start_us=plan.start_us, count=plan.trips
    )


def _park(plan: Plan, site: Site, trips: Sequence[Trip], gate: int) -> list[Parked]:
    """A pallet beside the lane, two to three and a half metres behind or before the wall, all the time."""
    chance = _chance(plan, "parked", gate)
    own = [trip for trip in trips if trip.gate == gate]
    if chance.random() >= plan.noise.parked or not own:
        return []
    pallet = Maker(_chance(plan, "parked goods", gate)).pallet(wrong_share=0.0)
    x, y = chance.choice((-1, 1)) * chance.uniform(2.0, 3.5), site.gates[gate].y + chance.choice((-1, 1)) * 1.4
    return [Parked(gate, pallet, x, y, plan.start_us, own[-1].last_us)]


def _hear_gates(
    plan: Plan, site: Site, trips: list[Trip], parked: list[Parked]
) -> list[tuple[str, list[Sight]]]:  # fmt: skip
    heard: list[tuple[str, list[Sight]]] = []
    for number, gate in enumerate(site.gates):
        near = [trip for trip in trips if abs(trip.gate - number) <= 1]
        beside = [one for one in parked if abs(one.gate - number) <= 1]
        by_reader = {
            reader.id: listen(
                reader, number, site.gates, trips=near, parked=beside,
                air=Air(_chance(plan, "air", reader.id), 1 - plan.noise.missed), chance=_chance(plan, "rounds", reader.id),
            )
            for reader in gate.readers
        }  # fmt: skip
        all_heard = sorted(sight for sights in by_reader.values() for sight in sights)
        maker = Maker(_chance(plan, "stock", gate.id))
        for ghost in haunt(_chance(plan, "ghosts", gate.id), maker, gate, all_heard, plan.noise.ghosts):
            by_reader[ghost.reader_id].append(ghost)
        heard += [(reader_id, sorted(sights)) for reader_id, sights in by_reader.items()]
    return heard


def _hear_zones(plan: Plan, site: Site, stays: list[Stay]) -> list[tuple[str, list[Sight]]]:
    heard: list[tuple[str, list[Sight]]] = []
    for number, zone in enumerate(site.zones):
        air = Air(_chance(plan, "air", zone.id), 1 - plan.noise.missed)
        sights = listen_zone(site, number, stays, air, _chance(plan, "rounds", zone.id))
        sights += stray(_chance(plan, "strays", zone.id), site, number, stays, sights, plan.noise.ghosts)
        heard.append((zone.reader.id, sorted(sights)))
    return heard


def _send(plan: Plan, reader_id: str, sights: list[Sight]) -> list[Batch]:
    clock = make_clock(_chance(plan, "clock", reader_id), plan.noise, plan.start_us)
    return send(_chance(plan, "way", reader_id), plan.noise, reader_id, sights, clock)
