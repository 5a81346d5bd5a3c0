"""Which way a tag went through a portal (RFID.md 4.3): by its times at the two sides, else its companions', else the last side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from math import fsum

import msgspec

from services.logistics.rfid.stages.reads import Antenna, Bucket
from services.logistics.rfid.stages.sessions import PortalRules, Session


class Direction(StrEnum):
    """Into the place behind the portal, out of it, or nobody knows."""

    IN = "in"
    OUT = "out"
    UNKNOWN = "unknown"


class Way(msgspec.Struct, frozen=True):
    """A direction and what says so: ``sides``, ``parent``, ``last_side``, or ``nothing``; by ``one_side`` it did not pass."""

    direction: Direction
    by: str


_NOTHING = Way(Direction.UNKNOWN, "nothing")
_ONE_SIDE = Way(Direction.UNKNOWN, "one_side")


def find_ways(session: Session, rules: PortalRules, parents: Mapping[str, str]) -> dict[str, Way]:
    """The way of each tag of a session; ``parents`` says which of them belong together (an SSCC's children, say)."""
    own = {epc: _by_sides(buckets, rules) for epc, buckets in session.tags}
    votes = _vote(session, own, parents)
    ways = {}
    for epc, buckets in session.tags:
        by_parent = votes.get(parents.get(epc, ""))
        if own[epc] is not None:
            ways[epc] = Way(own[epc], "sides")  # type: ignore[arg-type]
        elif _came_near(buckets, rules):
            ways[epc] = _ONE_SIDE
        elif by_parent is not None:
            ways[epc] = Way(by_parent, "parent")
        else:
            ways[epc] = _by_last_side(buckets, rules)
    return ways


def _came_near(buckets: tuple[Bucket, ...], rules: PortalRules) -> bool:
    """Whether a tag was read well on one side and never on the other: what passes is not missed altogether there."""
    if not (rules.outside and rules.inside):
        return False
    reads = sorted(_reads(_at(buckets, side)) for side in (rules.outside, rules.inside))
    return reads[0] == 0 and reads[1] >= rules.near_reads


def _by_sides(buckets: tuple[Bucket, ...], rules: PortalRules) -> Direction | None:
    outer, inner = _at(buckets, rules.outside), _at(buckets, rules.inside)
    if min(_reads(outer), _reads(inner)) < rules.least_side_reads:
        return None
    origin = buckets[0].first_us
    t_out, t_in = _mean_us(outer, origin), _mean_us(inner, origin)
    if abs(t_in - t_out) < rules.least_gap_us:
        return None
    return Direction.IN if t_out < t_in else Direction.OUT


def _mean_us(buckets: list[Bucket], origin_us: int) -> float:
    """The time of a side, weighted by received power; exact sums, so that the order of the reads does not matter."""
    weights = [bucket.count * 10 ** (bucket.rssi_dbm / 10) for bucket in buckets]
    moments = [weight * (bucket.middle_us - origin_us) for weight, bucket in zip(weights, buckets, strict=True)]
    return fsum(moments) / fsum(weights)


def _vote(session: Session, own: Mapping[str, Direction | None], parents: Mapping[str, str]) -> dict[str, Direction]:
    """What most reads of the tags of each parent say, those tags that know it themselves; no majority, no answer."""
    reads: dict[str, dict[Direction, int]] = {}
    for epc, buckets in session.tags:
        parent, direction = parents.get(epc), own[epc]
        if parent and direction is not None:
            tally = reads.setdefault(parent, {Direction.IN: 0, Direction.OUT: 0})
            tally[direction] += _reads(buckets)
    return {
        parent: max(tally, key=lambda one: tally[one])
        for parent, tally in reads.items()
        if tally[Direction.IN] != tally[Direction.OUT]
    }


def _by_last_side(buckets: tuple[Bucket, ...], rules: PortalRules) -> Way:
    sided = [(bucket.last_us, bucket.at in rules.inside) for bucket in buckets if _has_side(bucket, rules)]
    if not sided:
        return _NOTHING
    last_us, is_inside = max(sided)
    if (last_us, not is_inside) in sided:
        return _NOTHING
    here, both = (_reads(_at(buckets, side)) for side in _sides(rules, is_inside=is_inside))
    if here < rules.last_side_share * both:
        return _NOTHING
    return Way(Direction.IN if is_inside else Direction.OUT, "last_side")


def _sides(rules: PortalRules, *, is_inside: bool) -> tuple[frozenset[Antenna], frozenset[Antenna]]:
    return rules.inside if is_inside else rules.outside, rules.inside | rules.outside


def _has_side(bucket: Bucket, rules: PortalRules) -> bool:
    return bucket.at in rules.inside or bucket.at in rules.outside


def _at(buckets: Iterable[Bucket], antennas: frozenset[Antenna]) -> list[Bucket]:
    return [bucket for bucket in buckets if bucket.at in antennas]


def _reads(buckets: Iterable[Bucket]) -> int:
    return sum(bucket.count for bucket in buckets)
