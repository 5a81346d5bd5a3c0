"""What went through a portal at one time: a session, from the photo-eye or the first read until it is quiet (RFID.md 4.3)."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from itertools import accumulate, pairwise

import msgspec

from services.logistics.rfid.stages.reads import SECOND_US, Antenna, Bucket, by_epc


class PortalRules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of a portal: antennas by side, times of a session, and what tells a tag from a ghost.

    A tag with ``near_reads`` on one side and none on the other came near and did not pass.
    """

    outside: frozenset[Antenna] = frozenset()
    inside: frozenset[Antenna] = frozenset()
    quiet_us: int = 2 * SECOND_US
    settle_us: int = SECOND_US // 2
    longest_us: int = 120 * SECOND_US
    least_side_reads: int = 2
    least_gap_us: int = 300_000
    last_side_share: float = 0.8
    near_reads: int = 10
    ghost_reads: int = 3
    ghost_share: float = 0.4
    burst_us: int = 2 * SECOND_US
    ghost_antennas: int = 2
    ghost_rssi_dbm: float = -60.0
    ghost_weaker_db: float = 15.0
    parked_us: int = 300 * SECOND_US


class Beam(msgspec.Struct, frozen=True, order=True):
    """The photo-eye was interrupted, from when until when; ``until_us`` None while it is."""

    since_us: int
    until_us: int | None = None


def find_beams(edges: Iterable[tuple[int, bool]]) -> list[Beam]:
    """The times of the photo-eye in its edges (when, and whether it went high), whatever order they came in."""
    beams: list[Beam] = []
    for at_us, is_high in sorted(set(edges)):
        is_open = bool(beams) and beams[-1].until_us is None
        if is_high and not is_open:
            beams.append(Beam(at_us))
        elif not is_high and is_open:
            beams[-1] = Beam(beams[-1].since_us, at_us)
    return beams


class Span(msgspec.Struct, frozen=True, order=True):
    """The time of a session, and whether the photo-eye opened it."""

    first_us: int
    last_us: int
    has_beam: bool = False


class Session(msgspec.Struct, frozen=True):
    """A session with its tags' buckets; one without any is an event too: something passed that no tag was read of."""

    span: Span
    tags: tuple[tuple[str, tuple[Bucket, ...]], ...]

    @property
    def is_empty(self) -> bool:
        """Whether something passed without a readable tag."""
        return not self.tags


def find_sessions(buckets: Iterable[Bucket], beams: Iterable[Beam], rules: PortalRules) -> list[Session]:
    """The sessions in the buckets and photo-eye times of a portal, earliest first."""
    ordered = sorted(buckets)
    cores = _beam_spans(beams, rules)
    taken: dict[Span, list[Bucket]] = {core: [] for core in cores}
    alone: list[Bucket] = [] if cores else ordered
    for bucket in ordered if cores else ():
        core = _nearest(bucket, cores, rules)
        (alone if core is None else taken[core]).append(bucket)
    for part in _part(alone, rules):
        taken[Span(part[0].first_us, max(bucket.last_us for bucket in part))] = part
    return [_session(span, taken[span]) for span in sorted(taken)]


def _session(span: Span, buckets: list[Bucket]) -> Session:
    return Session(span, tuple((epc, tuple(seen)) for epc, seen in sorted(by_epc(buckets).items())))


def _beam_spans(beams: Iterable[Beam], rules: PortalRules) -> list[Span]:
    """The times of the photo-eye, with the settling time behind each; reports and inputs come in no order."""
    spans: list[Span] = []
    for beam in sorted(beams, key=lambda beam: (beam.since_us, beam.until_us or 0)):
        capped = beam.since_us + rules.longest_us
        end = capped if beam.until_us is None else min(beam.until_us + rules.settle_us, capped)
        if spans and beam.since_us <= spans[-1].last_us and beam.since_us - spans[-1].first_us < rules.longest_us:
            spans[-1] = Span(spans[-1].first_us, max(end, spans[-1].last_us), True)
        else:
            spans.append(Span(beam.since_us, end, True))
    return spans


def _nearest(bucket: Bucket, cores: list[Span], rules: PortalRules) -> Span | None:
    """The photo-eye's time that a bucket is in, or nearest to within the quiet time; the earlier of two."""
    after = bisect_right(cores, bucket.middle_us, key=_first)
    near = [(_away(core, bucket.middle_us), core) for core in cores[max(0, after - 1) : after + 1]]
    away, core = min(near, default=(rules.quiet_us + 1, None), key=lambda found: found[0])
    return core if away <= rules.quiet_us else None


def _first(core: Span) -> int:
    return core.first_us


def _away(core: Span, at_us: int) -> int:
    return max(core.first_us - at_us, at_us - core.last_us, 0)


def _part(ordered: list[Bucket], rules: PortalRules) -> list[list[Bucket]]:
    """Parts with a quiet time between them; one that is too long is cut, again and again, until none is."""
    starts: list[int] = []
    last_us = 0
    for at, bucket in enumerate(ordered):
        if not starts or bucket.first_us - last_us > rules.quiet_us:
            starts.append(at)
            last_us = bucket.last_us
        elif bucket.first_us - ordered[starts[-1]].first_us > rules.longest_us:
            starts.append(_find_cut(ordered, starts[-1], at, rules))
        last_us = max(last_us, bucket.last_us)
    return [ordered[start:end] for start, end in pairwise([*starts, len(ordered)])]


def _find_cut(ordered: list[Bucket], start: int, end: int, rules: PortalRules) -> int:
    """Where to cut what is too long, from a start to before an end: in its second half, where the fewest tags are being read.

    A tag is being read between two of its reads that are no quiet time apart; of equal places it is the last, so that what
    goes on and on in the same way is cut at its end.
    """
    half_us = ordered[start].first_us + rules.longest_us // 2
    opens, before = Counter[int](), dict[str, int]()
    for at in range(start, len(ordered)):
        bucket = ordered[at]
        if bucket.first_us > ordered[end].first_us + rules.quiet_us:
            break
        since = before.get(bucket.epc)
        if since is not None and bucket.first_us - ordered[since].last_us <= rules.quiet_us:
            opens[since + 1] += 1
            opens[at + 1] -= 1
        before[bucket.epc] = at
    counts = accumulate(opens[at] for at in range(start, end + 1))
    places = [(count, -at) for at, count in enumerate(counts, start) if at > start and ordered[at].first_us >= half_us]
    return -min(places)[1]
