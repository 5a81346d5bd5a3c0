"""What a load may cost at most, and how a run is measured against it.

The limits are for the default mix of 20 users against the embedded platform on two cores of a shared machine, with
Locust on the same cores; a faster machine is given less by the options that have their names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol

JOURNEY = "JOURNEY"
# Passwords are hashed slowly on purpose, and what a company is made of is not what a trade is made of.
SLOW_ON_PURPOSE = ("/v1/sessions", "/v1/passwords", "/v1/tokens", "/v1/parties", "/v1/users", "/v1/pieces/imports")
EFFECTIVE = "take to effective"


@dataclass(frozen=True)
class Limits:
    """The most of everything: a share of requests, milliseconds, seconds."""

    error_percent: float = 0.1
    read_p95_ms: float = 400.0
    command_p95_ms: float = 600.0
    effective_p95_ms: float = 3_000.0
    drain_s: float = 30.0

    @classmethod
    def of(cls, options: Any) -> Limits:
        """The limits as the options of a run have them; what is not among the options is as stated here."""
        return cls(**{each.name: getattr(options, each.name, None) or each.default for each in fields(cls)})


class Entry(Protocol):
    """A row of Locust's statistics; ``response_times`` counts answers by milliseconds."""

    name: str
    method: str
    num_requests: int
    num_failures: int
    response_times: Mapping[int, int]


@dataclass(frozen=True)
class Measured:
    """What a run came to; ``errors`` are requests and journeys that failed, ``journeys`` those that succeeded by name."""

    requests: int
    errors: int
    refused: int
    read_p95_ms: float
    command_p95_ms: float
    effective_p95_ms: float
    journeys: Mapping[str, int]

    @property
    def error_percent(self) -> float:
        """Errors for a hundred requests; 100 when nothing was asked."""
        return 100.0 * self.errors / self.requests if self.requests else 100.0


@dataclass(frozen=True)
class Finding:
    """One limit with what was measured, both for people; ``is_met`` says how it went."""

    name: str
    measured: str
    stated: str
    is_met: bool


def measure(entries: Iterable[Entry]) -> Measured:
    """Sums up the statistics of a run."""
    rows = list(entries)
    asked = [row for row in rows if row.method != JOURNEY]
    judged = [row for row in asked if not _route(row).startswith(SLOW_ON_PURPOSE)]
    told = [row for row in rows if row.method == JOURNEY]
    return Measured(
        requests=sum(row.num_requests for row in asked),
        errors=sum(row.num_failures for row in rows),
        refused=sum(row.num_requests for row in asked if row.method == "REFUSED"),
        read_p95_ms=p95(row.response_times for row in judged if _verb(row) == "GET"),
        command_p95_ms=p95(row.response_times for row in judged if _verb(row) != "GET"),
        effective_p95_ms=p95(row.response_times for row in told if row.name == EFFECTIVE),
        journeys={row.name: row.num_requests - row.num_failures for row in told},
    )


def _verb(row: Entry) -> str:
    return row.name.partition(" ")[0] if row.method == "REFUSED" else row.method


def _route(row: Entry) -> str:
    return row.name.partition(" ")[2] if row.method == "REFUSED" else row.name


def p95(counts: Iterable[Mapping[int, int]]) -> float:
    """The least time in milliseconds within which 95 of 100 answers came, from counts by time; 0 without answers."""
    merged: Counter[int] = Counter()
    for each in counts:
        merged.update(each)
    left = 0.95 * merged.total()
    for time_ms in sorted(merged):
        left -= merged[time_ms]
        if left <= 0:
            return float(time_ms)
    return 0.0


def compare(measured: Measured, limits: Limits) -> list[Finding]:
    """Errors and latencies beside their limits."""
    said = f"{measured.errors} of {measured.requests:,} requests ({measured.error_percent:.2f} %)"
    errors = Finding("errors", said, f"{limits.error_percent:g} %", measured.error_percent <= limits.error_percent)
    timed = [
        ("p95 of reads", measured.read_p95_ms, limits.read_p95_ms),
        ("p95 of commands", measured.command_p95_ms, limits.command_p95_ms),
        ("p95 from take to effective", measured.effective_p95_ms, limits.effective_p95_ms),
    ]
    return [errors, *(Finding(name, f"{is_:,.0f} ms", f"{most:,.0f} ms", is_ <= most) for name, is_, most in timed)]


def find_idle(measured: Measured, wanted: Iterable[str]) -> Finding:
    """That every kind of journey that was to be made was made to its end at least once."""
    missing = sorted(set(wanted) - {name for name, count in measured.journeys.items() if count > 0})
    return Finding("journeys", f"never: {', '.join(missing)}" if missing else "each was made", "each once", not missing)
