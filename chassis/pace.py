"""How a worker lets a loop run: without a pause while there is much to do, and ever slower while there is nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Pace:
    """A step that has done less than ``full_step`` has taken all there was: the next comes after ``idle_s``.

    Each step that finds nothing doubles the pause, up to ``longest_idle_s``. A loop that waits by itself has no pause.
    """

    idle_s: float = 0.5
    longest_idle_s: float = 0.5
    full_step: int = 1


USUAL = Pace()
UNPAUSED = Pace(idle_s=0.0, longest_idle_s=0.0)
PURGE_BATCH = 5_000
"""Rows that one purge throws away at a time."""
