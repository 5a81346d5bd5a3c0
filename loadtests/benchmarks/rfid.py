"""Part rfid: reads through the platform's own stream and worker; nothing lost, the end state right, how soon, and how right.

Simulated gates (the simulator's noise) are published as collectors publish them, a message a reader and second, to the embedded
log, and to Kafka where HAIHE_TEST_KAFKA names one. In the end all reads must be there, and every passage must be what the pure
stages make of all reads at once. The burst is what readers held through a break: four times as fast as they read. A passage is
told when its transaction was committed, by PostgreSQL's own clock. All readers are switched off in one second at the end, and every
gate ends its passage then: how soon these are told is left out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from infra.cluster import Cluster
from infra.failures import Failure
from loadtests.benchmarks.figures import Figure, Goal, compare, measure_alone, percentile_of
from loadtests.benchmarks.plan import Plan
from loadtests.benchmarks.rfid_accuracy import measure_accuracy
from loadtests.benchmarks.rfid_platform import RfidStand, set_rfid_stand, time_of
from loadtests.benchmarks.rfid_state import (
    count_differing,
    count_lost,
    count_taken,
    read_corrections,
    read_first_tellings,
    tally_truth,
)
from loadtests.benchmarks.rfid_traffic import SECOND, GateReads, by_second, last_second, make_traffic
from services.logistics.rfid.simulator.noise import Noise

SUSTAINED, BURST = 5_000.0, 20_000.0
CLOSING_S = 2.0
BATCH = 1_000
Say = Callable[[str], None]


class ReadsLost(Failure):
    """Fewer reads are there than were sent."""


@dataclass
class Sent:
    """What was sent: how many reads, within how many seconds, and our time of the simulation's start, in microseconds.

    ``in_time`` of them were sent while the readers read; the others came late, behind that.
    """

    reads: int
    seconds: float
    start_us: int
    in_time: int = 0


def measure_rfid(plan: Plan, cluster: Cluster, folder: Path, say: Say) -> list[Figure]:
    """The rates on each broker that there is, then the accuracy."""
    figures: list[Figure] = []
    kafka = os.environ.get("HAIHE_TEST_KAFKA", "")
    for name, url in [("embedded", None), *([("Kafka", f"kafka://{kafka}")] if kafka else [])]:
        with set_rfid_stand(cluster, folder, url) as stand:
            figures += _measure_rates(plan, stand, name, say)
        cluster.drop_database("rfid")
    return [*figures, *measure_accuracy(plan, say)]


def _measure_rates(plan: Plan, stand: RfidStand, name: str, say: Say) -> list[Figure]:
    noise = Noise(latest_s=plan.latest_s, parked=0.1)
    say(f"rfid: making {plan.read_seconds:g} s of reads")
    gates = make_traffic(a_second=SUSTAINED, seconds=plan.read_seconds, noise=noise, say=say)
    stand.add_gates(gates)
    say(f"rfid: {len(gates)} gates send for {plan.read_seconds:g} s and {plan.latest_s:g} s ({name})")
    sent = _send_sustained(stand, gates, plan.read_seconds)
    behind_s = stand.until_settled()
    figures = _check(stand, gates, sent, name, "steady")
    start, off = time_of(sent.start_us), time_of(sent.start_us + round((plan.read_seconds - 1) * SECOND))
    told, corrected = (
        read_first_tellings(stand, start, off),
        read_corrections(stand, start, time_of(round(time.time() * SECOND))),
    )
    figures += [
        _rate_of(plan, stand, sent, name),
        _alone(name, "steady: settled after the end", "s", [behind_s]),
        _alone(name, "last read to first telling: p50", "s", [percentile_of(told, 50)]),
        _alone(name, "last read to first telling: p99", "s", [percentile_of(told, 99)], Goal(of="ours", at_most=CLOSING_S + 1)),
    ]  # fmt: skip
    if corrected:
        figures.append(_alone(name, "last late read to correction: p99", "s", [percentile_of(corrected, 99)]))
    return [*figures, *_measure_burst(plan, stand, name, noise, say)]


def _rate_of(plan: Plan, stand: RfidStand, sent: Sent, name: str) -> Figure:
    """Reads a second that were committed by two seconds after the readers stopped, beside those that were sent by then."""
    until = time_of(sent.start_us + round((plan.read_seconds + 2) * SECOND))
    taken = count_taken(stand, until) / plan.read_seconds
    goal = Goal(of="ratio", at_least=0.95)
    return compare(
        "rfid", f"{name}, steady: taken in, of sent", "/s", [(taken, sent.in_time / plan.read_seconds)], goal
    )


def _alone(broker: str, what: str, unit: str, values: list[float], goal: Goal | None = None) -> Figure:
    return measure_alone("rfid", f"{broker}, {what}", unit, values, goal)


def _send_sustained(stand: RfidStand, gates: list[GateReads], reading_s: float) -> Sent:
    """Each second the reads that come in it, and that all readers live."""
    seconds: dict[int, list[tuple[GateReads, range]]] = {}
    for gate in gates:
        for second, places in by_second(gate):
            seconds.setdefault(second, []).append((gate, places))
    began, reads, in_time = time.time(), 0, 0
    start_us = round(began * SECOND)
    for second in range(last_second(gates) + 1):
        _wait_until(began + second + 1)
        messages = [
            one for gate, places in seconds.get(second, ()) for one in stand.send(gate, places, start_us=start_us)
        ]
        stand.broker.publish([*messages, *stand.live(gates)])
        reads += sum(len(places) for _, places in seconds.get(second, ()))
        in_time = reads if second < reading_s else in_time
    return Sent(reads, time.time() - began, start_us, in_time)


def _measure_burst(plan: Plan, stand: RfidStand, name: str, noise: Noise, say: Say) -> list[Figure]:
    """Readers that were away for four times as long as the burst lasts send all that they held."""
    held_s = plan.burst_seconds * BURST / SUSTAINED
    made = make_traffic(a_second=SUSTAINED, seconds=held_s, noise=Noise(latest_s=1.0, parked=noise.parked), say=say)
    gates = _renumber(made, len(stand.gate_ids))
    stand.add_gates(gates)
    say(f"rfid: burst of {BURST:,.0f} reads a second for {plan.burst_seconds:g} s ({name})")
    sent = _send_burst(stand, gates)
    worked_off = stand.until_settled()
    return [
        _alone(name, "burst: reads sent", "/s", [sent.reads / sent.seconds]),
        _alone(name, "burst: worked off after", "s", [worked_off], Goal(of="ours", at_most=300)),
        *_check(stand, gates, sent, name, "burst"),
    ]  # fmt: skip


def _renumber(gates: Iterable[GateReads], first: int) -> list[GateReads]:
    found = list(gates)
    for gate in found:
        gate.number += first
        gate.reader_id = f"reader-{gate.number}"
    return found


def _send_burst(stand: RfidStand, gates: list[GateReads]) -> Sent:
    """All reads as fast as a burst is, each reader's oldest first."""
    began, reads = time.time(), 0
    start_us = round(began * SECOND) - (last_second(gates) + 1) * SECOND
    waiting = [
        (gate, range(at, min(at + BATCH, len(gate.at)))) for gate in gates for at in range(0, len(gate.at), BATCH)
    ]
    for gate, places in sorted(waiting, key=lambda one: one[1].start):
        _wait_until(began + reads / BURST)
        stand.broker.publish(stand.send(gate, places, start_us=start_us))
        reads += len(places)
    stand.broker.publish(stand.live(gates))
    return Sent(reads, time.time() - began, start_us)


def _check(stand: RfidStand, gates: list[GateReads], sent: Sent, name: str, what: str) -> list[Figure]:
    """That all is there, what differs from the stages, and how near it is to what was so."""
    if lost := count_lost(stand, gates):
        raise ReadsLost(f"{lost} of {sent.reads} reads are not there")
    presence, ways = tally_truth(stand, gates, sent.start_us)
    none = Goal(of="ours", at_most=0)
    return [
        _alone(name, f"{what}: lost of {sent.reads:,}", "", [float(lost)], none),
        _alone(name, f"{what}: tags told otherwise", "", [float(count_differing(stand, gates))], none),
        _alone(name, f"{what}: presence F1, no papers", "", [presence.f1]),
        _alone(name, f"{what}: direction", "", [ways.share], Goal(of="ours", at_least=0.98)),
    ]


def _wait_until(at: float) -> None:
    """Readers send when it is time to."""
    while (left := at - time.time()) > 0:
        time.sleep(min(left, 0.2))
