"""What a session says about each of its tags: the last pure step before EPCIS events (RFID.md 4.3)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from services.logistics.rfid.stages.directions import Direction, Way, find_ways
from services.logistics.rfid.stages.ghosts import find_burst, find_typical, is_ghost
from services.logistics.rfid.stages.reads import Antenna, Bucket
from services.logistics.rfid.stages.sessions import PortalRules, Session, Span


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What is known beside the reads: tags that papers expect, parents of tags, and tags known to be inside or not."""

    expected: frozenset[str] = frozenset()
    parents: Mapping[str, str] = {}
    is_inside: Mapping[str, bool] = {}


class Observation(msgspec.Struct, frozen=True, order=True):
    """A tag in a passage; ``contradicts`` when it goes where it already was said to be."""

    epc: str
    direction: Direction
    by: str
    is_ghost: bool
    contradicts: bool
    reads: int
    antennas: tuple[Antenna, ...]
    rssi_dbm: float
    first_us: int
    last_us: int


class Passage(msgspec.Struct, frozen=True, order=True):
    """Something went through a portal; without observations, something that no tag was read of: a task for a person."""

    portal_id: str
    span: Span
    observations: tuple[Observation, ...]


def judge(portal_id: str, session: Session, rules: PortalRules, context: Context) -> Passage:
    """The passage that a session was."""
    ways = find_ways(session, rules, context.parents)
    bursts = {epc: find_burst(seen, rules.burst_us) for epc, seen in session.tags}
    typical = find_typical(bursts.values(), rules)
    ghosts = {
        epc: is_ghost(burst, rules, is_expected=epc in context.expected, typical=typical)
        for epc, burst in bursts.items()
    }
    observations = tuple(
        _observe(epc, seen, ways[epc], context, is_ghost=ghosts[epc]) for epc, seen in session.tags
    )  # fmt: skip
    return Passage(portal_id, session.span, observations)


def _observe(
    epc: str, seen: tuple[Bucket, ...], way: Way, context: Context, *, is_ghost: bool
) -> Observation:  # fmt: skip
    was_inside = context.is_inside.get(epc)
    goes_inside = {Direction.IN: True, Direction.OUT: False}.get(way.direction)
    return Observation(
        epc=epc,
        direction=way.direction,
        by=way.by,
        is_ghost=is_ghost,
        contradicts=was_inside is not None and was_inside == goes_inside,
        reads=sum(bucket.count for bucket in seen),
        antennas=tuple(sorted({bucket.at for bucket in seen})),
        rssi_dbm=max(bucket.rssi_dbm for bucket in seen),
        first_us=min(bucket.first_us for bucket in seen),
        last_us=max(bucket.last_us for bucket in seen),
    )
