"""A portal's passages are a function of the set of its reads: any order, repetition and cutting of them gives the same."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from services.logistics.rfid.stages.directions import Direction
from services.logistics.rfid.stages.ghosts import parked_slots, slot_of
from services.logistics.rfid.stages.passages import Context, Passage, judge
from services.logistics.rfid.stages.portal import Portal, Settled
from services.logistics.rfid.stages.reads import SECOND_US, Read, coalesce, unique
from services.logistics.rfid.stages.sessions import PortalRules, find_beams, find_sessions
from services.logistics.rfid.stages.watermarks import LATE_US

S = SECOND_US
T0 = 1_800_000_000 * S
END = T0 + 7_200 * S
RULES = PortalRules(outside=frozenset({("r", 1), ("q", 1)}), inside=frozenset({("r", 2)}))
CONTEXT = Context(
    expected=frozenset({"A"}), parents={"A": "P", "B": "P", "C": "P", "D": "Q"}, is_inside={"A": True, "B": False}
)


@st.composite
def read_files(draw: st.DrawFn) -> list[Read]:
    """Reads of half an hour: bursts of a few tags at a few antennas, some of a tag that is parked for minutes."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    at, reads = T0, []
    for _ in range(draw(st.integers(1, 12))):
        at += rng.choice((300_000, 1_900_000, 2_100_000, 8 * S, 60 * S))
        for _ in range(rng.randint(1, 25)):
            reads.append(_read(rng, at + rng.randint(0, 3 * S), rng.choice("ABCD")))
    if draw(st.booleans()):
        start, length = T0 + rng.randint(0, 60) * S, rng.choice((200, 320, 700))
        reads += [_read(rng, start + second * S, "PARKED") for second in range(0, length, rng.choice((3, 9, 11)))]
    return reads


def _read(rng: random.Random, at_us: int, epc: str) -> Read:
    reader_id, antenna = rng.choice((("r", 1), ("r", 2), ("q", 1), ("q", 7)))
    return Read(at_us, reader_id, antenna, epc, f"{rng.getrandbits(40)}", rng.uniform(-75, -40), rng.randint(1, 3))


