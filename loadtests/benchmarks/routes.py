"""Parts route, read and write: one request at a time, against hand-written routes that do the same work."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import msgspec

from infra.capacity import Capacity
from loadtests.benchmarks import bare
from loadtests.benchmarks.client import Load, drive, write_request
from loadtests.benchmarks.figures import Figure, Goal, compare, interleave
from loadtests.benchmarks.plan import Plan
from loadtests.benchmarks.serving import Server, serve
from loadtests.benchmarks.stage import GATE, Stage, standing
from loadtests.benchmarks.usage import cpu_seconds

_keys = itertools.count(1)


class Target(msgspec.Struct, frozen=True):
    """One side of a comparison: where it answers, its processes, the request, and who stands still meanwhile."""

    port: int
    roots: tuple[int, ...]
    request: str
    bystanders: tuple[int, ...] = ()


class Round(msgspec.Struct, frozen=True):
    """What a request came to in one round: its median latency, and processor time of server and client."""

    latency_ms: float
    server_ms: float
    client_ms: float


def measure_route(plan: Plan, folder: Path, capacity: Capacity) -> list[Figure]:
    """A route without token and database, against bare Flask."""
    request = write_request("GET", bare.PATH)
    with (
        serve("loadtests.benchmarks.bare:chassis_app()", folder, capacity) as ours,
        serve("loadtests.benchmarks.bare:flask_app()", folder, capacity) as theirs,
    ):
        sides = [Target(server.port, (server.pid,), request) for server in (ours, theirs)]
        return measure_requests("route", plan, *sides, most=1.4)


def measure_read(plan: Plan, stage: Stage, reference: Server) -> list[Figure]:
    """An authenticated read of one row by its id."""
    token = stage.traders[0].warehouse.desk.sign_in()
    request = write_request("GET", f"/v1/gates/{stage.gate_id}", token=token)
    return _measure_beside("read", plan, stage, reference, request)


def measure_write(plan: Plan, stage: Stage, reference: Server) -> list[Figure]:
    """An authenticated write of a gate with its first rules, two rows, under a fresh idempotency key."""
    token = stage.traders[0].warehouse.desk.sign_in()
    request = write_request("POST", "/v1/gates", token=token, key=True, body=GATE)
    return _measure_beside("write", plan, stage, reference, request)


def _measure_beside(part: str, plan: Plan, stage: Stage, reference: Server, request: str) -> list[Figure]:
    """Worker and streams have no part in such a request: they stand still in the rounds of both sides."""
    postgres, bystanders = stage.pid_of("postgres"), (stage.pid_of("worker"), stage.pid_of("streams"))
    ours = Target(stage.port, (stage.pid_of("web"), postgres), request, bystanders)
    theirs = Target(reference.port, (reference.pid, postgres), request, bystanders)
    return measure_requests(part, plan, ours, theirs, most=1.5)


def measure_requests(part: str, plan: Plan, ours: Target, reference: Target, *, most: float) -> list[Figure]:
    """One client asks for the same thing on both sides in turn: time and processor time a request."""
    rounds = interleave(plan.rounds, lambda: _ask(plan, ours), lambda: _ask(plan, reference))
    goal = Goal(of="ratio", at_most=most)
    return [
        compare(part, "time a request, 1 client", "ms", _column(rounds, "latency_ms"), goal),
        compare(part, "CPU of the server a request", "ms", _column(rounds, "server_ms"), goal),
        compare(part, "CPU of the client a request", "ms", _column(rounds, "client_ms")),
    ]


def _ask(plan: Plan, target: Target) -> Round:
    load = Load(target.port, 1, plan.seconds, [target.request], keys=f"bench-{next(_keys)}")
    with standing(*target.bystanders):
        before = cpu_seconds(target.roots)
        done = drive(load)
        used = cpu_seconds(target.roots) - before
    return Round(done.latency_ms(50), used / done.count * 1000, done.cpu_s / done.count * 1000)


def _column(rounds: Sequence[tuple[Round, ...]], name: str) -> list[tuple[float, float]]:
    return [(getattr(ours, name), getattr(reference, name)) for ours, reference in rounds]
