"""Tags in zones: who enters, stays and leaves, whatever the order of the reads."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from services.logistics.rfid.stages.reads import Read
from services.logistics.zones.presence import Area, Change, Known, follow

S = 1_000_000
AREA = Area({("r", 1): "a", ("r", 2): "b", ("r", 3): "a"}, {"a": 60 * S, "b": 60 * S})
_keys = itertools.count()


def read(second: float, antenna: int = 1, rssi: float = -50, epc: str = "E1") -> Read:
    return Read(round(second * S), "r", antenna, epc, f"{second}/{antenna}/{epc}", rssi)


def told(reads: list[Read], known: dict[str, Known] | None = None) -> list[tuple[float, str, str]]:
    steps = follow(reads, AREA, known or {}).get("E1", [])
    return [(step.at_us / S, step.change.value, step.zone_id) for step in steps]


def test_one_read_is_a_glimpse_and_two_within_two_seconds_are_a_stay() -> None:
    assert told([read(1)]) == []
    assert told([read(1), read(9)]) == []
    assert told([read(1), read(2)]) == [(2, "enter", "a"), (2, "keep", "a")]


def test_antennas_of_no_zone_say_nothing() -> None:
    assert told([read(1, 9), read(2, 9)]) == []


def test_what_is_known_to_be_there_stays_with_one_read_and_leaves_when_it_was_silent() -> None:
    known = {"E1": Known("a", 0, 10 * S, -50)}
    assert told([read(40)], known) == [(40, "keep", "a")]
    assert told([read(90), read(91)], known) == [(70, "leave", "a"), (91, "enter", "a"), (91, "keep", "a")]
    assert told([read(5)], known) == []


def test_a_stray_read_of_the_next_zone_moves_nothing_and_a_stronger_run_does() -> None:
    known = {"E1": Known("a", 0, 10 * S, -50)}
    assert told([read(11, 2, -70), read(11.3), read(12)], known) == [(12, "keep", "a")]
    steps = told([read(11 + n / 2, 2, -40) for n in range(4)], known)
    assert [step[1:] for step in steps] == [("leave", "a"), ("enter", "b"), ("keep", "b")]


def test_two_antennas_of_one_zone_make_no_move() -> None:
    assert [step[1] for step in told([read(1), read(1.3, 3, -30), read(2, 3, -30)])] == ["enter", "keep"]


def test_reads_with_a_break_are_two_stays() -> None:
    steps = told([read(1), read(2), read(200), read(201)])
    assert [step[:2] for step in steps] == [(2, "enter"), (2, "keep"), (62, "leave"), (201, "enter"), (201, "keep")]


READS = st.lists(
    st.builds(
        read, st.integers(1, 400).map(lambda n: n / 2), st.sampled_from([1, 2, 3, 9]), st.sampled_from([-70, -50, -40])
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(READS, st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_of_reads_matters_and_stays_never_overlap(reads: list[Read], random) -> None:
    shuffled = [*reads, *reads[: len(reads) // 2]]
    random.shuffle(shuffled)
    steps = follow(reads, AREA, {}).get("E1", [])
    assert follow(shuffled, AREA, {}).get("E1", []) == steps
    here = None
    for step in steps:
        if step.change is Change.ENTER:
            assert here is None
            here = step.zone_id
        elif step.change is Change.LEAVE:
            assert here == step.zone_id
            here = None
        else:
            assert here == step.zone_id
    assert [step.at_us for step in steps] == sorted(step.at_us for step in steps)
