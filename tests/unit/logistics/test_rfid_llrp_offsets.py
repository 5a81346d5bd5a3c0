"""The clock of a reader: the smallest lag of the last minute, whatever the transport adds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.logistics.rfid.llrp.offsets import SILENCE_US, WINDOW_US, ClockOffset

S = 1_000_000
SAMPLES = st.lists(st.tuples(st.integers(0, 3 * SILENCE_US), st.integers(0, 10**9)), min_size=1, max_size=150)


@given(SAMPLES)
def test_the_offset_is_the_smallest_lag_of_the_last_minute_of_speaking(samples: list[tuple[int, int]]) -> None:
    offset, at, spoken, came = ClockOffset(), 0, 0, []
    for gap, lag in samples:
        at += gap
        spoken += min(gap, SILENCE_US) if came else 0
        came.append((spoken, lag))
        told = offset.add(received_us=at, seen_us=at - lag)
        assert told == offset.value == min(lag for when, lag in came if spoken - when <= WINDOW_US)


def test_what_comes_late_after_a_long_silence_does_not_set_the_clock() -> None:
    offset = ClockOffset()
    assert offset.add(received_us=10 * S, seen_us=10 * S - 50) == 50
    assert offset.add(received_us=3_600 * S, seen_us=3_570 * S) == 50, "held back for half a minute"
    assert [offset.add(received_us=(3_600 + s) * S, seen_us=(3_600 + s) * S - 90) for s in (1, 59, 62)][:2] == [50, 50]


def test_a_clock_that_is_set_back_counts_after_a_minute() -> None:
    offset = ClockOffset()
    offset.add(received_us=0, seen_us=0)
    told = [offset.add(received_us=s * S, seen_us=(s - 5) * S) for s in range(1, 70)]
    assert (told[0], told[-1]) == (0, 5 * S)


def test_reports_that_come_at_once_are_one_sample() -> None:
    offset = ClockOffset()
    assert {offset.add(received_us=S, seen_us=S - lag) for lag in range(5, 10_000)} == {5}
    assert len(offset._lags) == 1


def test_nothing_is_known_before_the_first_sample_and_after_a_restart() -> None:
    offset = ClockOffset()
    assert offset.value is None
    offset.add(received_us=10, seen_us=4)
    offset.restart()
    assert offset.value is None
