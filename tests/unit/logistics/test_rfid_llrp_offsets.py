"""The clock of a reader: the smallest lag of the last minute, whatever the transport adds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.logistics.rfid.llrp.offsets import WINDOW_US, ClockOffset

GAPS = st.lists(st.tuples(st.integers(0, WINDOW_US // 3), st.integers(0, 10**9)), min_size=1, max_size=60)


@given(GAPS)
def test_the_offset_is_the_smallest_lag_of_the_last_minute(samples: list[tuple[int, int]]) -> None:
    offset, at, came = ClockOffset(), 0, []
    for gap, lag in samples:
        at += gap
        came.append((at, lag))
        told = offset.add(received_us=at, seen_us=at - lag)
        assert told == offset.value == min(lag for when, lag in came if at - when <= WINDOW_US)


def test_nothing_is_known_before_the_first_sample_and_after_a_restart() -> None:
    offset = ClockOffset()
    assert offset.value is None
    offset.add(received_us=10, seen_us=4)
    offset.restart()
    assert offset.value is None
