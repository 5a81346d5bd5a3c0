"""Part trace: a chain of six levels with planted lots, traced over HTTP: everything that a lot went into, and nothing else."""

from __future__ import annotations

import json
import time
from typing import Any

from infra.failures import Failure
from loadtests.benchmarks.epcis import A_DOCUMENT, await_events, count_events, post_documents
from loadtests.benchmarks.epcis_things import batches, make_chain, write_document
from loadtests.benchmarks.figures import Figure, Goal, measure_alone
from loadtests.benchmarks.plan import Plan
from loadtests.benchmarks.stage import Say, Stage
from services.logistics.epcis.identifiers import canonical

TIMES = 5
OF = {"forward": frozenset({"product", "carrier"}), "back": frozenset({"product"})}
"""What counts as found: forward also what the things lie in, which a recall must reach; back only what they were made from."""


class TraceCut(Failure):
    """A trace was not whole."""


def measure_trace(plan: Plan, stage: Stage, say: Say) -> list[Figure]:
    """Recall and false hits of a planted lot traced forward and of an item traced back, and how long each takes."""
    desk, chain = stage.traders[0].warehouse.desk, make_chain(plan.chain)
    say(f"trace: a chain of {plan.chain:,} items in {len(chain.events):,} events")
    logistics = stage.connect("logistics")
    try:
        before = count_events(logistics)
        documents = [json.dumps(write_document(some)).encode() for some in batches(chain.events, A_DOCUMENT)]
        post_documents(stage, desk, documents)
        await_events(logistics, before + len(chain.events))
        logistics.execute("ANALYZE")
    finally:
        logistics.close()
    figures = []
    for name, thing, direction, truth in (
        (f"a lot forward, {len(chain.truth):,} things", chain.planted, "forward", chain.truth),
        (f"an item back, {len(chain.origins):,} lots", chain.item, "back", chain.origins),
    ):
        found, took = set[str](), list[float]()
        for _ in range(TIMES):
            began = time.perf_counter()
            answer = desk.get("/v1/traces", id=canonical(thing), direction=direction)
            took.append(time.perf_counter() - began)
            found = _found(answer, thing, OF[direction])
        figures += _figures_of(name, found, {canonical(one) for one in truth}, took)
    return figures


def _found(answer: dict[str, Any], thing: str, roles: frozenset[str]) -> set[str]:
    """What a trace found in some roles: neither the thing itself nor the runs between things."""
    if not answer["is_whole"]:
        raise TraceCut(f"the trace of {thing} was cut")
    return {node["id"] for node in answer["nodes"] if node["role"] in roles}


def _figures_of(name: str, found: set[str], truth: set[str], took: list[float]) -> list[Figure]:
    return [
        measure_alone("trace", f"{name}: recall", "", [len(found & truth) / len(truth)], Goal(of="ours", at_least=1)),
        measure_alone("trace", f"{name}: false hits", "", [float(len(found - truth))], Goal(of="ours", at_most=0)),
        measure_alone("trace", f"{name}: time", "s", took, Goal(of="ours", at_most=1)),
    ]
