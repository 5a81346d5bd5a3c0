"""Readers at work: round after round at one antenna after the other, of all that is in the field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

import msgspec

from services.logistics.rfid.simulator.goods import Pallet, Tag
from services.logistics.rfid.simulator.radio import Air
from services.logistics.rfid.simulator.sites import DWELL_US, AntennaAt, GateAt, ReaderAt
from services.logistics.rfid.simulator.traffic import BEHIND_ONE_ANOTHER, Trip

TAGS_A_SECOND = 200
MOST_A_ROUND = TAGS_A_SECOND * DWELL_US // 1_000_000
SHADOW_DB = 3.0
"""Slow fading, one way: what stands between this antenna and that tag on this trip."""
WALL_DB = 3.0
"""A neighbouring gate's antennas look through the frame of the door."""


class Sight(msgspec.Struct, frozen=True, order=True):
    """One answer of one tag; ``passes`` False when the tag was not on anything that drove through this gate."""

    at_us: int
    reader_id: str
    antenna: int
    epc: str
    rssi_dbm: int
    passes: bool = True


class Parked(msgspec.Struct, frozen=True):
    """A pallet that stands in the field of a gate for a while without passing it."""

    gate: int
    pallet: Pallet
    x: float
    y: float
    from_us: int
    until_us: int


_Row = tuple[str, float, float, float, float]
"""A tag as a round needs it: EPC, how far behind the front, y, z, and all that is lost one way."""


class _Field:
    """What moves or stands near the antennas of one reader."""

    def __init__(self, gate: int, trips: list[Trip], parked: list[Parked], gates: tuple[GateAt, ...], chance: Random):
        self._gate, self._trips, self._parked, self._gates = gate, trips, parked, gates
        self._chance = chance
        self._rows: dict[tuple[str, int], list[_Row]] = {}

    def moments(self) -> Iterator[int]:
        """The starts of the rounds in which there is something to hear."""
        spans = [(one.first_us, one.last_us) for one in self._trips] + [(p.from_us, p.until_us) for p in self._parked]
        done = 0
        for first_us, last_us in sorted(spans):
            start = max(done, first_us // DWELL_US)
            done = max(done, last_us // DWELL_US + 1)
            for number in range(start, done):
                yield number * DWELL_US

    def answers(self, air: Air, antenna: AntennaAt, at_us: int) -> list[tuple[str, int, bool]]:
        """Who answers in a round, with what signal, and whether it is passing this gate."""
        heard: list[tuple[str, int, bool]] = []
        for trip in self._near(at_us):
            front, towards, passes = trip.front(at_us), trip.towards, trip.gate == self._gate
            for epc, behind, y, z, loss_db in self._rows_of(trip, antenna):
                signal = air.ask(antenna, towards * (front - behind), y, z, loss_db)
                if signal is not None:
                    heard.append((epc, signal, passes))
        for one in self._parked:
            if one.from_us <= at_us < one.until_us:
                for epc, behind, y, z, loss_db in self._rows_parked(one, antenna):
                    signal = air.ask(antenna, one.x + behind, y, z, loss_db)
                    if signal is not None:
                        heard.append((epc, signal, False))
        return heard

    def _near(self, at_us: int) -> list[Trip]:
        """Trips under way; those that are over are looked at no more."""
        while self._trips and self._trips[0].last_us < at_us:
            self._trips.pop(0)
        return [one for one in self._trips[:6] if one.first_us <= at_us <= one.last_us]

    def _rows_of(self, trip: Trip, antenna: AntennaAt) -> list[_Row]:
        rows = self._rows.get((trip.id, antenna.number))
        if rows is None:
            wall = 0.0 if trip.gate == self._gate else WALL_DB
            y = self._gates[trip.gate].y + trip.aside
            tags = [(tag, n * BEHIND_ONE_ANOTHER) for n, one in enumerate(trip.pallets) for tag in one.tags]
            rows = self._rows[trip.id, antenna.number] = self._make_rows(tags, y, wall)
        return rows

    def _rows_parked(self, one: Parked, antenna: AntennaAt) -> list[_Row]:
        key = (one.pallet.tags[0].epc, antenna.number)
        if key not in self._rows:
            wall = 0.0 if one.gate == self._gate else WALL_DB
            self._rows[key] = self._make_rows([(tag, 0.0) for tag in one.pallet.tags], one.y, wall)
        return self._rows[key]

    def _make_rows(self, tags: list[tuple[Tag, float]], y: float, wall_db: float) -> list[_Row]:
        gauss = self._chance.gauss
        return [
            (tag.epc, back + tag.behind, y + tag.aside, tag.up, tag.loss_db + wall_db + gauss(0, SHADOW_DB))
            for tag, back in tags
        ]


def listen(
    reader: ReaderAt, gate: int, gates: tuple[GateAt, ...], *, trips: Iterable[Trip], parked: Iterable[Parked],
    air: Air, chance: Random,
) -> list[Sight]:  # fmt: skip
    """All that a reader of a gate hears of the trips and parked pallets at it and at its neighbours, in order of time."""
    field = _Field(gate, sorted(trips, key=_first), list(parked), gates, chance)
    sights: list[Sight] = []
    for at_us in field.moments():
        antenna = reader.antennas[at_us // DWELL_US % len(reader.antennas)]
        heard = field.answers(air, antenna, at_us)
        if len(heard) > MOST_A_ROUND:
            heard = chance.sample(heard, MOST_A_ROUND)
        for epc, signal, passes in heard:
            sights.append(Sight(at_us + chance.randrange(DWELL_US), reader.id, antenna.number, epc, signal, passes))
    return sorted(sights)


def _first(trip: Trip) -> int:
    return trip.first_us
