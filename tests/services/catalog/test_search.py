"""The search as people and bad days see it: fed by events, asked over HTTP, with the embedded engine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis.brokers import Message
from chassis.values import Exact, Quantity
from events.orders import DealCompleted
from services.catalog.search.engine import SearchUnavailable
from services.catalog.search.feed import GROUP, TOPICS, SearchFeed
from tests.services.catalog.conftest import BUYER, MILL, OTHER, STORE, Catalog, later, offer, party, row, sheet

NOTHING: dict[str, Any] = {"total": 0, "items": [], "next": None, "facets": {}}


def upload(catalog: Catalog, *rows: str) -> list[str]:
    """Pieces of the mill; their ids in the order of the rows."""
    catalog.upload(sheet(*rows)).ok()
    return sorted(piece["id"] for piece in catalog.pieces().values())


def feed_of(catalog: Catalog) -> SearchFeed:
    return catalog.world.loops["catalog", "search"]  # type: ignore[return-value]


def test_a_listed_offer_is_found_with_all_that_a_buyer_needs(catalog: Catalog) -> None:
    ids = upload(catalog, row("C-1"), row("C-2", thickness="3", grade="Q355B"))
    catalog.hear(offer("offer_1", piece_ids=ids, remaining=Quantity(Exact("46.9"), "TNE"), terms_version=4))
    expected = {
        "kind": "offer",
        "id": "offer_1",
        "answers": ["take"],
        "rating": 90,
        "product_id": None,
        "distance_km": None,
        "offer_id": "offer_1",
        "terms_version": 4,
        "market": "steel",
        "title": "热轧卷板 Q235B",
        "seller_id": MILL,
        "seller": "天津第一钢厂",
        "state": "listed",
        "price": {"value": "3850", "currency": "CNY", "unit": "TNE"},
        "tax_basis": "tax_included",
        "tax_rate": "0.13",
        "remaining": {"value": "46.9", "unit": "TNE"},
        "minimum": None,
        "step": None,
        "pieces": 2,
        "attributes": {
            "kind": ["hot_rolled_coil"],
            "grade": ["Q235B", "Q355B"],
            "standard": ["GB/T 3274-2017"],
            "thickness_mm": ["3", "5.5"],
            "width_mm": ["1250"],
            "certificate_type": ["3.1"],
        },
        "place": "天津",
        "delivery_mode": "self_pickup",
        "warehouse_id": STORE,
        "warehouse": "滨海仓库",
        "deliver_by": "2026-03-22T08:00:00Z",
        "valid_until": "2026-03-07T08:00:00Z",
    }
    found = {"total": 1, "items": [expected], "next": None, "facets": {}}
    own = {**found, "items": [{**expected, "answers": []}]}
    assert catalog.search("热轧 Q355B 3*1250", catalog.mill) == own
    for by in (catalog.buyer, catalog.other, catalog.store, catalog.operator):
        assert catalog.search("热轧 Q355B 3*1250", by, market="steel", place="天津", seller=MILL) == found
    assert catalog.search("热轧", grade="Q355B", thickness_min="2.5", thickness_max="3") == found
    assert catalog.search("热轧", grade="Q355B", thickness_min="5") == NOTHING
    assert catalog.search("H26-118")["total"] == catalog.search("ZB-77")["total"] == 0


def test_an_offer_by_weight_is_found_by_its_title(catalog: Catalog) -> None:
    step = Quantity(Exact("1"), "TNE")
    catalog.hear(offer("offer_1", title="螺纹钢 HRB400E Φ20", minimum=Quantity(Exact("5"), "TNE"), step=step))
    (hit,) = catalog.search("螺纹 Φ20")["items"]
    assert (hit["pieces"], hit["attributes"], hit["minimum"]["value"], hit["step"]["value"]) == (0, {}, "5", "1")


@pytest.mark.parametrize("state", ["taken", "withdrawn", "expired"])
def test_it_is_gone_when_it_cannot_be_taken_any_more(catalog: Catalog, state: str) -> None:
    catalog.hear(offer("offer_1"), offer("offer_2"))
    assert catalog.find() == ["offer_2", "offer_1"]
    catalog.hear(offer("offer_1", 2, state="partly_taken"))
    assert catalog.find() == ["offer_2", "offer_1"]
    catalog.hear(offer("offer_1", 3, state=state))
    assert catalog.find() == ["offer_2"]


def test_it_is_hidden_at_the_end_of_its_validity_even_when_orders_is_late(catalog: Catalog) -> None:
    catalog.hear(offer("offer_1", valid_until=later(minutes=5)))
    catalog.world.clock.advance(timedelta(minutes=5, milliseconds=-1))
    assert catalog.find() == ["offer_1"]
    catalog.world.clock.advance(timedelta(milliseconds=1))
    assert catalog.search() == NOTHING


def test_a_new_version_replaces_and_a_late_one_changes_nothing(catalog: Catalog) -> None:
    catalog.hear(offer("offer_1", 1))
    catalog.hear(offer("offer_1", 3, price="3700"))
    catalog.hear(offer("offer_1", 2, price="9999"))
    assert [hit["price"]["value"] for hit in catalog.search()["items"]] == ["3700"]
    catalog.hear(offer("offer_1", 5, state="withdrawn"))
    catalog.hear(offer("offer_1", 4))
    assert catalog.find() == []


def test_names_follow_identity_and_a_suspended_seller_is_not_found(catalog: Catalog) -> None:
    catalog.hear(offer("offer_1"))
    catalog.hear(party(MILL, 2, name="天津钢铁集团"), party(STORE, 2, name="新港仓库"))
    (hit,) = catalog.search("钢铁集团", place="新港")["items"]
    assert (hit["seller"], hit["warehouse"]) == ("天津钢铁集团", "新港仓库")
    assert catalog.find("第一钢厂") == catalog.find(place="滨海") == []
    catalog.hear(party(MILL, 3, name="天津钢铁集团", state="suspended"))
    assert catalog.find() == []
    catalog.hear(party(MILL, 4, name="天津钢铁集团"))
    assert catalog.find() == ["offer_1"]


def test_an_offer_is_found_before_its_seller_was_heard_of(catalog: Catalog) -> None:
    catalog.hear(offer("offer_1", seller_id="party_new", warehouse_id="party_newer"))
    assert [(hit["seller"], hit["warehouse"]) for hit in catalog.search()["items"]] == [("", "")]
    catalog.hear(party("party_new", name="New Mill"), party("party_newer", name="New Yard"))
    assert catalog.find("new mill") == catalog.find(place="new yard") == ["offer_1"]


def test_a_piece_that_changes_changes_the_offers_that_show_it(catalog: Catalog) -> None:
    """Orders has listed a piece that the catalog, not having heard of it, still lets its owner change."""
    (id,) = upload(catalog, row("C-1"))
    catalog.tell(offer("offer_1", piece_ids=[id]))
    feed_of(catalog).step()
    assert catalog.find(grade="Q235B") == ["offer_1"]
    catalog.upload(sheet(row("C-1", grade="Q355B"))).ok()
    catalog.world.settle()
    assert catalog.find(grade="Q235B") == [] and catalog.find(grade="Q355B") == ["offer_1"]


def test_pages_sorts_and_their_cursors(catalog: Catalog) -> None:
    catalog.hear(*(offer(f"offer_{i}", price=str(4000 - i)) for i in range(5)))
    first = catalog.search(limit=2, sort="price")
    assert [hit["offer_id"] for hit in first["items"]] == ["offer_4", "offer_3"] and first["total"] == 5
    catalog.hear(offer("offer_9", price="1"), offer("offer_2", 2, state="taken"))
    second = catalog.search(limit=2, sort="price", cursor=first["next"])
    assert [hit["offer_id"] for hit in second["items"]] == ["offer_1", "offer_0"] and second["next"] is None
    assert catalog.find(sort="-price") == ["offer_0", "offer_1", "offer_3", "offer_4", "offer_9"]
    answer = catalog.buyer.get("/v1/search", cursor=first["next"], sort="newest")
    assert (answer.status, answer.problem(), answer.body["field"]) == (422, "bad_cursor", "$.cursor")


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"q": ""}, "$.q"),
        ({"q": "x" * 201}, "$.q"),
        ({"q": "a\x00b"}, "$.q"),
        ({"thickness_min": "NaN"}, "$.a.thickness.min"),
        ({"thickness_max": "1e9"}, "$.a.thickness.max"),
        ({"a.thickness.min": "5 kg"}, "$.a.thickness.min"),
        ({"a.thickness.max": "9" * 30}, "$.a.thickness.max"),
        ({"a.nothing": "5"}, "$.a.nothing"),
        ({"a.Grade": "5"}, "$.a"),
        ({"a": "5"}, "$.a"),
        ({"b.grade": "5"}, "$.b.grade"),
        ({"near": "Atlantis"}, "$.near"),
        ({"near": "91,0"}, "$.near"),
        ({"radius_km": "-1"}, "$.radius_km"),
        ({"facets": "../x"}, "$.facets[0]"),
        ({"kind": "person"}, "$.kind[0]"),
        ({"deliver_by": "tomorrow"}, "$.deliver_by"),
        ({"allowed": "maybe"}, "$.allowed"),
        ({"limit": "-1"}, "$.limit"),
        ({"limit": "101"}, "$.limit"),
        ({"limit": "9" * 30}, "$.limit"),
        ({"sort": "random"}, "$.sort"),
        ({"cursor": "../../etc"}, "$.cursor"),
        ({"cursor": "A" * 257}, "$.cursor"),
        ({"market": "steel'--"}, "$.market"),
        ({"fields": "body"}, "$.fields"),
    ],
)
def test_a_hostile_question_is_refused_by_its_field(catalog: Catalog, params: dict[str, str], field: str) -> None:
    answer = catalog.buyer.get("/v1/search", **params)
    assert (answer.status, answer.body["field"]) == (422, field)


@pytest.mark.parametrize("q", ["*", "*:*", '"', "(((", "a AND (b OR", "~" * 200, "😀", "\\", "-5", "%", "/.*/", "|"])
def test_signs_of_query_languages_find_nothing_and_break_nothing(catalog: Catalog, q: str) -> None:
    catalog.hear(offer("offer_1"))
    assert catalog.search(q) == NOTHING


def test_numbers_at_the_ends_of_what_can_be_asked(catalog: Catalog) -> None:
    ids = upload(catalog, row("C-1"))
    catalog.hear(offer("offer_1", piece_ids=ids))
    assert catalog.find(thickness_min="0", thickness_max="999999999999.999999") == ["offer_1"]
    assert catalog.find(thickness_min="999999999999.999999") == []
    assert catalog.find(thickness_min="-5", thickness_max="5.5") == ["offer_1"]
    assert catalog.find(thickness_min="6", thickness_max="5") == []


def test_a_message_that_cannot_be_read_is_passed_over(catalog: Catalog) -> None:
    headers = {"ce_type": "orders.offer_described.v1", "ce_id": "x", "ce_source": "/orders", "ce_specversion": "1.0"}
    with handlers_off(catalog):
        for value in (b"{", b'{"offer_id": 7}', b"\xff"):
            catalog.world.broker.publish([Message("orders", "offer_1", value, headers)])
        catalog.hear(offer("offer_1"))
    assert catalog.find() == ["offer_1"]


@contextmanager
def handlers_off(catalog: Catalog) -> Iterator[None]:
    """Only the search hears: what is unreadable would be parked by the others, as it should."""
    kept = catalog.world.loops
    catalog.world.loops = {("catalog", "search"): kept["catalog", "search"]}
    yield
    catalog.world.loops = kept


def test_nothing_is_lost_when_the_engine_fails_after_the_events_were_kept(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog.hear(offer("offer_1"))
    feed = feed_of(catalog)

    def fail(changes: Any) -> None:
        raise SearchUnavailable("gone for now")

    monkeypatch.setattr(feed.engine, "write", fail)
    catalog.tell(offer("offer_1", 2, state="withdrawn"), offer("offer_2"))
    for _ in range(3):
        with pytest.raises(SearchUnavailable):
            feed.step()
    assert catalog.find() == ["offer_1"]
    monkeypatch.undo()
    catalog.world.settle()
    assert catalog.find() == ["offer_2"] and catalog.world.broker.lag(GROUP, TOPICS) == 0


def test_everything_heard_twice_is_found_once(catalog: Catalog) -> None:
    said = [offer("offer_1"), offer("offer_2"), offer("offer_1", 2, state="withdrawn"), party(MILL, 2, name="Mill")]
    catalog.hear(*said, *said)
    catalog.hear(*reversed(said))
    assert [(hit["offer_id"], hit["seller"]) for hit in catalog.search()["items"]] == [("offer_2", "Mill")]


def test_an_index_that_was_thrown_away_is_made_again_and_is_the_same(catalog: Catalog) -> None:
    ids = upload(catalog, row("C-1"), row("C-2", grade="Q355B"))
    catalog.hear(offer("offer_1", piece_ids=ids[:1]), offer("offer_2", piece_ids=ids[1:]), offer("offer_3"))
    catalog.hear(offer("offer_3", 2, state="withdrawn"), offer("offer_4", 2, price="1"), party(MILL, 2, name="Mill"))
    before = catalog.search()
    assert len(before["items"]) == 3
    folder = Path(catalog.world.settings("catalog").search.partition(":")[2])
    (folder / "current").unlink()
    answer = catalog.buyer.get("/v1/search")
    assert (answer.status, answer.problem()) == (503, "search_unavailable")
    catalog.world.settle()
    assert catalog.search() == before
    catalog.world.rest()
    shutil.rmtree(folder)
    catalog.world.start(catalog.world.broker)
    catalog.world.settle()
    assert catalog.search() == before


def test_replaying_every_event_into_nothing_gives_the_same_answers(catalog: Catalog) -> None:
    ids = upload(catalog, row("C-1"))
    said = [offer("offer_1", piece_ids=ids), offer("offer_2"), offer("offer_2", 2, state="taken"), offer("offer_3")]
    catalog.hear(*said)
    before, kept = catalog.search(), projections(catalog)
    catalog.world.rest()
    catalog.world.sql(
        "catalog", "TRUNCATE searched_thing, searched_lock, searched_word, rated_deal, party, offered_pieces, inbox"
    )
    shutil.rmtree(Path(catalog.world.settings("catalog").search.partition(":")[2]))
    catalog.world.start(catalog.world.broker)
    catalog.hear(*(party(id) for id in (MILL, OTHER, BUYER, STORE)), *said)
    assert catalog.search() == before and projections(catalog) == kept


def projections(catalog: Catalog) -> list[Any]:
    tables = ("searched_thing", "searched_lock", "rated_deal", "party", "offered_pieces")
    return [sorted(map(str, catalog.world.sql("catalog", f"SELECT * FROM {table}"))) for table in tables]


def test_a_sold_piece_leaves_the_search_with_its_offer(catalog: Catalog) -> None:
    ids = upload(catalog, row("C-1"), row("C-2", grade="Q355B"))
    catalog.hear(offer("offer_1", piece_ids=ids))
    catalog.hear(offer("offer_1", 2, state="partly_taken", piece_ids=ids[:1], taken_piece_ids=ids[1:]))
    assert catalog.find(grade="Q355B") == [] and catalog.find(grade="Q235B") == ["offer_1"]
    catalog.hear(DealCompleted(deal_id="deal_1", buyer_id=BUYER, seller_id=MILL, piece_ids=ids[1:]))
    assert catalog.find(grade="Q355B") == [] and catalog.find(grade="Q235B") == ["offer_1"]


def test_prices_are_compared_with_tax_and_by_weight(catalog: Catalog) -> None:
    catalog.hear(
        offer("offer_1", price="4000"),
        offer("offer_2", price="3600", tax_basis="tax_excluded"),
        offer("offer_3", price="4.01", unit="KGM"),
    )
    assert catalog.find(sort="price") == ["offer_1", "offer_3", "offer_2"]
