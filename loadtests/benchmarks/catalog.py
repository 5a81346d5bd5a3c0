"""Part catalog: a catalog of offers in the embedded engine, beside Elasticsearch where HAIHE_TEST_ELASTICSEARCH names one.

The index is made of documents that are made as the platform makes them. To fill it with a million in minutes, each of the
first ones comes again under other ids, prices and numbers; how fast documents are made is measured on those that are not
repeated. Questions are asked as a route asks them, with three facets, of an engine that nobody writes to and then of one
that another process writes batches to all the time.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from loadtests.benchmarks.catalog_things import NOW, Goods, repeat, seller_id
from loadtests.benchmarks.figures import Figure, Goal, compare, measure_alone, percentile_of
from loadtests.benchmarks.plan import Plan
from services.catalog.search.access import viewer_of
from services.catalog.search.asking import Sort, Wanted
from services.catalog.search.elastic_engine import ElasticEngine
from services.catalog.search.engine import Document, SearchEngine
from services.catalog.search.engines import open_engine
from services.catalog.search.finding import find_things
from services.catalog.search.knowledge import Knowledge

BATCH = 500
WRITTEN = 100
PAUSE_S = 0.5
"""The writer sends so many changed offers, and then waits so long."""
ALIAS = "haihe-bench"
GOALS_MS = {100_000: 20.0, 1_000_000: 50.0}
PERCENTILES = (50, 95, 99)
FACETS = ["grade", "thickness", "place"]
QUESTIONS: dict[str, Wanted] = {
    "a whole market": Wanted(market="steel", facets=FACETS),
    "a kind in Chinese": Wanted(text="热轧卷板", facets=FACETS),
    "a kind in English": Wanted(text="hot rolled coil", facets=FACETS),
    "a grade and a thickness": Wanted(text="Q235B 5.5", facets=FACETS),
    "filters on two of the facets": Wanted(
        market="steel",
        filters={"grade": ["Q235B", "Q355B"], "thickness.min": ["0.1 in"], "thickness.max": ["10"]},
        facets=FACETS,
    ),
    "the cheapest": Wanted(market="steel", text="Q355", sort=Sort.CHEAPEST, facets=FACETS),
    "a seller's": Wanted(seller_id=seller_id(7), facets=FACETS),
    "near a town": Wanted(market="steel", near="天津", radius_km=200, facets=FACETS),
    "the nearest first": Wanted(market="steel", text="卷板", near="天津", sort=Sort.DISTANCE, facets=FACETS),
    "the best fit for a misspelled word": Wanted(
        market="steel", text="galvanised coil", sort=Sort.RELEVANCE, facets=FACETS
    ),
}


def measure_catalog(plan: Plan, folder: Path, say: Callable[[str], None]) -> list[Figure]:
    """How fast documents are made, indices built, and questions answered, for each number of offers."""
    goods, began = Goods(), time.perf_counter()
    templates = list(goods.offers(0, plan.templates))
    made = plan.templates / (time.perf_counter() - began)
    figures = [measure_alone("catalog", "documents made", "docs/s", [made])]
    knowledge, worst = Knowledge(tuple(goods.packs.values())), {}
    for size in plan.offers:
        say(f"catalog: {size:,} offers")
        sides = [_measure_side(address, templates, size, plan, knowledge) for address in _addresses(folder)]
        figures += _figures_of(size, sides)
        worst[size] = sides[0]["asked"]["p99"]
    if len(worst) > 1:
        least, most = min(worst), max(worst)
        figures.append(measure_alone("catalog", f"p99 at {most:,} / at {least:,}", "x", [worst[most] / worst[least]]))
    return figures


def _addresses(folder: Path) -> list[str]:
    elastic = os.environ.get("HAIHE_TEST_ELASTICSEARCH")
    return [f"tantivy:{folder}/search", *([elastic] if elastic else [])]


def _open(address: str) -> SearchEngine:
    return ElasticEngine(address, ALIAS) if address.startswith("http") else open_engine(address)


def _measure_side(
    address: str, templates: list[Document], size: int, plan: Plan, knowledge: Knowledge
) -> dict[str, Any]:
    """The figures of one engine."""
    engine, began = _open(address), time.perf_counter()
    with engine.rebuilt() as put:
        for some in _batches(repeat(templates, size), BATCH):
            put(some)
    engine.refresh()
    side: dict[str, Any] = {"rebuild": size / (time.perf_counter() - began), "size": _megabytes(engine, address)}
    engine.close()
    engine = _open(address)
    _ask_all(engine, knowledge, 2)
    side["asked"] = _spread(_ask_all(engine, knowledge, plan.asked))
    with _written(address, templates[: WRITTEN * 10]):
        _ask_all(engine, knowledge, 2)
        side["written"] = _spread(_ask_all(engine, knowledge, plan.asked))
    side["questions"] = {
        name: percentile_of(_ask(engine, knowledge, each, plan.asked), 99) for name, each in QUESTIONS.items()
    }
    engine.close()
    if isinstance(engine, ElasticEngine):
        dropped = ElasticEngine(address, ALIAS)
        dropped.drop()
        dropped.close()
    return side


def _batches(documents: Iterable[Document], size: int) -> Iterator[list[Document]]:
    left = iter(documents)
    while some := list(islice(left, size)):
        yield some


def _megabytes(engine: SearchEngine, address: str) -> float:
    if isinstance(engine, ElasticEngine):
        return engine.size_bytes() / 1e6
    folder = Path(address.partition(":")[2])
    current = folder / (folder / "current").read_text()
    return sum(path.stat().st_size for path in current.iterdir()) / 1e6


def _ask_all(engine: SearchEngine, knowledge: Knowledge, times: int) -> list[float]:
    return [ms for wanted in QUESTIONS.values() for ms in _ask(engine, knowledge, wanted, times)]


def _ask(engine: SearchEngine, knowledge: Knowledge, wanted: Wanted, times: int) -> list[float]:
    """How many milliseconds each of some equal questions took."""
    viewer, took = viewer_of(seller_id(1), [], {}, NOW), []
    for _ in range(times):
        began = time.perf_counter()
        find_things(engine, knowledge, viewer, wanted, now=NOW, limit=20)
        took.append((time.perf_counter() - began) * 1000)
    return took


def _spread(took: list[float]) -> dict[str, float]:
    return {f"p{percent}": percentile_of(took, percent) for percent in PERCENTILES}


@contextmanager
def _written(address: str, documents: list[Document]) -> Iterator[None]:
    """Another process writes to the index until the block ends."""
    context = multiprocessing.get_context("spawn")
    begun, stop = context.Event(), context.Event()
    writer = context.Process(target=_write, args=(address, documents, begun, stop), daemon=True)
    writer.start()
    begun.wait(60)
    yield
    stop.set()
    writer.join()


def _write(address: str, documents: list[Document], begun: Any, stop: Any) -> None:
    engine, version = _open(address), 2
    while not stop.is_set():
        for some in _batches(repeat(documents, len(documents), version=version), WRITTEN):
            engine.write(some)
            begun.set()
            if stop.wait(PAUSE_S):
                break
        version += 1
    engine.close()


def _figures_of(size: int, sides: list[dict[str, Any]]) -> list[Figure]:
    def figure(name: str, unit: str, values: list[float], goal: Goal | None = None) -> Figure:
        named = f"{name}, {size:,}"
        if len(values) == 2:
            return compare("catalog", named, unit, [(values[0], values[1])], goal)
        return measure_alone("catalog", named, unit, values, goal)

    figures = [
        figure("index rebuilt", "docs/s", [side["rebuild"] for side in sides]),
        figure("size of the index", "MB", [side["size"] for side in sides]),
    ]
    for kind, words in (("asked", "ten questions"), ("written", "while written to")):
        for percent in PERCENTILES:
            goal = GOALS_MS.get(size) if percent == 99 else None
            limit = Goal(of="ours", at_most=goal) if goal else None
            figures.append(figure(f"{words}: p{percent}", "ms", [side[kind][f"p{percent}"] for side in sides], limit))
    for name in QUESTIONS:
        figures.append(figure(f"{name}: p99", "ms", [side["questions"][name] for side in sides]))
    return figures
