"""When a delivery will arrive, and what says so: a pure function. What nothing is known of is not guessed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median

import msgspec

LEAST_SAMPLES = 3


class Basis(StrEnum):
    """What an estimate rests on: the plan, the plan moved by how much it left too late or early, or earlier trips."""

    PLAN = "plan"
    PLAN_MOVED = "plan_moved"
    LANE = "lane"


class Eta(msgspec.Struct, frozen=True):
    """When it will arrive; ``samples`` earlier trips took ``typical`` in the middle, where it rests on those.

    ``leaves_at`` is the planned departure that it rests on, as long as it has not left.
    """

    at: datetime
    basis: Basis
    samples: int = 0
    typical: timedelta | None = None
    leaves_at: datetime | None = None

    def is_overdue(self, at: datetime) -> bool:
        """Whether it should have arrived by then, or should have left and nobody has said that it did."""
        return self.at < at or (self.leaves_at is not None and self.leaves_at < at)


class Plan(msgspec.Struct, frozen=True):
    """When it was to leave and to arrive, as far as somebody has said."""

    departs_at: datetime | None = None
    arrives_at: datetime | None = None


def estimate(plan: Plan, departed_at: datetime | None, trips: Sequence[timedelta]) -> Eta | None:
    """The planned date, moved with the departure where that was planned too; else departure plus the median of earlier trips.

    ``trips`` are how long earlier deliveries of the lane took. None where there is no plan, and too few have gone that way.
    """
    leaves_at = plan.departs_at if departed_at is None else None
    if plan.arrives_at is not None:
        if departed_at is None or plan.departs_at is None or departed_at == plan.departs_at:
            return Eta(plan.arrives_at, Basis.PLAN, leaves_at=leaves_at)
        return Eta(plan.arrives_at + (departed_at - plan.departs_at), Basis.PLAN_MOVED)
    begins_at = departed_at or plan.departs_at
    if begins_at is None or len(trips) < LEAST_SAMPLES:
        return None
    typical = timedelta(seconds=round(median(trip.total_seconds() for trip in trips)))
    return Eta(begins_at + typical, Basis.LANE, len(trips), typical, leaves_at)
