"""What one deal or delivery came to: is it divided by what was answered, in the units that it says?"""

from __future__ import annotations

import pytest

from loadtests.benchmarks.client import Drive
from loadtests.benchmarks.rounds import Round, Use, name_keys
from loadtests.benchmarks.settling import share_deliveries


def test_a_round_is_what_each_answered_request_came_to() -> None:
    done = Drive(count=4, seconds=2.0, cpu_s=0.008, latencies_s=[0.01, 0.02, 0.03, 0.04])
    use = Use(done, statements=100, cpu_s=0.2, wal_bytes=8192)
    assert use.make_round(1.5, effective_p95_ms=70.0) == Round(
        a_second=1.5, p95_ms=40.0, cpu_ms=50.0, client_ms=2.0, statements=25.0, wal_kb=2.0, effective_p95_ms=70.0
    )


def test_no_two_loads_have_keys_alike() -> None:
    assert len({name_keys("deal") for _ in range(3)}) == 3


@pytest.mark.parametrize(
    ("count", "clients", "shares"), [(24, 8, [3] * 8), (64, 8, [8] * 8), (5, 3, [2, 2, 1]), (2, 2, [1, 1])]
)
def test_deliveries_are_shared_evenly(count: int, clients: int, shares: list[int]) -> None:
    assert share_deliveries(count, clients) == shares
