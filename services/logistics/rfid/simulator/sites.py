"""Where things stand: gates side by side, with antennas on both sides of each lane, and zones with antennas of their own.

x goes through the gates, from outside (negative) to inside; y along the wall; z up.
"""

from __future__ import annotations

from math import cos, radians, sin

import msgspec

GATE_APART = 4.0
"""Dock doors stand four metres from centre to centre."""
LANE_HALF = 1.5
SIDE_AT = 0.6
TURNED_DEGREES = 35
"""Each side's antennas stand a little before the wall and are turned away from it."""
HEIGHT = 1.2
DWELL_US = 100_000
"""A reader listens at one antenna for so long, then at the next."""


class AntennaAt(msgspec.Struct, frozen=True):
    """An antenna of a reader: its number there, where it is, and where it looks (a unit vector in the plane)."""

    number: int
    x: float
    y: float
    z: float
    look_x: float
    look_y: float
    is_inside: bool


class ReaderAt(msgspec.Struct, frozen=True):
    """A reader with its antennas."""

    id: str
    antennas: tuple[AntennaAt, ...]


class GateAt(msgspec.Struct, frozen=True):
    """A gate with its readers: one with four antennas, or one a side of the lane, each with its own clock."""

    id: str
    y: float
    readers: tuple[ReaderAt, ...]

    def side(self, *, is_inside: bool) -> frozenset[tuple[str, int]]:
        """The antennas of a side, by reader and number."""
        return frozenset(
            (reader.id, one.number) for reader in self.readers for one in reader.antennas if one.is_inside == is_inside
        )


class ZoneAt(msgspec.Struct, frozen=True):
    """A place where goods stay, with a reader of its own; ``x`` and ``y`` are its middle, ``half`` half its width."""

    id: str
    x: float
    y: float
    half: float
    reader: ReaderAt


class Site(msgspec.Struct, frozen=True):
    """All gates and zones."""

    gates: tuple[GateAt, ...]
    zones: tuple[ZoneAt, ...]


def make_site(*, gates: int, zones: int = 0) -> Site:
    """A site; every other gate has two readers."""
    return Site(tuple(_gate(number) for number in range(gates)), tuple(_zone(number) for number in range(zones)))


def _gate(number: int) -> GateAt:
    id, y = f"gate-{number + 1}", number * GATE_APART
    corners = [(is_inside, right) for right in (-1, 1) for is_inside in (False, True)]
    if number % 2 == 0:
        antennas = tuple(_at_gate(n + 1, y, right, is_inside) for n, (is_inside, right) in enumerate(corners))
        return GateAt(id, y, (ReaderAt(f"{id}-reader", antennas),))
    readers = tuple(
        ReaderAt(
            f"{id}-{name}", tuple(_at_gate(n + 1, y, right, is_inside) for n, is_inside in enumerate((False, True)))
        )
        for name, right in (("left", -1), ("right", 1))
    )
    return GateAt(id, y, readers)


def _at_gate(number: int, y: float, right: int, is_inside: bool) -> AntennaAt:
    towards = 1 if is_inside else -1
    turned = radians(TURNED_DEGREES)
    return AntennaAt(
        number, towards * SIDE_AT, y + right * LANE_HALF, HEIGHT, towards * sin(turned), -right * cos(turned), is_inside
    )


def _zone(number: int) -> ZoneAt:
    """Zones lie in a row, eight metres apart, each with two antennas that look at each other."""
    id, y, half = f"zone-{number + 1}", number * 8.0, 1.5
    ends = ((1, y - half - 0.5, 1.0), (2, y + half + 0.5, -1.0))
    antennas = tuple(AntennaAt(n, 30.0, at, HEIGHT, 0.0, look, is_inside=True) for n, at, look in ends)
    return ZoneAt(id, 30.0, y, half, ReaderAt(f"{id}-reader", antennas))
