"""The report of a run: what was measured on which machine, as a table for people and as JSON."""

from __future__ import annotations

import os
import platform
from itertools import groupby
from pathlib import Path

import msgspec
import psutil

from loadtests.benchmarks.figures import Figure, Goal, Spread

WIDTHS = (42, 5, 24, 24, 20, 8)
HEAD = ("", "", "Haihe", "reference", "Haihe / reference", "goal")
TITLES = {
    "route": "A route without token and database, against bare Flask",
    "read": "An authenticated read of one row, against Flask and psycopg by hand",
    "write": "An authenticated idempotent write, against Flask and psycopg by hand",
    "deals": "Deals from take to effective, against one request by hand that does the same",
    "settle": "Deliveries from accept to settled",
    "found": "Offers from listed to found, and from taken to gone, one after the other",
    "ledger": "Ledger transfers, against psycopg calling the same function",
    "imports": "A file of products, one row in a hundred wrong, taken in by the worker",
    "catalog": "Search over a catalog of offers in the embedded engine, against Elasticsearch where there is one",
    "rfid": "Reads of simulated gates through stream and worker, and how right what is concluded is, against naive rules",
    "epcis": "EPCIS events captured, hashed and found again, against psycopg's COPY of the same rows",
    "trace": "A chain of six levels with planted lots, traced over HTTP",
    "events": "Relay and inbox on the embedded broker, against psycopg moving the same rows",
}


class Machine(msgspec.Struct, frozen=True):
    """Where it was measured. ``load`` is the number of processes that wanted a core before it began."""

    processor: str
    cores: int
    memory_gib: float
    python: str
    load: float


class Report(msgspec.Struct, frozen=True):
    """One run."""

    plan: str
    machine: Machine
    seconds: float
    figures: list[Figure]


def describe_machine() -> Machine:
    """This machine, now."""
    memory_gib = round(psutil.virtual_memory().total / 2**30, 1)
    load = round(os.getloadavg()[0], 1)
    return Machine(_processor(), os.cpu_count() or 1, memory_gib, platform.python_version(), load)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def write_json(report: Report) -> str:
    """The report as one JSON object."""
    return msgspec.json.encode(report).decode()


def write_table(report: Report) -> str:
    """The report as text: median (least to most) of the rounds, and what missed its goal marked."""
    machine = report.machine
    lines = [
        f"{machine.cores} cores of {machine.processor}, {machine.memory_gib:g} GiB, Python {machine.python}, "
        f"load {machine.load:g} at the start; {report.plan} run, {report.seconds:.0f} s",
        _row(HEAD),
    ]
    for part, figures in groupby(report.figures, lambda figure: figure.part):
        lines += ["", TITLES[part], *(_row(_cells(figure)) for figure in figures)]
    return "\n".join(lines)


def _row(cells: tuple[str, ...]) -> str:
    name, unit, *numbers = zip(cells, WIDTHS, strict=True)
    left = [cell.ljust(width) for cell, width in (name, unit)]
    return "  " + " ".join([*left, *(cell.rjust(width) for cell, width in numbers)]).rstrip()


def _cells(figure: Figure) -> tuple[str, ...]:
    verdict = {True: "✓", False: "✗", None: ""}[figure.is_met]
    goal = f"{_write_goal(figure.goal)} {verdict}" if figure.goal else ""
    return (figure.name, figure.unit, *map(_write_spread, (figure.ours, figure.reference, figure.ratio)), goal)


def _write_spread(spread: Spread | None) -> str:
    if spread is None:
        return ""
    return f"{_write(spread.median)} ({_write(spread.least)}–{_write(spread.most)})"


def _write_goal(goal: Goal) -> str:
    sign, limit = ("≤", goal.at_most) if goal.at_most is not None else ("≥", goal.at_least)
    return f"{sign} {limit:g}{'×' if goal.of == 'ratio' else ''}"


def _write(value: float) -> str:
    """Three digits that count."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
