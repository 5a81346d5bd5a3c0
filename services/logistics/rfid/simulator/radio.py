"""Who hears whom: the link budget between an antenna and a tag, there and back.

Forward: EIRP 36 dBm (1 W into 6 dBi, FCC 15.247), 31.7 dB over the first metre at 915 MHz, 20 dB a decade from there, a tag of
2 dBi that is met at 3 dB for its polarisation. A chip of this decade wakes at some -20 dBm; -15 leaves room for how it is glued.
Back: 6 dB lost in modulation, the same way once more, so that the signal falls by 40 dB a decade.
"""

from __future__ import annotations

from math import acos, degrees, log10
from random import Random

from services.logistics.rfid.simulator.sites import AntennaAt

EIRP_DBM, FIRST_METRE_DB, TAG_DBI, POLARISATION_DB = 36.0, 31.7, 2.0, 3.0
WAKES_DBM = -15.0
BACKSCATTER_DB, READER_DBI = 6.0, 6.0
WIDTH_DEGREES, BACK_DB = 70.0, 20.0
FADING_DB = 2.0
"""Fast fading of what moves, one way: a standard deviation."""
SOFT_DB = 1.0
_STEPS = 400
_FADES = 4_096


def _pattern(cosine: float) -> float:
    angle = degrees(acos(max(-1.0, min(1.0, cosine))))
    return min(12 * (angle / WIDTH_DEGREES) ** 2, BACK_DB)


_PATTERN = [_pattern(step / _STEPS * 2 - 1) for step in range(_STEPS + 1)]
_TAG_DBM = EIRP_DBM - FIRST_METRE_DB + TAG_DBI - POLARISATION_DB
_BACK_DBM = -BACKSCATTER_DB + TAG_DBI - POLARISATION_DB - FIRST_METRE_DB + READER_DBI
_LEAST = WAKES_DBM - 3 * FADING_DB - 3 * SOFT_DB


class Air:
    """The air between antennas and tags, with its chance; ``heard`` is how often a tag that is well lit answers a round."""

    def __init__(self, chance: Random, heard: float) -> None:
        self._random = chance.random
        self._heard = heard
        self._fades = [chance.gauss(0, FADING_DB) for _ in range(_FADES)]

    def ask(self, antenna: AntennaAt, x: float, y: float, z: float, loss_db: float) -> int | None:
        """One round at an antenna for a tag at a place: what signal it answers with, in whole dBm, None when it does not."""
        dx, dy, dz = x - antenna.x, y - antenna.y, z - antenna.z
        square = dx * dx + dy * dy + dz * dz + 0.01
        away_db = 10 * log10(square)
        lit = _TAG_DBM - away_db - loss_db
        if lit < _LEAST:
            return None
        cosine = (dx * antenna.look_x + dy * antenna.look_y) / square**0.5
        aside = _PATTERN[int((cosine + 1) / 2 * _STEPS)]
        fade = self._fades[int(self._random() * _FADES)]
        lit += fade - aside
        over = (lit - WAKES_DBM) / SOFT_DB
        answers = self._heard if over > 3 else self._heard * max(0.0, (over + 3) / 6)
        if self._random() >= answers:
            return None
        return round(lit + _BACK_DBM - away_db - loss_db - aside + fade)
