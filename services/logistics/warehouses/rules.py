"""The rules of a gate: where its antennas look, what makes a passage, and what a passage means. A version is never changed.

RFID.md 4.1 and 4.3 give the numbers that stand where a gate says none, 4.5 the table of what a passage means.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from chassis.values import Identifier
from services.logistics.rfid.stages.directions import Direction
from services.logistics.rfid.stages.reads import SECOND_US
from services.logistics.rfid.stages.sessions import PortalRules

MS_US = 1_000
MOST_ANTENNAS, MOST_NEIGHBOURS, MOST_MEANINGS = 256, 16, 32
Word = Annotated[str, Meta(pattern=r"^(?:[a-z][a-z_]{0,63}|[a-z][a-z0-9+.-]{1,15}:[!-~]{1,400})(?![\s\S])")]
"""A word of the CBV, bare, or somebody's own as a URI."""


class Role(StrEnum):
    """What a gate is for. A packing station packs, a zone is where goods stay; at the others they pass."""

    DISPATCH = "dispatch"
    RECEIVING = "receiving"
    BOTH = "both"
    PACKING = "packing"
    ZONE = "zone"


class Side(StrEnum):
    """Where an antenna looks: into the place behind the gate, or out of it."""

    INSIDE = "inside"
    OUTSIDE = "outside"


class Paper(StrEnum):
    """Whether something that passes has an open document: a delivery that it is on, or none."""

    DELIVERY = "delivery"
    NONE = "none"


class Antenna(msgspec.Struct, frozen=True, order=True, kw_only=True, forbid_unknown_fields=True):
    """An antenna and its side. Without ``reader_id`` it is one of the reader that says no name of its own."""

    antenna: Annotated[int, Meta(ge=0, le=65_535)]
    side: Side
    reader_id: Identifier | None = None


class Meaning(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it means that something passed: this way, with or without a document; what is left out fits all."""

    biz_step: Word
    disposition: Word | None = None
    direction: Direction | None = None
    paper: Paper | None = None


class GateRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that a gate says about its own reads.

    A passage ends ``closing_ms`` after its last read (``settle_ms`` after the photo-eye is free again) and lasts ``longest_s``
    at most. A tag passed when two of these say so: ``ghost_reads`` reads within ``burst_ms``, ``ghost_antennas`` antennas in that
    time, one read of ``ghost_rssi_dbm``, a document that expects it. Beside others it takes ``ghost_share_percent`` of the reads of
    the tag that is typical for them, and a read no more than ``ghost_weaker_db`` below its best. A tag with ``near_reads`` at one
    side and none at the other came near and did not pass. A tag read for longer than ``parked_s`` stands there and passes nothing.
    A reader's clock is believed up to ``clock_skew_s``. Tags of other GS1 company prefixes than ``prefixes`` are kept and
    make no event; without any, those of all companies count. ``neighbours`` are gates so near that they hear the same tags.
    The first of ``meanings`` that fits says what a passage means; when none does, the table of the gate's role.
    """

    role: Role = Role.BOTH
    antennas: Annotated[tuple[Antenna, ...], Meta(max_length=MOST_ANTENNAS)] = ()
    closing_ms: Annotated[int, Meta(ge=100, le=60_000)] = 2_000
    settle_ms: Annotated[int, Meta(ge=0, le=10_000)] = 500
    longest_s: Annotated[int, Meta(ge=1, le=600)] = 120
    least_side_reads: Annotated[int, Meta(ge=1, le=1_000)] = 2
    least_gap_ms: Annotated[int, Meta(ge=0, le=60_000)] = 300
    last_side_percent: Annotated[int, Meta(ge=51, le=100)] = 80
    ghost_reads: Annotated[int, Meta(ge=0, le=1_000)] = 3
    ghost_antennas: Annotated[int, Meta(ge=1, le=MOST_ANTENNAS)] = 2
    ghost_rssi_dbm: Annotated[int, Meta(ge=-120, le=0)] = -60
    ghost_share_percent: Annotated[int, Meta(ge=0, le=100)] = 40
    ghost_weaker_db: Annotated[int, Meta(ge=0, le=60)] = 15
    burst_ms: Annotated[int, Meta(ge=250, le=60_000)] = 2_000
    near_reads: Annotated[int, Meta(ge=1, le=1_000)] = 10
    parked_s: Annotated[int, Meta(ge=60, le=3_600)] = 300
    clock_skew_s: Annotated[int, Meta(ge=0, le=604_800)] = 86_400
    neighbours: Annotated[tuple[Identifier, ...], Meta(max_length=MOST_NEIGHBOURS)] = ()
    prefixes: Annotated[tuple[Annotated[str, Meta(pattern=r"^[0-9]{4,12}(?![\s\S])")], ...], Meta(max_length=64)] = ()
    meanings: Annotated[tuple[Meaning, ...], Meta(max_length=MOST_MEANINGS)] = ()

    @property
    def can_tell_ways(self) -> bool:
        """Whether it knows which way something went: by its sides, or because all goes one way there."""
        return self.has_sides or self.role in (Role.DISPATCH, Role.RECEIVING)

    @property
    def has_sides(self) -> bool:
        """Whether it can tell which way something went: antennas on both sides."""
        return {one.side for one in self.antennas} == set(Side)

    def find_meaning(self, direction: Direction, paper: Paper) -> tuple[str, str | None]:
        """The bizStep and the disposition of what passed."""
        table = (*self.meanings, *_TABLES.get(self.role, _PASSING))
        found = next(one for one in table if one.direction in (None, direction) and one.paper in (None, paper))
        return found.biz_step, found.disposition


_ANYTHING = Meaning(biz_step="entering_exiting")
_PASSING = (
    Meaning(direction=Direction.IN, biz_step="arriving", disposition="in_progress"),
    Meaning(direction=Direction.OUT, biz_step="departing", disposition="in_transit"),
    Meaning(paper=Paper.DELIVERY, biz_step="departing", disposition="in_transit"),
    _ANYTHING,
)
_RECEIVING = (
    Meaning(direction=Direction.IN, paper=Paper.DELIVERY, biz_step="receiving", disposition="in_progress"),
    *_PASSING,
)
_PACKING = (Meaning(biz_step="packing", disposition="in_progress"),)
_TABLES = {Role.RECEIVING: _RECEIVING, Role.PACKING: _PACKING}


def portal_rules(rules: GateRules) -> PortalRules:
    """The rules as the stages take them, in microseconds."""
    sides = {
        side: frozenset((one.reader_id or "", one.antenna) for one in rules.antennas if one.side == side)
        for side in Side
    }
    return PortalRules(
        outside=sides[Side.OUTSIDE],
        inside=sides[Side.INSIDE],
        quiet_us=rules.closing_ms * MS_US,
        settle_us=rules.settle_ms * MS_US,
        longest_us=rules.longest_s * SECOND_US,
        least_side_reads=rules.least_side_reads,
        least_gap_us=rules.least_gap_ms * MS_US,
        last_side_share=rules.last_side_percent / 100,
        ghost_reads=rules.ghost_reads,
        ghost_antennas=rules.ghost_antennas,
        ghost_rssi_dbm=rules.ghost_rssi_dbm,
        ghost_share=rules.ghost_share_percent / 100,
        ghost_weaker_db=rules.ghost_weaker_db,
        burst_us=rules.burst_ms * MS_US,
        near_reads=rules.near_reads,
        parked_us=rules.parked_s * SECOND_US,
    )
