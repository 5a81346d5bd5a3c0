"""The arithmetic of a benchmark: interleaved rounds, their spread, the ratio of neighbouring rounds, and goals."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

import msgspec

T = TypeVar("T")
Pair = tuple[float, float]
"""What one round measured: Haihe, then the reference that ran right after it."""


class Spread(msgspec.Struct, frozen=True):
    """The median of some rounds, the least and the most."""

    median: float
    least: float
    most: float


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """A limit on the median of Haihe's own figure, or of its ratio to the reference."""

    of: Literal["ours", "ratio"]
    at_most: float | None = None
    at_least: float | None = None

    def is_met(self, value: float) -> bool:
        """Whether a value keeps to the limit."""
        if self.at_most is not None and value > self.at_most:
            return False
        return self.at_least is None or value >= self.at_least


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the report; ``ratio`` is Haihe's figure divided by the reference's."""

    part: str
    name: str
    unit: str
    ours: Spread
    reference: Spread | None = None
    ratio: Spread | None = None
    goal: Goal | None = None
    is_met: bool | None = None


def spread_of(values: Sequence[float]) -> Spread:
    """Median, least and most of at least one value."""
    return Spread(statistics.median(values), min(values), max(values))


def percentile_of(values: Sequence[float], percent: float) -> float:
    """The smallest value that ``percent`` per cent of the values do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]


def compare(part: str, name: str, unit: str, pairs: Sequence[Pair], goal: Goal | None = None) -> Figure:
    """A figure beside its reference. The ratio is taken round by round, so that what slows a machine down for some
    seconds slows both of its sides.
    """
    ours, reference = zip(*pairs, strict=True)
    ratio = spread_of([mine / theirs for mine, theirs in pairs]) if all(reference) else None
    return _judge(Figure(part=part, name=name, unit=unit, ours=spread_of(ours), reference=spread_of(reference),
                         ratio=ratio, goal=goal))  # fmt: skip


def measure_alone(part: str, name: str, unit: str, values: Sequence[float], goal: Goal | None = None) -> Figure:
    """A figure that has no reference."""
    return _judge(Figure(part=part, name=name, unit=unit, ours=spread_of(values), goal=goal))


def _judge(figure: Figure) -> Figure:
    judged = figure.goal and getattr(figure, figure.goal.of)
    if judged is None:
        return figure
    return msgspec.structs.replace(figure, is_met=figure.goal.is_met(judged.median))


def interleave(rounds: int, *sides: Callable[[], T]) -> list[tuple[T, ...]]:
    """Runs each side once to warm up, then all of them in turn, ``rounds`` times: A B A B …"""
    for side in sides:
        side()
    return [tuple(side() for side in sides) for _ in range(rounds)]
