"""Tags that were read but did not pass (RFID.md 4.3): ghosts, parked ones, and those of the neighbouring portal."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, fsum

import msgspec

from services.logistics.rfid.stages.reads import SECOND_US, Bucket
from services.logistics.rfid.stages.sessions import PortalRules, Span

SLOT_US = 10 * SECOND_US
NEIGHBOUR_US = 2 * SECOND_US
_NEEDED = 2


def find_burst(buckets: tuple[Bucket, ...], within_us: int) -> tuple[Bucket, ...]:
    """The part of a tag's buckets, in order of time, that has most reads within a time; the first of equals.

    What passes is read in a burst. What does not is read now and then, and the longer a session, the more often.
    """
    best, most, start, reads = (0, 0), 0, 0, 0
    for end, bucket in enumerate(buckets, 1):
        reads += bucket.count
        while buckets[start].first_us < bucket.last_us - within_us:
            reads -= buckets[start].count
            start += 1
        if reads > most:
            best, most = (start, end), reads
    return buckets[slice(*best)]


class Typical(msgspec.Struct, frozen=True):
    """What speaks for a tag of a session: so many reads in its burst, so strong a signal."""

    reads: int
    rssi_dbm: float


def find_typical(bursts: Iterable[tuple[Bucket, ...]], rules: PortalRules) -> Typical:
    """What speaks for a tag, given the bursts of all tags of a session.

    What passes together is read about alike: so a share of the typical tag's reads, and a signal not much weaker than its
    own, but never less than the portal asks for. Typical is the tag in the middle of all reads, so that many tags that were
    read once or twice do not make it.
    """
    most_first = sorted(((sum(one.count for one in burst), _strongest(burst)) for burst in bursts), reverse=True)
    half, come = sum(count for count, _ in most_first) / 2, 0
    for count, rssi_dbm in most_first:
        come += count
        if come >= half:
            reads = max(rules.ghost_reads, ceil(rules.ghost_share * count))
            return Typical(reads, max(rules.ghost_rssi_dbm, rssi_dbm - rules.ghost_weaker_db))
    return Typical(rules.ghost_reads, rules.ghost_rssi_dbm)


def is_ghost(
    burst: tuple[Bucket, ...], rules: PortalRules, *, is_expected: bool, typical: Typical | None = None
) -> bool:  # fmt: skip
    """Whether fewer than two things speak for a tag: reads, antennas, strength, being expected."""
    least = typical or Typical(rules.ghost_reads, rules.ghost_rssi_dbm)
    speaks_for = (
        sum(bucket.count for bucket in burst) >= least.reads,
        len({bucket.at for bucket in burst}) >= rules.ghost_antennas,
        _strongest(burst) >= least.rssi_dbm,
        is_expected,
    )
    return sum(speaks_for) < _NEEDED


def _strongest(burst: tuple[Bucket, ...]) -> float:
    return max(bucket.rssi_dbm for bucket in burst)


def slot_of(at_us: int) -> int:
    """The ten seconds that a time lies in."""
    return at_us // SLOT_US


def parked_slots(slots: Iterable[int], rules: PortalRules) -> set[int]:
    """Of the slots in which a tag was seen at a portal those in which it was parked there: runs longer than ``parked_us``.

    One slot may be missing within a run: a parked tag is shadowed now and then. The run's end is the end of its suppression.
    """
    parked: set[int] = set()
    run: list[int] = []
    for slot in [*sorted(set(slots)), None]:
        if slot is None or (run and slot - run[-1] > 2):
            if run and (run[-1] - run[0]) * SLOT_US > rules.parked_us:
                parked.update(run)
            run = []
        if slot is not None:
            run.append(slot)
    return parked


class Claim(msgspec.Struct, frozen=True, order=True):
    """A portal says that a tag passed it in a session."""

    portal_id: str
    span: Span
    epc: str
    weight: float


def weigh(buckets: Iterable[Bucket]) -> float:
    """The read-weighted power of a tag, in milliwatts summed over reads."""
    return fsum(bucket.count * 10 ** (bucket.rssi_dbm / 10) for bucket in buckets)


def arbitrate(claims: Iterable[Claim]) -> list[Claim]:
    """The claims that hold: where sessions of two portals are within two seconds, a tag passed the one that heard it best."""
    held: list[Claim] = []
    for claim in sorted(claims, key=lambda claim: (-claim.weight, claim)):
        if not any(_is_near(claim, other) for other in held):
            held.append(claim)
    return sorted(held)


def _is_near(claim: Claim, other: Claim) -> bool:
    if claim.epc != other.epc or claim.portal_id == other.portal_id:
        return False
    gap = max(claim.span.first_us - other.span.last_us, other.span.first_us - claim.span.last_us)
    return gap <= NEIGHBOUR_US
