"""Part found: how long after it was listed an offer is found, and how long after its last tonne was taken it is gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from loadtests.benchmarks.figures import Figure, Goal, measure_alone, percentile_of
from loadtests.benchmarks.plan import Plan
from loadtests.benchmarks.rounds import TradeFailed
from loadtests.benchmarks.stage import Stage
from loadtests.steel import SteelTrade

POLL_S = 0.005
SLOWEST_S = 2.0
"""The goal: an offer is found at most so long after it was listed, and gone after it was taken."""


def measure_appearing(plan: Plan, stage: Stage) -> list[Figure]:
    """Seconds until the buyer's search shows an offer, and until it does not any more; polled every five milliseconds."""
    took = [_follow(plan, stage.trader_of(number)) for number in range(plan.followed)]
    found, gone = ([one[column] for one in took] for column in (0, 1))
    return [*_figures("found after it was listed", found), *_figures("gone after it was taken", gone)]


def _figures(what: str, seconds: list[float]) -> Iterator[Figure]:
    yield measure_alone("found", f"{what}, p50 of {len(seconds)}", "s", [percentile_of(seconds, 50)])
    yield measure_alone("found", f"{what}, the slowest", "s", [max(seconds)], Goal(of="ours", at_most=SLOWEST_S))


def _follow(plan: Plan, trade: SteelTrade) -> tuple[float, float]:
    offer = trade.list_weight("1", minimum="1", step="1", valid_until=None)
    found = _time(plan, lambda: offer["id"] in _shown(trade))
    trade.take(offer, quantity={"value": "1", "unit": "TNE"})
    return found, _time(plan, lambda: offer["id"] not in _shown(trade))


def _shown(trade: SteelTrade) -> set[str]:
    hits = trade.buyer.desk.get("/v1/search", seller=trade.mill.party_id, sort="newest", limit=50)["items"]
    return {hit["offer_id"] for hit in hits}


def _time(plan: Plan, is_so: Callable[[], bool]) -> float:
    began = time.perf_counter()
    while not is_so():
        if time.perf_counter() - began > plan.timeout_s:
            raise TradeFailed("the search does not follow what is listed and taken")
        time.sleep(POLL_S)
    return time.perf_counter() - began