EDGES = st.lists(st.tuples(st.integers(0, 240).map(lambda n: T0 + n * S // 2), st.booleans()), max_size=12)


def _passages_of(reads: list[Read], edges: list[tuple[int, bool]]) -> set[Passage]:
    """The same, said in one sentence over the whole set."""
    slots: dict[str, set[int]] = {}
    for read in unique(reads).values():
        slots.setdefault(read.epc, set()).add(slot_of(read.at_us))
    parked = {epc: parked_slots(seen, RULES) for epc, seen in slots.items()}
    buckets = [one for one in coalesce(reads) if slot_of(one.first_us) not in parked[one.epc]]
    return {judge("gate", one, RULES, CONTEXT) for one in find_sessions(buckets, find_beams(edges), RULES)}


@settings(max_examples=150, deadline=None)
@given(reads=read_files(), edges=EDGES, seed=st.integers(0, 2**32))
def test_any_order_repetition_and_cutting_gives_the_same_passages(
    reads: list[Read], edges: list[tuple[int, bool]], seed: int
) -> None:
    rng, portal = random.Random(seed), Portal("gate", RULES)
    come: list[Read | tuple[int, bool]] = [*reads, *rng.sample(reads, len(reads) // 3), *edges, *edges[:2]]
    rng.shuffle(come)
    held: dict[Passage, int] = {}
    while come:
        for _ in range(rng.randint(1, 60)):
            if come:
                _give(portal, come.pop())
        _tell(portal, T0 + rng.randint(0, LATE_US), held)
    _tell(portal, END, held)
    assert {passage for passage, count in held.items() if count} == _passages_of(reads, edges)


def _give(portal: Portal, one: Read | tuple[int, bool]) -> None:
    if isinstance(one, Read):
        assert portal.take([one]) == []
    else:
        portal.take_edge(one[0], is_high=one[1])


def _tell(portal: Portal, watermark_us: int, held: dict[Passage, int]) -> None:
    """Every passage is told at most once before it is taken back, and only what was told is."""
    settled = portal.settle(watermark_us, CONTEXT)
    for passage in settled.gone:
        held[passage] -= 1
        assert held[passage] == 0
    for passage in settled.new:
        held[passage] = held.get(passage, 0) + 1
        assert held[passage] == 1


@settings(max_examples=60, deadline=None)
@given(reads=read_files(), shift=st.integers(-20_000, 20_000), seed=st.integers(0, 2**32))
def test_a_read_that_comes_again_with_another_time_counts_once_whichever_came_first(
    reads: list[Read], shift: int, seed: int
) -> None:
    """A reader's report that is sent again is timed by the offset of then, a little off the first."""
    again = [Read(one.at_us + shift, *(getattr(one, name) for name in one.__struct_fields__[1:])) for one in reads[::2]]
    outcomes = []
    for order in range(2):
        come = [*reads, *again]
        random.Random(seed + order).shuffle(come)
        portal, held = Portal("gate", RULES), dict[Passage, int]()
        for start in range(0, len(come), 40):
            portal.take(come[start : start + 40])
            _tell(portal, T0 + 60 * S, held)
        _tell(portal, END, held)
        outcomes.append({passage for passage, count in held.items() if count})
    assert outcomes[0] == outcomes[1] == _passages_of([*reads, *again], [])


def _walk(epc: str, sides: list[tuple[int, int]], *, rssi_dbm: float = -50.0) -> list[Read]:
    return [Read(T0 + ms * 1_000, "r", antenna, epc, f"{epc}{ms}{antenna}", rssi_dbm) for ms, antenna in sides]


IN = [(0, 1), (200, 1), (400, 1), (1_500, 2), (1_700, 2), (1_900, 2)]


def _settled(reads: list[Read], context: Context) -> tuple[Passage, ...]:
    portal = Portal("gate", RULES)
    portal.take(reads)
    return portal.settle(END, context).new


def test_a_tag_that_went_in_is_told_once_it_is_quiet() -> None:
    portal = Portal("gate", RULES)
    portal.take(_walk("A", IN))
    assert portal.settle(T0 + 3_900_000, Context()).new == ()
    (passage,) = portal.settle(T0 + 3_900_001, Context()).new
    (seen,) = passage.observations
    assert (seen.epc, seen.direction, seen.by, seen.is_ghost, seen.reads) == ("A", Direction.IN, "sides", False, 6)
    assert portal.settle(END, Context()) == portal.settle(END, Context())


def test_a_late_read_changes_what_was_told() -> None:
    portal = Portal("gate", RULES)
    portal.take(_walk("A", IN[3:]))
    (before,) = portal.settle(T0 + 60 * S, Context()).new
    assert before.observations[0].by == "last_side"
    assert portal.take(_walk("A", IN[:3])) == []
    settled = portal.settle(T0 + 61 * S, Context())
    assert settled.gone == (before,)
    assert [one.by for one in settled.new[0].observations] == ["sides"]
    portal.take(_walk("B", IN))
    assert portal.settle(T0 + 75 * S, Context()) == Settled((), ()), "late ones are looked at together"
    assert portal.settle(T0 + 76 * S, Context()).gone == settled.new


def test_a_read_that_is_too_late_is_given_back_and_changes_nothing() -> None:
    portal = Portal("gate", RULES)
    portal.settle(T0 + LATE_US + 1, Context())
    assert portal.take(_walk("A", IN[:1])) == _walk("A", IN[:1])
    assert portal.settle(END, Context()).new == ()


def test_companions_and_papers_speak_for_a_tag() -> None:
    middle = [(900, 7)]
    reads = [*_walk("A", IN), *_walk("B", middle), *_walk("D", middle)]
    (passage,) = _settled(reads, Context(parents={"A": "P", "B": "P", "D": "Q"}, expected=frozenset({"B"})))
    told = {one.epc: (one.direction, one.by, one.is_ghost) for one in passage.observations}
    assert told == {
        "A": (Direction.IN, "sides", False),
        "B": (Direction.IN, "parent", False),
        "D": (Direction.UNKNOWN, "nothing", True),
    }


def test_something_without_a_tag_is_a_passage_too() -> None:
    portal = Portal("gate", RULES)
    portal.take_edge(T0, is_high=True)
    portal.take_edge(T0 + S, is_high=False)
    (passage,) = portal.settle(T0 + 3 * S, Context()).new
    assert (passage.span.first_us, passage.span.last_us, passage.observations) == (T0, T0 + 1_500_000, ())


def test_two_trucks_close_behind_each_other_are_two_passages_by_the_photo_eye() -> None:
    portal = Portal("gate", RULES)
    for at_ms, is_high in ((0, True), (1_900, False), (3_000, True), (4_900, False)):
        portal.take_edge(T0 + at_ms * 1_000, is_high=is_high)
    portal.take([*_walk("A", IN), *_walk("B", [(ms + 3_000, antenna) for ms, antenna in IN])])
    told = portal.settle(END, Context()).new
    assert [[seen.epc for seen in passage.observations] for passage in told] == [["A"], ["B"]]


def test_a_parked_tag_is_left_out_and_what_was_told_of_it_is_taken_back() -> None:
    portal = Portal("gate", RULES)
    parked = [Read(T0 + second * S, "r", 1, "X", f"{second}") for second in range(0, 900)]
    portal.take(parked[:200])
    early = portal.settle(T0 + 199 * S, Context()).new
    assert len(early) == 1, "the first passage reached its longest time"
    portal.take(parked[200:])
    portal.take(_walk("A", [(ms + 400_000, antenna) for ms, antenna in IN]))
    settled = portal.settle(END, Context())
    assert settled.gone == early
    assert [[seen.epc for seen in passage.observations] for passage in settled.new] == [["A"]]


def test_a_day_of_reads_is_not_kept() -> None:
    portal = Portal("gate", RULES)
    for minute in range(240):
        start = T0 + minute * 60 * S
        portal.take(Read(start + n * 100_000, "r", 1, f"{minute}-{n % 5}", f"{minute}-{n}") for n in range(40))
        assert len(portal.settle(start + 58 * S, Context()).new) == 1
    assert len(portal._kept._known) <= 37 * 40
    assert len(portal._kept._slots) <= 37 * 5
    assert len(portal._told) <= 37
