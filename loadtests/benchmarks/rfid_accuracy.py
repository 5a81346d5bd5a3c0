"""How right the stages are on the simulator, beside naive ways: a fixed window of two seconds, the first antenna wins."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add

from loadtests.benchmarks.figures import Figure, Goal, compare
from loadtests.benchmarks.plan import Plan
from services.logistics.rfid.simulator.arrivals import correct
from services.logistics.rfid.simulator.concluding import conclude
from services.logistics.rfid.simulator.naive import conclude_simply
from services.logistics.rfid.simulator.scoring import Score, score
from services.logistics.rfid.simulator.world import Plan as Site
from services.logistics.rfid.simulator.world import simulate

ZONES_A_SEED = 6
"""A site of zones has few tags, so there are more of them."""


def measure_accuracy(plan: Plan, say: Callable[[str], None]) -> list[Figure]:
    """Four figures over some seeds, each ours beside the naive one."""
    say(f"rfid: accuracy over {plan.seeds} seeds")
    pairs = [_score(Site(seed=seed, gates=4, trips=20)) for seed in range(1, plan.seeds + 1)]
    pairs += [
        _score(Site(seed=seed, gates=0, trips=0, zones=3, tags=30, zone_s=1_200))
        for seed in range(1, ZONES_A_SEED * plan.seeds + 1)
    ]
    ours, naive = (reduce(add, side) for side in zip(*pairs, strict=True))
    rows = (
        ("presence at gates, F1", 0.99, lambda one: one.presence.f1),
        ("direction", 0.98, lambda one: one.ways.share),
        ("content of pallets", 0.995, lambda one: one.content.share),
        ("presence in zones, F1", 0.99, lambda one: one.zones.f1),
    )
    return [
        compare("rfid", f"{name}, beside naive", "", [(read(ours), read(naive))], Goal(of="ours", at_least=least))
        for name, least, read in rows
    ]


def _score(site: Site) -> tuple[Score, Score]:
    simulation = simulate(site)
    reads = correct(simulation.batches)
    return score(simulation, conclude(simulation, reads)), score(simulation, conclude_simply(simulation, reads))
