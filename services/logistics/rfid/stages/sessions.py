"""What went through a portal at one time: a session, from the photo-eye or the first read until it is quiet (RFID.md 4.3)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

import msgspec

from services.logistics.rfid.stages.reads import SECOND_US, Antenna, Bucket, by_epc


class PortalRules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of a portal: antennas by side, times of a session, and what tells a tag from a ghost."""

    outside: frozenset[Antenna] = frozenset()
    inside: frozenset[Antenna] = frozenset()
    quiet_us: int = 2 * SECOND_US
    settle_us: int = SECOND_US // 2
    longest_us: int = 120 * SECOND_US
    least_side_reads: int = 2
    least_gap_us: int = 300_000
    last_side_share: float = 0.8
    ghost_reads: int = 3
    ghost_antennas: int = 2
    ghost_rssi_dbm: float = -60.0
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
    parts: list[list[Bucket]] = []
    last_us = 0
    for bucket in ordered:
        fresh = not parts or bucket.first_us - last_us > rules.quiet_us
        if fresh or bucket.first_us - parts[-1][0].first_us > rules.longest_us:
            parts.append([])
            last_us = bucket.last_us
        parts[-1].append(bucket)
        last_us = max(last_us, bucket.last_us)
    return parts
