"""How reads are spoilt, and the reads of what was not there."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import msgspec

from services.logistics.rfid.simulator.goods import STRANGER, Maker
from services.logistics.rfid.simulator.inventory import Sight
from services.logistics.rfid.simulator.sites import GateAt

STOCK = 60
UNKNOWN_SHARE = 0.15
AT_ANY_TIME = 0.3
OWN_SIDE = 0.8
"""Stock lies before the wall or behind it, and the antennas that look that way hear most of it."""
SIGNAL_DBM, SIGNAL_SPREAD_DB = -68.0, 4.0
"""Stock stands seven metres off and more: -29 - 40 log 7, less what its place and the antenna's side cost."""


class Noise(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with reads: shares, seconds, and parts in a million.

    ``missed`` of the rounds of a tag that is well lit; ``ghosts`` of all reads are of tags that did not pass; ``repeated`` come
    twice; ``late`` come late, up to ``latest_s``; a reader's clock is up to ``clock_s`` off and runs up to ``drift_ppm`` wrong;
    ``parked`` of the gates have a pallet in their field that stays.
    """

    missed: float = 0.30
    ghosts: float = 0.05
    repeated: float = 0.02
    late: float = 0.10
    latest_s: float = 300.0
    clock_s: float = 3.0
    drift_ppm: float = 50.0
    parked: float = 0.34


QUIET = Noise(missed=0.0, ghosts=0.0, repeated=0.0, late=0.0, clock_s=0.0, drift_ppm=0.0, parked=0.0)


def haunt(chance: Random, maker: Maker, gate: GateAt, sights: Sequence[Sight], share: float) -> list[Sight]:
    """Reads of tags that did not pass a gate, such that they are a share of all its reads.

    Most come while something passes, for it is what drives by that lights stock behind the gate; some of that stock lies
    better than other, so it comes more often.
    """
    if not sights or not share:
        return []
    stock = [maker.case() for _ in range(STOCK)]
    weights = [1 / (rank + 3) for rank in range(STOCK)]
    sides = [sorted(gate.side(is_inside=is_inside)) for is_inside in (False, True)]
    first_us, last_us = sights[0].at_us, sights[-1].at_us
    ghosts: list[Sight] = []
    for _ in range(round(len(sights) * share / (1 - share))):
        lies = chance.choices(range(STOCK), weights)[0]
        known = chance.random() >= UNKNOWN_SHARE
        epc = stock[lies] if known else maker.case(STRANGER)
        looks = sides[lies % 2] if chance.random() < OWN_SIDE else sides[0] + sides[1]
        away = chance.random() < AT_ANY_TIME
        at_us = chance.randint(first_us, last_us) if away else chance.choice(sights).at_us + chance.randint(0, 10**6)
        signal = min(-50, max(-82, round(chance.gauss(SIGNAL_DBM, SIGNAL_SPREAD_DB))))
        ghosts.append(Sight(at_us, *chance.choice(looks), epc, signal, False))
    return ghosts
