"""The way up to saturation and back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from loadtests.climbing import Climb


def walk(climb: Climb, rate_of: Callable[[int], float]) -> list[int]:
    users, steps = climb.advance(0.0), []
    while users is not None:
        steps.append(users)
        users = climb.advance(rate_of(users))
    return steps


@pytest.mark.parametrize(
    ("rate_of", "expected", "peak"),
    [
        (lambda users: min(users, 25) * 4.0, [10, 20, 30, 40, 30, 20, 10], (100.0, 30)),
        (lambda users: users * 4.0, [10, 20, 30, 40, 50, 40, 30, 20, 10], (200.0, 50)),
        (lambda users: 7.0, [10, 20, 10], (7.0, 10)),
        (lambda users: 0.0, [10], (0.0, 0)),
    ],
)
def test_users_are_added_while_that_helps(
    rate_of: Callable[[int], float], expected: list[int], peak: tuple[float, int]
) -> None:
    climb = Climb(step=10, most=50)
    assert walk(climb, rate_of) == expected
    assert climb.peak == peak


def test_the_last_step_goes_no_higher_than_allowed() -> None:
    assert max(walk(Climb(step=20, most=50), lambda users: users)) == 50
