"""The stages between reads and observations, each at its edges."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.logistics.rfid.stages.directions import Direction, find_ways
from services.logistics.rfid.stages.ghosts import SLOT_US, Claim, arbitrate, is_ghost, parked_slots
from services.logistics.rfid.stages.pallets import Pallet, Verdict, infer_pallets
from services.logistics.rfid.stages.presence import COLD_STORE, PORTAL, SHELF, Change, State, follow
from services.logistics.rfid.stages.reads import BUCKET_US, SECOND_US, Bucket, Read, coalesce
from services.logistics.rfid.stages.sessions import Beam, PortalRules, Span, find_beams, find_sessions
from services.logistics.rfid.stages.smoothing import AdaptiveWindow, least_epochs
from services.logistics.rfid.stages.watermarks import Lateness, Watermark, lateness
from services.logistics.rfid.stages.zones import Moved, locate

S = SECOND_US
MS = 1_000
T0 = 1_800_000_000 * S
RULES = PortalRules(outside=frozenset({("r", 1)}), inside=frozenset({("r", 2)}))
READS = st.lists(
    st.builds(
        Read,
        at_us=st.integers(T0, T0 + 3 * S),
        reader_id=st.sampled_from("rq"),
        antenna=st.integers(1, 2),
        epc=st.sampled_from("AB"),
        key=st.integers(0, 60).map(str),
        rssi_dbm=st.integers(-80, -30).map(float),
        count=st.integers(1, 5),
    ),
    max_size=60,
)


def _reads(epc: str, *sights: tuple[int, int], rssi_dbm: float = -50.0) -> list[Read]:
    return [
        Read(T0 + ms * MS, "r", antenna, epc, f"{epc}/{place}", rssi_dbm) for place, (ms, antenna) in enumerate(sights)
    ]


def _every(epc: str, from_ms: int, to_ms: int, step_ms: int, antenna: int = 1, rssi_dbm: float = -50.0) -> list[Read]:
    times = range(from_ms, to_ms, step_ms)
    return [Read(T0 + ms * MS, "r", antenna, epc, f"{epc}/{antenna}/{ms}", rssi_dbm) for ms in times]


@given(reads=READS, seed=st.integers())
def test_buckets_are_those_of_the_set_and_lose_no_read(reads: list[Read], seed: int) -> None:
    again = [*reads, *reads[::2]]
    random.Random(seed).shuffle(again)
    buckets = coalesce(again)
    assert buckets == coalesce(reads)
    kept = {(read.reader_id, read.key): read for read in sorted(reads, reverse=True)}.values()
    assert sum(bucket.count for bucket in buckets) == sum(read.count for read in kept)
    assert all(bucket.first_us // BUCKET_US == bucket.last_us // BUCKET_US for bucket in buckets)
    names = [(*bucket.at, bucket.epc, bucket.first_us // BUCKET_US) for bucket in buckets]
    assert len(names) == len(set(names))


def _states(changes: Iterable[Change]) -> list[tuple[int, str]]:
    return [((change.at_us - T0) // MS, change.state.value) for change in changes]


G, P, L, U = "glimpsed", "present", "lost", "unknown"


@pytest.mark.parametrize(
    ("sights", "rules", "states"),
    [
        ([(0, 1)], SHELF, [(0, G), (60_000, U)]),
        ([(0, 1), (2_001, 1)], SHELF, [(0, G), (62_001, U)]),
        ([(0, 1), (2_000, 1)], SHELF, [(0, G), (2_000, P), (62_000, L)]),
        ([(0, 1), (1, 2)], SHELF, [(0, G), (1, P), (60_001, L)]),
        ([(0, 1), (9, 1), (60_010, 1)], SHELF, [(0, G), (9, P), (60_009, L), (60_010, G), (120_010, U)]),
        ([(0, 1), (9, 1), (60_009, 1)], SHELF, [(0, G), (9, P), (120_009, L)]),
        ([(0, 1), (9, 1), (2_010, 1)], PORTAL, [(0, G), (9, P), (2_009, L), (2_010, G), (4_010, U)]),
        ([(0, 1), (9, 1), (600_009, 1)], COLD_STORE, [(0, G), (9, P), (1_200_009, L)]),
    ],
)  # fmt: skip
def test_a_tag_is_glimpsed_present_and_lost(sights: list[tuple[int, int]], rules, states) -> None:
    changes = follow(coalesce(_reads("A", *sights)), rules, until_us=T0 + 10_000 * S)
    assert _states(changes) == states


def test_what_is_not_certain_yet_is_not_said() -> None:
    buckets = coalesce(_reads("A", (0, 1), (9, 1)))
    assert _states(follow(buckets, SHELF, until_us=T0 + 60 * S)) == [(0, "glimpsed"), (9, "present")]
    assert follow(buckets, SHELF, until_us=T0 + 61 * S)[-1].state is State.LOST


@given(reads=READS, seed=st.integers())
def test_presence_is_a_function_of_the_set(reads: list[Read], seed: int) -> None:
    shuffled = [*reads, *reads]
    random.Random(seed).shuffle(shuffled)
    until = T0 + 100 * S
    assert follow(coalesce(shuffled), SHELF, until_us=until) == follow(coalesce(reads), SHELF, until_us=until)


def test_a_window_adapts_until_it_bridges_the_misses_of_a_tag_and_lets_it_go_when_it_left() -> None:
    """A tag answered at 40 % is there without a gap once the window has grown; gone, it is let go within a window."""
    rng, window = random.Random(3), AdaptiveWindow()
    there = [window.step(0.4 if rng.random() < 0.4 else 0.0) for _ in range(400)]
    assert least_epochs(0.4) == 8
    assert sum(there[50:]) / 350 > 0.97
    gone = [window.step(0.0) for _ in range(30)]
    assert not any(gone[10:])


def test_a_tag_moves_only_when_the_other_zone_hears_it_clearly_better_or_its_own_falls_silent() -> None:
    zones = {("r", 1): "yard", ("r", 2): "dock", ("r", 3): "dock"}
    at_yard, at_dock = _every("A", 0, 3_000, 500, 1, -55.0), _every("A", 100, 3_000, 500, 2, -51.0)
    assert locate(coalesce([*at_yard, *at_dock]), zones) == [Moved(T0, "A", "yard")]
    louder = _every("A", 100, 3_000, 500, 2, -45.0)
    assert [move.zone for move in locate(coalesce([*at_yard, *louder]), zones)] == ["yard", "dock"]
    later = _every("A", 6_000, 8_000, 500, 2, -58.0)
    assert [move.zone for move in locate(coalesce([*at_yard, *later]), zones)] == ["yard", "dock"]
    same = _every("A", 3_100, 6_000, 500, 3, -30.0)
    assert [move.zone for move in locate(coalesce([*at_dock, *same]), zones)] == ["dock"]


def test_edges_of_the_photo_eye_make_beams_whatever_their_order() -> None:
    edges = [(5, False), (9, True), (1, True), (3, True), (1, True), (0, False)]
    assert find_beams(edges) == find_beams(edges[::-1]) == [Beam(1, 5), Beam(9)]


def _spans(reads: list[Read], beams: list[Beam], rules: PortalRules = RULES) -> list[tuple[int, int, int]]:
    return [
        ((one.span.first_us - T0) // MS, (one.span.last_us - T0) // MS, len(one.tags))
        for one in find_sessions(coalesce(reads), beams, rules)
    ]


@pytest.mark.parametrize(
    ("reads", "beams", "spans"),
    [
        (_reads("A", (0, 1), (2_000, 1)), [], [(0, 2_000, 1)]),
        (_reads("A", (0, 1), (2_001, 1)), [], [(0, 0, 1), (2_001, 2_001, 1)]),
        (_every("A", 0, 130_000, 1_000), [], [(0, 120_000, 1), (121_000, 129_000, 1)]),
        ([], [Beam(T0, T0 + S)], [(0, 1_500, 0)]),
        ([], [Beam(T0)], [(0, 120_000, 0)]),
        ([], [Beam(T0, T0 + S), Beam(T0 + 1_400 * MS, T0 + 3 * S)], [(0, 3_500, 0)]),
        (_reads("A", (-1_900, 1), (3_400, 1)), [Beam(T0, T0 + S)], [(0, 1_500, 1)]),
        (_reads("A", (-2_100, 1)), [Beam(T0, T0 + S)], [(-2_100, -2_100, 1), (0, 1_500, 0)]),
    ],
    ids=[
        "quiet for 2 s",
        "quiet for longer",
        "capped",
        "empty",
        "stuck eye",
        "settling",
        "near the eye",
        "far from it",
    ],
)
def test_where_sessions_begin_and_end(reads: list[Read], beams: list[Beam], spans: list[tuple[int, int, int]]) -> None:
    assert _spans(reads, beams) == spans


def _ways(reads: list[Read], parents: dict[str, str] | None = None) -> dict[str, tuple[Direction, str]]:
    (session,) = find_sessions(coalesce(reads), [], RULES)
    return {epc: (way.direction, way.by) for epc, way in find_ways(session, RULES, parents or {}).items()}


@pytest.mark.parametrize(
    ("sights", "way"),
    [
        ([(0, 1), (300, 1), (900, 2), (1_200, 2)], (Direction.IN, "sides")),
        ([(0, 2), (300, 2), (900, 1), (1_200, 1)], (Direction.OUT, "sides")),
        ([(0, 1), (300, 1), (290, 2), (300, 2)], (Direction.UNKNOWN, "nothing")),
        ([(0, 1), (900, 2), (1_200, 2), (1_500, 2), (1_800, 2)], (Direction.IN, "last_side")),
        ([(0, 1), (900, 2), (1_200, 2), (1_500, 2)], (Direction.UNKNOWN, "nothing")),
        ([(0, 2), (300, 2), (600, 2)], (Direction.IN, "last_side")),
        ([(0, 9), (300, 9)], (Direction.UNKNOWN, "nothing")),
        ([(0, 1), (0, 2)], (Direction.UNKNOWN, "nothing")),
    ],
)
def test_the_way_of_a_tag(sights: list[tuple[int, int]], way: tuple[Direction, str]) -> None:
    assert _ways(_reads("A", *sights)) == {"A": way}


def test_a_strong_read_counts_for_more_than_a_weak_one() -> None:
    """At the outer side the tag is heard weakly long after it has gone in: its time there is still early."""
    near = _every("A", 0, 600, 100, 1, -40.0) + _every("A", 1_200, 1_800, 100, 2, -40.0)
    echo = _every("A", 1_900, 3_500, 100, 1, -75.0)
    assert _ways(near + echo) == {"A": (Direction.IN, "sides")}


def test_a_tag_that_nobody_can_tell_goes_as_most_reads_of_its_parent() -> None:
    inward, outward = [(0, 1), (300, 1), (900, 2), (1_200, 2)], [(0, 2), (300, 2), (900, 1), (1_200, 1)]
    parents = dict.fromkeys("ABCD", "pallet")
    even = _reads("A", *inward) + _reads("B", *outward) + _reads("D", (600, 9))
    assert _ways(even, parents)["D"] == (Direction.UNKNOWN, "nothing")
    most = even + _reads("C", *inward)
    assert _ways(most, parents)["D"] == (Direction.IN, "parent")
    assert _ways(most, {})["D"] == (Direction.UNKNOWN, "nothing")


@pytest.mark.parametrize(
    ("sights", "rssi_dbm", "is_expected", "ghost"),
    [
        ([(0, 1), (1, 1), (2, 1)], -80, False, True),
        ([(0, 1), (1, 1), (2, 2)], -80, False, False),
        ([(0, 1), (1, 1), (2, 1)], -60, False, False),
        ([(0, 1)], -60.1, True, True),
        ([(0, 1)], -60, True, False),
        ([(0, 1), (1, 2)], -80, True, False),
    ],
)
def test_two_things_must_speak_for_a_tag(
    sights: list[tuple[int, int]], rssi_dbm: float, is_expected: bool, ghost: bool
) -> None:
    buckets = tuple(coalesce(_reads("A", *sights, rssi_dbm=rssi_dbm)))
    assert is_ghost(buckets, RULES, is_expected=is_expected) is ghost


def test_a_tag_is_parked_after_five_minutes_and_until_it_is_gone() -> None:
    assert SLOT_US == 10 * S
    assert parked_slots(range(31), RULES) == set()
    assert parked_slots(range(32), RULES) == set(range(32))
    assert parked_slots(range(0, 40, 2), RULES) == set(range(0, 40, 2))
    assert parked_slots(range(0, 90, 3), RULES) == set()
    assert parked_slots([*range(40), 50], RULES) == set(range(40))


def test_the_portal_that_heard_a_tag_best_has_it() -> None:
    one = Claim("one", Span(T0, T0 + 5 * S), "A", 3.0)
    two = Claim("two", Span(T0 + 7 * S, T0 + 9 * S), "A", 2.0)
    far = Claim("two", Span(T0 + 8 * S, T0 + 9 * S), "A", 2.0)
    other = Claim("two", Span(T0, T0 + 5 * S), "B", 1.0)
    assert arbitrate([two, other, one]) == [one, other]
    assert arbitrate([far, one]) == [one, far]


TWO_PALLETS = {
    "P": Pallet("P", Verdict.INFERRED, tuple("abcde"), tuple("de"), ()),
    "Q": Pallet("Q", Verdict.INFERRED, tuple("vwxyz"), tuple("yz"), ()),
}
CONTENTS = {"P": frozenset("abcde"), "Q": frozenset("vwxyz")}


@pytest.mark.parametrize(
    ("read", "pallets"),
    [
        ("Pabcde", [Pallet("P", Verdict.VERIFIED, tuple("abcde"), (), ())]),
        ("abcde", [Pallet("P", Verdict.VERIFIED, tuple("abcde"), (), ())]),
        ("P", [Pallet("P", Verdict.INFERRED, tuple("abcde"), tuple("abcde"), ())]),
        ("abc", [Pallet("P", Verdict.INFERRED, tuple("abcde"), tuple("de"), ())]),
        ("ab", [Pallet("P", Verdict.READ_ONLY, tuple("ab"), (), ())]),
        ("abcdv", [Pallet("P", Verdict.MISMATCH, tuple("abcd"), (), tuple("v"))]),
        ("Pv", [Pallet("P", Verdict.MISMATCH, (), (), tuple("v"))]),
        ("abcvwx", [TWO_PALLETS["P"], TWO_PALLETS["Q"]]),
        ("!", []),
    ],
)  # fmt: skip
def test_what_moved_with_a_pallet(read: str, pallets: list[Pallet]) -> None:
    assert infer_pallets(read, CONTENTS) == pallets


def test_the_slowest_reader_that_speaks_holds_the_watermark() -> None:
    mark = Watermark()
    mark.hear("fast", seen_us=T0 + 20 * S, received_us=T0 + 20 * S)
    mark.hear("slow", seen_us=T0 + 15 * S, received_us=T0 + 20 * S)
    assert mark.at(T0 + 20 * S) == T0 + 13 * S
    mark.hear("fast", seen_us=T0 + 29 * S, received_us=T0 + 29 * S)
    assert mark.at(T0 + 30 * S) == T0 + 13 * S
    assert mark.at(T0 + 30 * S + 1) == T0 + 27 * S, "the slow one has been silent for more than ten seconds"
    mark.hear("slow", seen_us=T0 + 16 * S, received_us=T0 + 31 * S)
    assert mark.at(T0 + 31 * S) == T0 + 27 * S, "a watermark never goes back"
    assert mark.at(T0 + 100 * S) == T0 + 88 * S, "when none speaks, time itself goes on"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 100), st.integers(0, 100)), max_size=40))
def test_a_watermark_never_goes_back_nor_ahead(said: list[tuple[str, int, int]]) -> None:
    mark, before, now = Watermark(), 0, T0
    for reader_id, ahead, later in said:
        now += later * S
        mark.hear(reader_id, seen_us=T0 + ahead * S, received_us=now)
        at = mark.at(now)
        assert before <= at <= now - 2 * S
        before = at


@pytest.mark.parametrize(
    ("at_us", "late"),
    [(T0, Lateness.IN_TIME), (T0 - 1, Lateness.LATE), (T0 - 900 * S, Lateness.LATE), (T0 - 900 * S - 1, Lateness.TOO_LATE)],
)  # fmt: skip
def test_how_late_a_read_is(at_us: int, late: Lateness) -> None:
    assert lateness(at_us, T0) is late


def test_a_bucket_keeps_the_strongest_signal() -> None:
    (bucket,) = coalesce([*_reads("A", (0, 1), rssi_dbm=-70), Read(T0 + 249 * MS, "r", 1, "A", "k", -40.0, 3)])
    assert bucket == Bucket(T0, T0 + 249 * MS, "r", 1, "A", -40.0, 4)
