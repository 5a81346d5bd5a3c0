"""When a platform counts as drained."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from loadtests.api import Actor, Api
from loadtests.draining import await_drained, list_moving, read_queues

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
BEGAN = "2026-03-02T11:00:00Z"


class Time:
    """Passes while one pauses."""

    def __init__(self) -> None:
        self.at = 100.0

    def pause(self, seconds: float) -> None:
        self.at += seconds

    def clock(self) -> float:
        return self.at


def drain(busy_until: float, within_s: float = 30.0, flicker: float = 0.0) -> Any:
    time = Time()

    def look() -> tuple[list[str], bool]:
        passed = time.at - 100.0
        return (["outbox"] if passed < busy_until or 0 < flicker <= passed < flicker + 0.5 else []), True

    return await_drained(look, within_s, pause=time.pause, clock=time.clock)


def test_the_time_is_that_of_the_first_quiet_moment() -> None:
    assert drain(busy_until=4.0).seconds == 4.0
    assert drain(busy_until=0.0).seconds == 0.0


def test_a_moment_of_quiet_is_not_enough() -> None:
    assert drain(busy_until=1.0, flicker=3.0).seconds == 3.5


def test_what_is_left_when_time_is_up_is_named() -> None:
    found = drain(busy_until=1e9, within_s=5.0)
    assert found.left == ("outbox",) and 5.0 < found.seconds < 6.0


def test_queues_are_read_from_the_metrics() -> None:
    page = b'# HELP x y\nhaihe_outbox_age_seconds{service="orders"} 1.5\nhaihe_consumer_lag{service="orders"} 0.0\nother 7\n'
    found = read_queues(Api(lambda *_: (200, page)))
    assert found == {'haihe_outbox_age_seconds{service="orders"}': 1.5, 'haihe_consumer_lag{service="orders"}': 0.0}
    assert read_queues(Api(lambda *_: (404, None))) is None


DEALS = [
    ("d9", "deposits_pending", "buyer", "2026-03-02T11:59:00Z", "2026-03-02T12:29:00Z"),
    ("d8", "settling", "buyer", "2026-03-02T11:58:00Z", None),
    ("d7", "effective", "buyer", "2026-03-02T11:57:00Z", "2026-03-02T12:00:02Z"),
    ("d6", "effective", "buyer", "2026-03-02T11:56:00Z", "2026-03-03T11:56:00Z"),
    ("d5", "settling", "stranger", "2026-03-02T11:55:00Z", None),
    ("d4", "settling", "buyer", "2026-03-02T10:00:00Z", None),
]


@pytest.fixture
def operator() -> Actor:
    def answer(method: str, path: str, headers: Any, body: Any) -> tuple[int, Any]:
        state = path.partition("state=")[2].partition("&")[0]
        names = ("id", "state", "buyer_id", "struck_at", "due_at")
        return 200, {"items": [dict(zip(names, row, strict=True)) for row in DEALS if row[1] == state], "next": None}

    return Actor(Api(answer), "operator", lambda: "token")


def test_deals_that_wait_for_the_platform_or_are_due_are_moving(operator: Actor) -> None:
    assert sorted(deal["id"] for deal in list_moving(operator, {"buyer"}, BEGAN, NOW)) == ["d7", "d8", "d9"]
