"""The search's consumer group against a real Elasticsearch: from events to hits, over an outage and a rebuild."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chassis import clock, messages
from chassis.brokers.memory import MemoryBroker
from chassis.worker import Context
from services.catalog.search.access import OPERATOR
from services.catalog.search.asking import Wanted
from services.catalog.search.elastic_engine import ElasticEngine
from services.catalog.search.engine import SearchEngine, SearchUnavailable
from services.catalog.search.feed import SearchFeed, rebuild
from services.catalog.search.finding import Results, find_things
from services.catalog.search.knowledge import Knowledge
from tests.engines.test_search import require
from tests.services.catalog.conftest import MILL, Catalog, alone, catalog, offer, party

__all__ = ["alone", "catalog"]


@pytest.fixture
def engine() -> Iterator[ElasticEngine]:
    made = ElasticEngine(require("HAIHE_TEST_ELASTICSEARCH"), f"haihe-test-{secrets.token_hex(4)}")
    yield made
    made.drop()
    made.close()


@pytest.fixture
def feed(catalog: Catalog, engine: ElasticEngine) -> SearchFeed:
    """The loop of a distributed worker: its own group on a broker of its own, Elasticsearch behind it."""
    world = catalog.world
    broker = MemoryBroker()
    broker.ensure_topics(["catalog", "identity", "orders"])
    context = Context(world.services["catalog"], world.databases["catalog"], broker, world.settings("catalog"), "es")
    made = SearchFeed(context)
    made.engine = engine
    return made


def say(feed: SearchFeed, *events: Any) -> None:
    feed.context.broker.publish([messages.wrap(event, "test") for event in events])


def settle(feed: SearchFeed) -> None:
    while feed.step():
        pass
    feed.engine.refresh()


def search(engine: SearchEngine, **wanted: Any) -> Results:
    return find_things(engine, Knowledge(), OPERATOR, Wanted(**wanted), now=clock.now(), limit=100)


def find(feed: SearchFeed, **wanted: Any) -> list[tuple[str, str]]:
    return [(hit.id, hit.seller) for hit in search(feed.engine, **wanted).items]


def test_from_events_to_hits(feed: SearchFeed) -> None:
    say(feed, offer("offer_1"), offer("offer_2", title="冷轧卷板"), party(MILL, name="Mill"))
    settle(feed)
    assert find(feed) == [("offer_2", "天津第一钢厂"), ("offer_1", "天津第一钢厂")]
    say(feed, offer("offer_2", 2, state="taken"), party(MILL, 2, name="Mill"))
    settle(feed)
    assert find(feed, text="热轧") == find(feed) == [("offer_1", "Mill")]


def test_an_outage_loses_nothing(feed: SearchFeed, engine: ElasticEngine) -> None:
    say(feed, offer("offer_1"))
    settle(feed)
    dead = ElasticEngine("http://127.0.0.1:9", engine.alias)
    dead._ready_until = float("inf")
    feed.engine = dead
    say(feed, offer("offer_1", 2, state="withdrawn"), offer("offer_2"))
    for _ in range(2):
        with pytest.raises(SearchUnavailable):
            feed.step()
    feed.engine = engine
    settle(feed)
    assert find(feed) == [("offer_2", "天津第一钢厂")]


def test_an_index_that_was_dropped_is_made_again(feed: SearchFeed, engine: ElasticEngine) -> None:
    say(feed, *(offer(f"offer_{i}") for i in range(1_200)), offer("offer_7", 2, state="withdrawn"))
    settle(feed)
    assert search(engine).total == 1_199
    engine.drop()
    engine._ready_until = float("inf")  # the loop still believes that there is an index
    say(feed, offer("offer_8", 2, state="withdrawn"))
    with pytest.raises(SearchUnavailable):
        feed.step()
    settle(feed)
    assert search(engine).total == 1_198


def test_what_another_member_writes_during_a_rebuild_is_not_lost(
    feed: SearchFeed, engine: ElasticEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(feed, *(offer(f"offer_{i}") for i in range(10)))
    settle(feed)
    swap = engine._swap

    def meanwhile(index: str, filling: str) -> list[dict[str, Any]]:
        say(feed, offer("offer_3", 2, state="taken"), offer("offer_new"), party(MILL, 2, name="Renamed"))
        settle(feed)
        return swap(index, filling)

    monkeypatch.setattr(engine, "_swap", meanwhile)
    assert rebuild(feed.context.database, engine) == 10
    engine.refresh()
    found = find(feed)
    assert ("offer_new", "Renamed") in found and len(found) == 10 and {seller for _, seller in found} == {"Renamed"}
    assert "offer_3" not in dict(found)


def test_two_workers_share_the_group_and_the_index(feed: SearchFeed, engine: ElasticEngine) -> None:
    other = SearchFeed(replace(feed.context, member="other"))
    other.engine = engine
    other.step()
    say(feed, *(offer(f"offer_{i}") for i in range(60)))
    while feed.step() + other.step():
        pass
    engine.refresh()
    assert search(engine).total == 60
