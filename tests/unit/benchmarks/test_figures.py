"""Is the arithmetic of the benchmarks right?"""

from __future__ import annotations

import pytest

from loadtests.benchmarks.figures import Goal, Spread, compare, interleave, measure_alone, percentile_of, spread_of
from loadtests.benchmarks.report import Machine, Report, write_table
from loadtests.benchmarks.usage import Statement, count_statements


def test_a_spread_is_the_median_between_the_extremes() -> None:
    assert spread_of([3.0, 1.0, 100.0]) == Spread(median=3.0, least=1.0, most=100.0)
    assert spread_of([1.0, 2.0]) == Spread(median=1.5, least=1.0, most=2.0)


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        (range(1, 101), 95, 95),
        (range(1, 21), 95, 19),
        ([7], 95, 7),
        ([1, 2, 3, 4], 50, 2),
        ([4, 1, 3, 2], 100, 4),
        ([1, 2], 0, 1),
    ],
)
def test_a_percentile_is_the_nearest_rank(values: list[float], percent: float, expected: float) -> None:
    assert percentile_of(list(values), percent) == expected


def test_a_ratio_is_taken_between_neighbouring_rounds() -> None:
    """In the second round the machine was ten times slower for both: the ratio does not see it."""
    figure = compare("read", "time", "ms", [(3.0, 2.0), (30.0, 20.0), (3.2, 2.0)])
    assert figure.ratio == Spread(median=1.5, least=1.5, most=1.6)
    assert figure.ours.median == 3.2 and figure.reference is not None and figure.reference.median == 2.0
    assert figure.is_met is None


def test_a_goal_is_held_against_the_median_of_what_it_is_about() -> None:
    pairs = [(10.0, 10.0), (16.0, 10.0), (14.0, 10.0)]
    assert compare("read", "time", "ms", pairs, Goal(of="ratio", at_most=1.4)).is_met is True
    assert compare("read", "time", "ms", pairs, Goal(of="ratio", at_most=1.39)).is_met is False
    assert compare("deals", "rate", "/s", pairs, Goal(of="ours", at_least=14.0)).is_met is True
    assert measure_alone("deals", "CPU", "ms", [19.0, 21.0, 22.0], Goal(of="ours", at_most=20)).is_met is False


def test_a_reference_of_nothing_gives_no_ratio_and_no_verdict() -> None:
    figure = compare("read", "CPU", "ms", [(1.0, 0.0), (1.0, 2.0)], Goal(of="ratio", at_most=1.5))
    assert figure.ratio is None and figure.is_met is None


def test_rounds_are_interleaved_after_one_of_each_to_warm_up() -> None:
    ran: list[str] = []

    def side(name: str) -> str:
        ran.append(name)
        return f"{name}{len(ran)}"

    rounds = interleave(2, lambda: side("a"), lambda: side("b"))
    assert "".join(ran) == "ababab"
    assert rounds == [("a3", "b4"), ("a5", "b6")]


def test_only_statements_that_read_or_write_are_counted() -> None:
    ran = {
        "BEGIN ISOLATION LEVEL READ COMMITTED": 7,
        "COMMIT": 7,
        "SELECT 1": 2,
        "\nWITH fresh AS (INSERT …) SELECT …": 3,
        "COPY broker_message FROM STDIN": 1,
        "exists (select from posting where …)": 4,
    }
    statements = [Statement("orders", calls, text, 0.1) for text, calls in ran.items()]
    assert count_statements(statements) == 6


def test_the_table_marks_what_missed_its_goal() -> None:
    goal = Goal(of="ratio", at_most=1.4)
    figures = [compare("route", "time", "ms", [(2.0, 1.0)], goal), compare("route", "CPU", "ms", [(1.2, 1.0)], goal)]
    machine = Machine(processor="a processor", cores=2, memory_gib=8.0, python="3.11.0", load=0.5)
    lines = write_table(Report("quick", machine, 3.0, figures)).splitlines()
    assert lines[0].startswith("2 cores of a processor, 8 GiB")
    assert lines[-2].endswith("2.00 (2.00–2.00) ≤ 1.4× ✗") and lines[-1].endswith("1.20 (1.20–1.20) ≤ 1.4× ✓")
