"""The parts of a run, and the ground that each stands on."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from infra.capacity import Capacity
from infra.cluster import Cluster
from loadtests.benchmarks.appearing import measure_appearing
from loadtests.benchmarks.by_hand_place import serve_by_hand
from loadtests.benchmarks.catalog import measure_catalog
from loadtests.benchmarks.deals import measure_deals, measure_idleness
from loadtests.benchmarks.epcis import measure_epcis
from loadtests.benchmarks.figures import Figure
from loadtests.benchmarks.imports import measure_imports
from loadtests.benchmarks.ledger import measure_ledger
from loadtests.benchmarks.messages import measure_messages
from loadtests.benchmarks.place import Place
from loadtests.benchmarks.plan import Plan
from loadtests.benchmarks.report import Report, describe_machine
from loadtests.benchmarks.rfid import measure_rfid
from loadtests.benchmarks.routes import measure_read, measure_route, measure_write
from loadtests.benchmarks.settling import measure_settling
from loadtests.benchmarks.stage import Say, list_offers, set_stage
from loadtests.benchmarks.trace import measure_trace

PARTS = (
    "route",
    "read",
    "write",
    "deals",
    "settle",
    "found",
    "ledger",
    "events",
    "imports",
    "catalog",
    "rfid",
    "epcis",
    "trace",
)
ON_A_CLUSTER = ("ledger", "events", "imports")
ON_A_REPOSITORY = ("epcis", "trace")
ON_THE_PLATFORM = ("read", "write", "deals", "settle", "found")


def measure(plan: Plan, parts: Collection[str], place: Place, say: Say = lambda _: None) -> Report:
    """Measures some parts, in their order. Raises infra.failures.Failure."""
    machine, began = describe_machine(), time.monotonic()
    with place.make_folder() as folder:
        figures = [figure for wanted in _measurements(plan, parts, place, folder, say) for figure in wanted()]
    return Report(plan.name, machine, round(time.monotonic() - began, 1), figures)


Measurement = Callable[[], list[Figure]]


def _measurements(plan: Plan, parts: Collection[str], place: Place, folder: Path, say: Say) -> Iterator[Measurement]:
    capacity = Capacity.of_this_machine()
    if "route" in parts:
        say("route")
        yield lambda: measure_route(plan, folder, capacity)
    if not set(parts).isdisjoint(ON_THE_PLATFORM):
        yield lambda: _measure_platform(plan, parts, folder, place.find_port(), capacity, say)
    if "catalog" in parts:
        yield lambda: measure_catalog(plan, folder, say)
    if not set(parts).isdisjoint(ON_A_REPOSITORY):
        yield lambda: _measure_repository(plan, parts, folder, place.find_port(), capacity, say)
    if "rfid" in parts:
        yield lambda: _measure_rfid(plan, folder, say)
    if not set(parts).isdisjoint(ON_A_CLUSTER):
        yield lambda: _measure_cluster(plan, parts, folder, say)


def _measure_platform(
    plan: Plan, parts: Collection[str], folder: Path, port: int, capacity: Capacity, say: Say
) -> list[Figure]:
    figures: list[Figure] = []
    with set_stage(plan, folder, port, capacity, say) as stage:
        offers = list_offers(stage, max(*plan.clients, plan.settlers))
        with serve_by_hand(stage, capacity) as reference:
            if "read" in parts:
                say("read")
                figures += measure_read(plan, stage, reference)
            if "write" in parts:
                say("write")
                figures += measure_write(plan, stage, reference)
            if "deals" in parts:
                say("deals")
                figures += measure_idleness(plan, stage) + measure_deals(plan, stage, reference, offers)
        if "settle" in parts:
            say("settle")
            figures += measure_settling(plan, stage, offers)
        if "found" in parts:
            say("found")
            figures += measure_appearing(plan, stage)
    return figures


def _measure_cluster(plan: Plan, parts: Collection[str], folder: Path, say: Say) -> list[Figure]:
    figures: list[Figure] = []
    with _durable_cluster(folder / "cluster") as cluster:
        if "ledger" in parts:
            say("ledger")
            figures += measure_ledger(plan, cluster)
        if "events" in parts:
            say("events")
            figures += measure_messages(plan, cluster)
        if "imports" in parts:
            say("imports")
            figures += measure_imports(plan, cluster)
    return figures


def _measure_repository(
    plan: Plan, parts: Collection[str], folder: Path, port: int, capacity: Capacity, say: Say
) -> list[Figure]:
    figures: list[Figure] = []
    (folder / "repository").mkdir(mode=0o711)
    with set_stage(replace(plan, traders=1), folder / "repository", port, capacity, say) as stage:
        if "trace" in parts:
            figures += measure_trace(plan, stage, say)
        if "epcis" in parts:
            figures += measure_epcis(plan, stage, say)
    return figures


def _measure_rfid(plan: Plan, folder: Path, say: Say) -> list[Figure]:
    with _durable_cluster(folder / "rfid", {"track_commit_timestamp": "on"}) as cluster:
        return measure_rfid(plan, cluster, folder, say)


@contextlib.contextmanager
def _durable_cluster(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Cluster]:
    folder.mkdir(mode=0o711)
    cluster = Cluster(folder, settings=settings)
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()
