"""Saved searches: whoever saved one is told of everything new that fits it, once, and of nothing that it may not see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chassis.brokers import Message
from events.catalog import SearchMatched
from services.catalog.search import knowledge, watching
from services.catalog.search.engine import SearchUnavailable
from tests.services.catalog.conftest import BUYER, MILL, OTHER, Catalog, offer, party
from tests.services.catalog.test_markets import publish
from tests.services.catalog.test_search import feed_of
from tests.services.catalog.test_search_kinds import SECRET, licensed, product
from tests.unit.catalog.tea import TEA
from tests.world import Client

COILS = {"name": "coils", "wanted": {"text": "热卷", "filters": {"grade": ["Q235B"]}}}


def save(catalog: Catalog, by: Any = None, **wanted: Any) -> str:
    body = {"name": "mine", "wanted": wanted}
    return (by or catalog.buyer).post("/v1/saved-searches", body).ok()["id"]


def told(catalog: Catalog) -> list[tuple[str, str]]:
    return [(event.party_id, event.thing_id) for event in catalog.told(SearchMatched)]


def forget(by: Client, id: str) -> int:
    return by.send("DELETE", f"/v1/saved-searches/{id}").status


def pass_time(catalog: Catalog) -> None:
    catalog.world.clock.advance(timedelta(seconds=1))


def test_what_is_new_is_told_once_with_what_it_is(catalog: Catalog) -> None:
    catalog.hear(offer("offer_old", title="热轧卷板 Q355B"))
    id = save(catalog, text="热卷 Q355B")
    catalog.world.settle()
    pass_time(catalog)
    said = offer("offer_new", title="热轧卷板 Q355B 20吨")
    catalog.hear(said, offer("offer_else", title="螺纹钢 Q355B"))
    catalog.hear(said, offer("offer_new", 2, title="热轧卷板 Q355B 20吨", price="3000"))
    (event,) = catalog.told(SearchMatched)
    assert (event.saved_search_id, event.party_id, event.user_id) == (id, BUYER, f"user_{BUYER}")
    assert (event.name, event.kind, event.thing_id, event.title) == (
        "mine",
        "offer",
        "offer_new",
        "热轧卷板 Q355B 20吨",
    )


def test_an_old_thing_that_comes_to_fit_is_new(catalog: Catalog) -> None:
    catalog.hear(offer("offer_1", title="冷轧"), offer("offer_2", title="热轧"))
    save(catalog, text="热轧")
    catalog.world.settle()
    catalog.hear(offer("offer_1", 2, title="热轧 改"), offer("offer_2", 2, title="热轧 改"))
    assert told(catalog) == [(BUYER, "offer_1")]


def test_what_comes_before_the_search_was_first_looked_at_is_not_lost(catalog: Catalog) -> None:
    feed_of(catalog).step()
    save(catalog, text="热轧")
    pass_time(catalog)
    catalog.tell(offer("offer_1", title="热轧"))
    catalog.world.settle()
    assert told(catalog) == [(BUYER, "offer_1")]


def test_nobody_is_told_of_its_own_or_of_what_it_may_not_see(catalog: Catalog) -> None:
    for by in (catalog.buyer, catalog.other, catalog.mill):
        save(catalog, by, text="卷板")
    catalog.world.settle()
    pass_time(catalog)
    catalog.hear(offer("offer_1", audience=[OTHER]), offer("offer_2"))
    assert sorted(told(catalog)) == [(BUYER, "offer_2"), (OTHER, "offer_1"), (OTHER, "offer_2")]
    catalog.hear(offer("offer_1", 2, audience=[OTHER, BUYER]))
    assert (BUYER, "offer_1") in told(catalog)


def test_goods_behind_a_licence_are_told_to_who_holds_it(catalog: Catalog) -> None:
    catalog.hear(licensed(BUYER, 2, "arms"))
    for by in (catalog.buyer, catalog.other):
        save(catalog, by, kinds=["product"])
    catalog.world.settle()
    pass_time(catalog)
    catalog.hear(product("product_1", licences=[SECRET]))
    assert told(catalog) == [(BUYER, "product_1")]


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({"text": "rebar"}, False),
        ({"text": "hot rolled coil"}, True),
        ({"market": "steel"}, True),
        ({"market": "autos"}, False),
        ({"seller_id": MILL}, True),
        ({"seller_id": OTHER}, False),
        ({"place": "天津"}, True),
        ({"near": "天津", "radius_km": 10}, True),
        ({"near": "上海", "radius_km": 10}, False),
        ({"kinds": ["offer"]}, True),
        ({"kinds": ["tender"]}, False),
        ({"in_stock": True}, True),
        ({"currency": "EUR"}, False),
        ({"allowed": True}, True),
        ({}, True),
        ({"filters": {"thickness.min": ["1"]}}, False),
    ],
)
def test_all_that_can_be_asked_can_be_saved(catalog: Catalog, wanted: dict[str, Any], fits: bool) -> None:
    save(catalog, **wanted)
    catalog.world.settle()
    pass_time(catalog)
    catalog.hear(offer("offer_1"))
    assert told(catalog) == ([(BUYER, "offer_1")] if fits else [])


def test_saved_searches_are_listed_and_deleted_by_their_user_alone(catalog: Catalog) -> None:
    first = catalog.buyer.post("/v1/saved-searches", COILS).ok()
    assert first["name"] == "coils" and first["wanted"]["filters"] == {"grade": ["Q235B"]}
    assert catalog.buyer.get("/v1/saved-searches").ok() == {"items": [first], "next": None}
    for other in (catalog.other, catalog.operator):
        assert other.get("/v1/saved-searches").ok() == {"items": [], "next": None}
    assert forget(catalog.other, first["id"]) == 404
    assert forget(catalog.buyer, first["id"]) == 204
    assert forget(catalog.buyer, first["id"]) == 404
    catalog.world.settle()
    pass_time(catalog)
    catalog.hear(offer("offer_1"))
    assert told(catalog) == [] and catalog.world.sql("catalog", "SELECT * FROM saved_match") == []


def test_a_search_deleted_after_it_was_known_tells_nothing(catalog: Catalog) -> None:
    id = save(catalog, text="热轧")
    catalog.hear(offer("offer_0"))
    assert forget(catalog.buyer, id) == 204
    pass_time(catalog)
    catalog.hear(offer("offer_1"))
    assert "offer_1" not in [thing for _, thing in told(catalog)]


@pytest.mark.parametrize(
    ("body", "problem", "field"),
    [
        ({"name": "x", "wanted": {"text": "!!!"}}, "nothing_wanted", "$.wanted.text"),
        ({"name": "x", "wanted": {"filters": {"nothing": ["1"]}}}, "unknown_filter", "$.a.nothing"),
        ({"name": "x", "wanted": {"near": "Atlantis"}}, "unknown_place", "$.near"),
        ({"name": "x", "wanted": {"fields": 1}}, "invalid_field", "$.wanted.fields"),
        ({"name": "", "wanted": {}}, "invalid_field", "$.name"),
    ],
)
def test_a_search_that_cannot_be_is_refused(catalog: Catalog, body: Any, problem: str, field: str) -> None:
    answer = catalog.buyer.post("/v1/saved-searches", body)
    assert (answer.status, answer.problem(), answer.body["field"]) == (422, problem, field)
    assert catalog.buyer.get("/v1/saved-searches").ok()["items"] == []


def test_a_search_that_no_market_knows_any_more_keeps_no_other_waiting(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "BEGUN_AT_ONCE", 1)
    monkeypatch.setattr(knowledge, "PACKS_STAND_S", -1.0)
    publish(catalog.operator, TEA).ok()
    save(catalog, filters={"garden": ["武夷山桐木关"]})
    publish(catalog.operator, TEA.replace('filter = "garden"\n', "", 1)).ok()
    save(catalog, text="热轧")
    catalog.world.settle()
    begun = catalog.world.sql("catalog", "SELECT is_whole FROM saved_search ORDER BY number")
    assert [row.is_whole for row in begun] == [False, True]


def test_a_user_saves_so_many_and_no_more(catalog: Catalog) -> None:
    for _ in range(100):
        save(catalog, text="热轧")
    answer = catalog.buyer.post("/v1/saved-searches", COILS)
    assert (answer.status, answer.problem()) == (409, "too_many_searches")
    assert catalog.other.post("/v1/saved-searches", COILS).status == 201


def test_everything_heard_again_tells_nothing_again(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    save(catalog, text="热轧")
    catalog.world.settle()
    pass_time(catalog)
    feed = feed_of(catalog)
    committed = feed._subscription.commit  # type: ignore[union-attr]

    def fail() -> None:
        raise SearchUnavailable("the offsets were not committed")

    monkeypatch.setattr(feed._subscription, "commit", fail)
    catalog.tell(offer("offer_1"))
    with pytest.raises(SearchUnavailable):
        feed.step()
    monkeypatch.setattr(feed._subscription, "commit", committed)
    feed._subscription.seek_to_committed()  # type: ignore[union-attr]
    catalog.world.settle()
    catalog.hear(offer("offer_1"), party(MILL, 2, name="天津钢铁集团"))
    assert told(catalog) == [(BUYER, "offer_1")]
    assert all(isinstance(message, Message) for message in catalog.said)
