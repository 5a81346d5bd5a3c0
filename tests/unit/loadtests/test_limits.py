"""How a run is measured against its limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from loadtests.limits import Limits, compare, find_idle, measure, p95


@dataclass
class Row:
    method: str
    name: str
    response_times: dict[int, int] = field(default_factory=dict)
    num_failures: int = 0

    @property
    def num_requests(self) -> int:
        return sum(self.response_times.values())


ROWS = [
    Row("GET", "/v1/search", {10: 95, 300: 5}),
    Row("REFUSED", "GET /v1/offers/{id}: not_found", {20: 10}),
    Row("POST", "/v1/offers/{id}/takes", {50: 90, 900: 10}, num_failures=1),
    Row("REFUSED", "POST /v1/offers/{id}/takes: coil_gone", {40: 30}),
    Row("POST", "/v1/sessions", {2000: 50}),
    Row("REFUSED", "POST /v1/parties: email_taken", {3000: 50}),
    Row("JOURNEY", "take to effective", {400: 19, 5000: 1}),
    Row("JOURNEY", "browse", {700: 3}, num_failures=3),
]


def test_a_run_is_summed_up() -> None:
    measured = measure(ROWS)
    assert (measured.requests, measured.errors, measured.refused) == (340, 4, 90)
    assert (measured.read_p95_ms, measured.command_p95_ms, measured.effective_p95_ms) == (20, 900, 400)
    assert measured.journeys == {"take to effective": 20, "browse": 0}
    assert measured.error_percent == pytest.approx(100 * 4 / 340)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [([], 0), ([{}], 0), ([{7: 1}], 7), ([{1: 95, 2: 5}], 1), ([{1: 94, 2: 6}], 2), ([{1: 50}, {1: 45, 9: 5}], 1)],
)
def test_p95(counts: list[dict[int, int]], expected: float) -> None:
    assert p95(counts) == expected


def test_each_limit_is_held_by_itself() -> None:
    kind = Limits(error_percent=2, read_p95_ms=20, command_p95_ms=900, effective_p95_ms=400)
    assert all(finding.is_met for finding in compare(measure(ROWS), kind))
    strict = Limits(error_percent=1, read_p95_ms=19, command_p95_ms=899, effective_p95_ms=399)
    assert not any(finding.is_met for finding in compare(measure(ROWS), strict))


def test_a_run_that_asked_nothing_has_failed() -> None:
    nothing = measure([])
    assert not compare(nothing, Limits())[0].is_met
    assert not find_idle(nothing, ["browse"]).is_met


def test_every_journey_must_have_been_made() -> None:
    assert find_idle(measure(ROWS), ["take to effective"]).is_met
    assert find_idle(measure(ROWS), ["browse", "trade"]).measured == "never: browse, trade"


def test_limits_come_from_the_options() -> None:
    given = Limits.of(SimpleNamespace(drain_s=5.0, read_p95_ms=None))
    assert given == Limits(drain_s=5.0)
