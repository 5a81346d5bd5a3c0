"""What drives through the gates, when, which way, how fast, where it stops, and whether it turns back."""

from __future__ import annotations

from bisect import bisect_right
from enum import StrEnum
from random import Random

import msgspec

from services.logistics.rfid.simulator.goods import Maker, Pallet

SECOND = 1_000_000
FAR = 7.0
"""Whoever is so far from the wall is out of the field."""
BEHIND_ONE_ANOTHER = 1.5


class Going(StrEnum):
    """Into the place behind the gate, out of it, or up to it and back."""

    IN = "in"
    OUT = "out"
    BACK = "back"


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """How busy a gate is: pauses between trucks in seconds (mean, and the least), and shares of what is out of the ordinary.

    ``waits``: stands some metres before the wall for 20 to 90 s; ``stops``: stands in the gate for 2 to 20 s; ``follows``: comes
    right behind the one before; ``turns``: comes up to the wall and goes back; ``wrong``: pallets that do not hold what papers say.
    """

    pause_s: float = 25.0
    least_pause_s: float = 3.0
    waits: float = 0.06
    stops: float = 0.12
    follows: float = 0.08
    turns: float = 0.01
    wrong: float = 0.02


class Trip(msgspec.Struct, frozen=True):
    """One vehicle at a gate; ``way`` is (time, x of its front) in order, straight between."""

    id: str
    gate: int
    going: Going
    way: tuple[tuple[int, float], ...]
    towards: int
    aside: float
    pallets: tuple[Pallet, ...]

    @property
    def first_us(self) -> int:
        """When it comes near."""
        return self.way[0][0]

    @property
    def last_us(self) -> int:
        """When it is gone."""
        return self.way[-1][0]

    def front(self, at_us: int) -> float:
        """Where its front is on the way through the wall; out of reach before and after."""
        after = bisect_right(self.way, at_us, key=_time)
        if after in (0, len(self.way)):
            return self.way[0 if after == 0 else -1][1]
        (t0, x0), (t1, x1) = self.way[after - 1], self.way[after]
        return x0 + (x1 - x0) * (at_us - t0) / (t1 - t0)


def _time(point: tuple[int, float]) -> int:
    return point[0]


def plan_trips(chance: Random, maker: Maker, traffic: Traffic, *, gate: int, start_us: int, count: int) -> list[Trip]:
    """So many vehicles at one gate, one after the other."""
    trips: list[Trip] = []
    free_us = start_us
    for number in range(count):
        follows = number and chance.random() < traffic.follows
        pause_s = 0.5 if follows else traffic.least_pause_s + chance.expovariate(1 / traffic.pause_s)
        trip = _trip(chance, maker, traffic, f"{gate + 1}-{number + 1}", gate, free_us + round(pause_s * SECOND))
        trips.append(trip)
        free_us = trip.last_us
    return trips


def _trip(chance: Random, maker: Maker, traffic: Traffic, id: str, gate: int, start_us: int) -> Trip:
    pallets = _cargo(chance, maker, traffic)
    going = Going.BACK if chance.random() < traffic.turns else chance.choice((Going.IN, Going.OUT))
    towards = -1 if going is Going.OUT or (going is Going.BACK and chance.random() < 0.5) else 1
    length = BEHIND_ONE_ANOTHER * len(pallets)
    way = _way(chance, traffic, going, start_us, length)
    return Trip(id, gate, going, tuple(way), towards, chance.uniform(-0.5, 0.5), pallets)


def _cargo(chance: Random, maker: Maker, traffic: Traffic) -> tuple[Pallet, ...]:
    """A fork-lift with one or two pallets, a truck with three, with loose pieces, or with a container."""
    kind = chance.random()
    if kind < 0.80:
        count = chance.choices((1, 2, 3), (6, 3, 1))[0]
        return tuple(maker.pallet(wrong_share=traffic.wrong) for _ in range(count))
    return (maker.container(),) if kind < 0.88 else (maker.pieces(),)


def _way(chance: Random, traffic: Traffic, going: Going, start_us: int, length: float) -> list[tuple[int, float]]:
    """From out of reach to out of reach at walking to fork-lift speed (0.8 to 2.2 m/s), with what it stops for."""
    speed = chance.uniform(0.8, 2.2)
    way = [(start_us, -FAR)]
    if chance.random() < traffic.waits:
        _stand(way, speed, -chance.uniform(2.0, 4.0), chance.uniform(20, 90))
    if chance.random() < traffic.stops:
        _stand(way, speed, chance.uniform(-0.5, 1.0), chance.uniform(2, 20))
    if going is Going.BACK:
        _stand(way, speed, -chance.uniform(0.3, 1.0), chance.uniform(1, 5))
        _drive(way, speed, -FAR)
    else:
        _drive(way, speed, FAR + length)
    return way


def _drive(way: list[tuple[int, float]], speed: float, to: float) -> None:
    at_us, x = way[-1]
    way.append((at_us + round(abs(to - x) / speed * SECOND), to))


def _stand(way: list[tuple[int, float]], speed: float, at: float, for_s: float) -> None:
    _drive(way, speed, at)
    way.append((way[-1][0] + round(for_s * SECOND), at))
