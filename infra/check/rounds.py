"""Checks the whole platform: snapshots of all databases, compared until what is still on its way has arrived or grace
is over.

Databases cannot be seen at one moment, so a disagreement counts only when it is found twice running; and a subject
with a message on its way is pending, which counts as broken when grace is over.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chassis import settings
from chassis.brokers.opening import open_broker
from chassis.service import Service
from infra.assembly import load_services
from infra.check.agreements import AGREEMENTS, Agreement, Side
from infra.check.snapshot import MOST_NAMED, Snapshot, Violation, take_snapshot
from infra.failures import Failure

ROUND_S = 0.5
SETTLES_WITHIN_S = 180.0


class NotSettled(Failure):
    """Messages are still on their way."""

    code = 13


@dataclass(frozen=True)
class Report:
    """What was found: nothing is wrong when ``broken`` is empty. ``checked`` counts invariants and agreements."""

    checked: int
    broken: list[Violation]
    waited_s: float


def check(environ: Mapping[str, str] | None, *, grace_s: float, agreements: Sequence[Agreement] = AGREEMENTS) -> Report:
    """Checks everything once; waits at most ``grace_s`` for messages on their way."""
    services, began = load_services(), time.monotonic()
    before: set[tuple[str, str]] = set()
    while True:
        found = take_round(services, environ, agreements, grace_s=grace_s)
        disagreeing = find_disagreements(found, agreements)
        pending = _find_pending(services, environ, found, disagreeing)
        over = time.monotonic() - began > grace_s
        certain = {each for each in disagreeing if over or (each in before and each not in pending)}
        if certain == disagreeing:
            return _report(found, agreements, certain, time.monotonic() - began)
        before = disagreeing
        time.sleep(ROUND_S)


def take_round(
    services: Sequence[Service],
    environ: Mapping[str, str] | None,
    agreements: Sequence[Agreement],
    *,
    grace_s: float,
) -> dict[str, Snapshot]:
    """A snapshot of every service's database, one after the other."""
    sides: dict[str, list[Side]] = {service.name: [] for service in services}
    for agreement in agreements:
        for side in (agreement.one, agreement.other):
            sides[side.service].append(side)
    return {
        service.name: take_snapshot(service, settings.read(service.name, environ), sides[service.name], grace_s=grace_s)
        for service in services
    }


def find_disagreements(found: Mapping[str, Snapshot], agreements: Sequence[Agreement]) -> set[tuple[str, str]]:
    """(agreement, subject) wherever two services do not say the same."""
    wrong: set[tuple[str, str]] = set()
    for agreement in agreements:
        one = found[agreement.one.service].sides[agreement.one]
        other = found[agreement.other.service].sides[agreement.other]
        wrong |= {
            (agreement.name, subject) for subject in one.keys() | other.keys() if one.get(subject) != other.get(subject)
        }
    return wrong


def _find_pending(
    services: Sequence[Service],
    environ: Mapping[str, str] | None,
    found: Mapping[str, Snapshot],
    disagreeing: set[tuple[str, str]],
) -> set[tuple[str, str]]:
    if not disagreeing:
        return set()
    if measure_lag(services, environ):
        return disagreeing
    undelivered = frozenset().union(*(snapshot.undelivered for snapshot in found.values()))
    return {each for each in disagreeing if each[1] in undelivered}


def measure_lag(services: Sequence[Service], environ: Mapping[str, str] | None) -> int:
    """How many messages all services have still to take in."""
    broker = open_broker(settings.read("", environ).broker)
    try:
        return sum(broker.lag(group, topics) for service in services for group, topics in list_groups(service))
    finally:
        broker.close()


def list_groups(service: Service) -> list[tuple[str, tuple[str, ...]]]:
    """The consumer groups of a service with their topics: facts, streams, and those of its own loops that name theirs."""
    groups = [(service.name, service.topics), (f"{service.name}-streams", tuple(service.streams))]
    groups += [(loop.group, loop.topics) for loop in service.loops.values() if hasattr(loop, "group")]
    return [(group, topics) for group, topics in groups if topics]


def await_settled(environ: Mapping[str, str] | None, *, within_s: float = SETTLES_WITHIN_S) -> float:
    """Waits until every outbox is empty, no message or errand waits, and no group lags, twice running; how long it took.

    Raises NotSettled, which says what is still on its way.
    """
    services, began, quiet = load_services(), time.monotonic(), 0
    while True:
        found = take_round(services, environ, (), grace_s=0.0)
        moving = {name: snapshot.moving for name, snapshot in found.items() if snapshot.moving}
        if lag := measure_lag(services, environ):
            moving["lag"] = lag
        quiet = 0 if moving else quiet + 1
        if quiet == 2:
            return time.monotonic() - began
        if time.monotonic() - began > within_s:
            raise NotSettled(f"Not settled after {within_s:.0f} s; messages on their way or waiting: {moving}")
        time.sleep(ROUND_S)


def _report(
    found: Mapping[str, Snapshot], agreements: Sequence[Agreement], certain: set[tuple[str, str]], waited_s: float
) -> Report:
    broken = [violation for snapshot in found.values() for violation in snapshot.violations]
    for agreement in agreements:
        ids = sorted(subject for name, subject in certain if name == agreement.name)
        if ids:
            between = f"{agreement.one.service}+{agreement.other.service}"
            broken.append(Violation(between, agreement.name, agreement.sentence, len(ids), ids[:MOST_NAMED]))
    return Report(sum(snapshot.checked for snapshot in found.values()) + len(agreements), broken, waited_s)
