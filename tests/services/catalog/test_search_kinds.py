"""Everything that can be found besides offers, who may see it, and how it is counted and ordered."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis import clock
from chassis.envelope import Event
from chassis.values import Exact, Money, Quantity
from events.catalog import LicenceNeeded, ProductDescribed
from events.identity import Licence, PartyDescribed
from events.orders import DealCompleted, DealDefaulted, DealStruck, PostingDescribed
from tests.services.catalog.conftest import BUYER, MILL, NAMES, OTHER, Catalog, later, offer, party, row
from tests.services.catalog.test_search import upload

COIL = {"kind": "hot_rolled_coil", "grade": "Q235B", "thickness_mm": "5.5", "width_mm": "1250"}
MINUTES = 5 / 1440
SECRET = LicenceNeeded(scheme="arms", held_by=["buyer"], scope=["3"], hides=True)
TRADED = LicenceNeeded(scheme="traders", held_by=["seller", "buyer"])


def product(id: str, version: int = 1, **changed: Any) -> ProductDescribed:
    said: dict[str, Any] = {
        "market": "steel",
        "market_version": 1,
        "product_type": "coil",
        "offered_as": "goods",
        "owner_id": MILL,
        "number": f"N-{id}",
        "state": "published",
        "title": {"zh": "热轧卷板 Q235B", "en": "Hot rolled coil Q235B"},
        "attributes": COIL,
        "base_unit": "KGM",
        "trade_units": ["TNE"],
        "step": Exact(1),
        "minimum": Exact(1),
        **changed,
    }
    return ProductDescribed(product_id=id, version=version, **said)


def posting(id: str, kind: Any, version: int = 1, **changed: Any) -> PostingDescribed:
    said: dict[str, Any] = {
        "market": "steel",
        "owner_id": OTHER,
        "state": "open",
        "title": "求购热轧卷板",
        "attributes": COIL,
        "place": "上海",
        "valid_until": later(600),
        "answers": ["quote"],
        **changed,
    }
    return PostingDescribed(posting_id=id, version=version, kind=kind, **said)


def licensed(id: str, version: int, *schemes: str, days: float = 30) -> PartyDescribed:
    said = party(id, version)
    until = clock.now() + timedelta(days=days)
    held = [Licence(scheme=scheme, number="1", scope=["3"], valid_until=until) for scheme in schemes]
    return PartyDescribed(**{**{name: getattr(said, name) for name in said.__struct_fields__}, "licences": held})


def ids(catalog: Catalog, q: str | None = None, by: Any = None, **params: Any) -> list[str]:
    return [hit["id"] for hit in catalog.search(q, by, **params)["items"]]


def test_everything_is_found_and_says_what_can_be_done_with_it(catalog: Catalog) -> None:
    said: list[Event] = [
        offer("offer_1"),
        product("product_1"),
        posting("posting_1", "inquiry"),
        posting("posting_2", "tender", answers=["tender"]),
        posting("posting_3", "auction", answers=["bid"]),
        posting("posting_4", "capacity"),
        posting("posting_5", "booking", answers=["book"]),
    ]
    catalog.hear(*said)
    found = {hit["id"]: (hit["kind"], hit["answers"], hit["seller"]) for hit in catalog.search("热轧")["items"]}
    assert found == {
        "offer_1": ("offer", ["take"], "天津第一钢厂"),
        "posting_1": ("inquiry", ["quote"], "Other Steel GmbH"),
        "posting_2": ("tender", ["tender"], "Other Steel GmbH"),
        "posting_3": ("auction", ["bid"], "Other Steel GmbH"),
        "posting_4": ("capacity", ["quote"], "Other Steel GmbH"),
        "posting_5": ("booking", ["book"], "Other Steel GmbH"),
    }
    assert ids(catalog, kind="product") == ["product_1"] and ids(catalog, kind="tender") == ["posting_2"]
    assert ids(catalog, "N-product_1", kind="product") == ["product_1"]
    answer = catalog.buyer.get(
        "/v1/search?kind=tender&kind=product&a.grade=Q235B&a[grade]=SPHC&a.thickness.max=0.22in"
    ).ok()
    assert sorted(hit["id"] for hit in answer["items"]) == ["posting_2", "product_1"]
    catalog.hear(posting("posting_1", "inquiry", 2, state="closed"), product("product_1", 2, state="retired"))
    assert "posting_1" not in ids(catalog) and ids(catalog, kind="product") == []
    catalog.hear(product("product_1", 3, blocked="sds_missing"))
    assert ids(catalog, kind="product") == []


def test_an_offer_of_a_product_has_what_the_product_has(catalog: Catalog) -> None:
    catalog.hear(offer("offer_1", title="现货", product_id="product_1"))
    assert ids(catalog, "Q235B") == []
    catalog.hear(product("product_1"))
    assert ids(catalog, "热卷 Q235B", **{"a.grade": "q235b", "a.thickness.min": "5"}) == ["offer_1"]
    assert ids(catalog, product="product_1") == ["offer_1"]
    catalog.hear(product("product_1", 2, attributes={**COIL, "grade": "Q355B"}, title={"zh": "热轧卷板", "en": "HRC"}))
    assert ids(catalog, **{"a.grade": "q235b"}) == [] and ids(catalog, **{"a.grade": "Q355B"}) == ["offer_1"]


def test_a_directed_offer_is_seen_by_its_audience_and_its_seller_alone(catalog: Catalog) -> None:
    catalog.hear(offer("offer_1"), offer("offer_2", audience=[BUYER], price="3000", title="合同价 卷板"))
    for by, seen in (
        (catalog.buyer, True),
        (catalog.mill, True),
        (catalog.operator, True),
        (catalog.other, False),
        (catalog.store, False),
    ):
        found = catalog.search(by=by, facets="seller", sort="price")
        assert found["total"] == 1 + seen == found["facets"]["seller"][0]["count"]
        assert (found["items"][0]["price"]["value"] == "3000") is seen
        assert ("offer_2" in ids(catalog, "合同价", by)) is seen
    catalog.hear(offer("offer_2", 2, audience=[OTHER], price="3000"))
    assert ids(catalog) == ["offer_1"] and ids(catalog, by=catalog.other) == ["offer_2", "offer_1"]


def test_goods_that_need_a_licence_are_hidden_from_who_lacks_it(catalog: Catalog) -> None:
    catalog.hear(product("product_1", licences=[SECRET, TRADED], title={"zh": "秘密钢板", "en": "Clandestine plate"}))
    catalog.hear(offer("offer_1", title="现货", product_id="product_1"))

    def seen(by: Any) -> tuple[int, int, int, list[str], list[str]]:
        return (
            catalog.search(by=by)["total"],
            catalog.search("秘密钢板", by)["total"],
            sum(each["count"] for each in catalog.search(by=by, facets="grade")["facets"]["grade"]),
            [each["text"] for each in by.get("/v1/search/suggest", q="q23").ok()["items"]],
            ids(catalog, "clandestien", by, kind="product"),
        )

    hidden, shown = (0, 0, 0, [], []), (1, 1, 1, ["Q235B"], ["product_1"])
    assert seen(catalog.buyer) == hidden and seen(catalog.mill) == seen(catalog.operator) == shown
    catalog.hear(licensed(BUYER, 2, "arms"))
    assert seen(catalog.buyer) == shown and seen(catalog.other) == hidden
    assert ids(catalog, allowed="true") == []
    catalog.hear(licensed(BUYER, 3, "arms", "traders", days=MINUTES))
    assert ids(catalog, allowed="true") == ["offer_1"] and ids(catalog, by=catalog.mill, allowed="true") == []
    catalog.world.clock.advance(timedelta(days=MINUTES))
    assert seen(catalog.buyer) == hidden
    catalog.hear(licensed(BUYER, 4))
    assert seen(catalog.buyer) == hidden


def test_facets_have_names_and_stay_right_under_other_filters(catalog: Catalog) -> None:
    made = upload(catalog, row("C-1"), row("C-2", grade="Q355B"), row("C-3", grade="Q355B", thickness="3"))
    catalog.hear(
        *(
            offer(f"offer_{n}", piece_ids=[id], place=place)
            for n, (id, place) in enumerate(zip(made, ("天津", "上海", "上海"), strict=True))
        )
    )
    found = catalog.buyer.get(
        "/v1/search?facets=grade&facets=thickness&facets=place&facets=seller&facets=market&a.grade=Q355B&limit=0"
    ).ok()
    assert (found["total"], found["items"], found["next"]) == (2, [], None)
    assert found["facets"] == {
        "grade": [
            {"value": "Q355B", "count": 2, "label": {}},
            {"value": "Q235B", "count": 1, "label": {}},
        ],
        "thickness": [{"value": "3", "count": 1, "label": {}}, {"value": "5.5", "count": 1, "label": {}}],
        "place": [{"value": "CNSHA", "count": 2, "label": {"zh": "上海", "en": "Shanghai"}}],
        "seller": [{"value": MILL, "count": 2, "label": {"zh": "天津第一钢厂", "en": "天津第一钢厂"}}],
        "market": [{"value": "steel", "count": 2, "label": {"zh": "钢铁云", "en": "Steel"}}],
    }


def test_near_and_by_distance(catalog: Catalog) -> None:
    places = {"offer_1": "天津", "offer_2": "唐山", "offer_3": "上海", "offer_4": "nowhere at all", "offer_5": "天津"}
    catalog.hear(*(offer(id, place=place) for id, place in places.items()))
    found = catalog.search(near="天津", sort="distance")
    assert [(hit["id"], hit["distance_km"]) for hit in found["items"]][:2] == [("offer_5", 0), ("offer_1", 0)]
    assert [hit["id"] for hit in found["items"]][2:] == ["offer_2", "offer_3", "offer_4"]
    assert ids(catalog, near="39.1,117.2", radius_km="150", sort="distance") == ["offer_5", "offer_1", "offer_2"]
    assert ids(catalog, near="上海") == ["offer_3"] and ids(catalog, near="拉萨") == []
    seen, cursor = [], None
    while True:
        found = catalog.search(near="天津", sort="distance", limit=2, cursor=cursor)
        seen += [hit["id"] for hit in found["items"]]
        assert found["total"] == 5
        if (cursor := found["next"]) is None:
            break
    assert seen == ["offer_5", "offer_1", "offer_2", "offer_3", "offer_4"]


def test_a_rating_is_the_share_of_deals_that_were_kept(catalog: Catalog) -> None:
    catalog.hear(offer("offer_1"), offer("offer_2", seller_id=OTHER))

    def ratings() -> dict[str, int]:
        return {hit["id"]: hit["rating"] for hit in catalog.search()["items"]}

    assert ratings() == {"offer_1": 90, "offer_2": 90}
    struck = [_struck(f"deal_{n}", MILL if n < 10 else OTHER) for n in range(20)]
    kept = [DealCompleted(deal_id=f"deal_{n}", buyer_id=BUYER, seller_id=MILL, piece_ids=[]) for n in range(10)]
    broken = [_broken(f"deal_{n}", "seller") for n in range(10, 20)]
    catalog.hear(*struck, *kept, *broken)
    assert ratings() == {"offer_1": 95, "offer_2": 45}
    assert ids(catalog, sort="rating") == ["offer_1", "offer_2"]
    catalog.hear(*struck, *kept, *broken)
    assert ratings() == {"offer_1": 95, "offer_2": 45}
    catalog.hear(_struck("deal_x", MILL), _broken("deal_x", "buyer"))
    assert ratings() == {"offer_1": 95, "offer_2": 45}


def _struck(id: str, seller: str) -> DealStruck:
    none = Money(0, "CNY")
    return DealStruck(
        deal_id=id,
        offer_id="offer_1",
        buyer_id=BUYER,
        seller_id=seller,
        buyer_deposit=none,
        seller_deposit=none,
        due_at=later(5),
    )


def _broken(id: str, by: Any) -> DealDefaulted:
    return DealDefaulted(deal_id=id, by=by, forfeit=Money(0, "CNY"), reason="late")


def test_stock_delivery_currency_and_tax_basis(catalog: Catalog) -> None:
    euro = {"price": "500", "currency": "EUR"}
    catalog.hear(
        offer("offer_1", deliver_by=later(60)),
        offer("offer_2", price="3800", deliver_by=later(600)),
        offer("offer_3", price="3500", tax_basis="tax_excluded", tax_rate=Exact("0.09")),
        posting("posting_1", "inquiry"),
    )
    assert euro["currency"] == "EUR"
    assert ids(catalog, deliver_by="2026-03-02T09:00:00Z") == ["offer_1"]
    assert ids(catalog, deliver_by="2026-03-02T08:59:00Z") == []
    assert ids(catalog, sort="deliver_by")[:2] == ["offer_1", "offer_2"]
    assert sorted(ids(catalog, in_stock="true")) == ["offer_1", "offer_2", "offer_3"]
    assert ids(catalog, sort="price") == ["offer_2", "offer_3", "offer_1"]
    assert ids(catalog, sort="price", tax_basis="tax_excluded") == ["offer_2", "offer_1", "offer_3"]
    assert ids(catalog, sort="price", currency="EUR") == [] == ids(catalog, currency="EUR")


def test_what_was_typed_wrong_is_found_and_what_was_typed_right_is_not_widened(catalog: Catalog) -> None:
    catalog.hear(offer("offer_1", title="Galvanized sheet"), offer("offer_2", title="Galvanizes nothing"))
    assert ids(catalog, "galvanised sheet") == ["offer_1"] == ids(catalog, "galvinized shete")
    assert ids(catalog, "galvanizes") == ["offer_2"] and ids(catalog, "gal") == []


@pytest.mark.parametrize("q", ["", " ", "a" * 201, "\x00"])
def test_a_hostile_beginning_is_refused(catalog: Catalog, q: str) -> None:
    assert catalog.buyer.get("/v1/search/suggest", q=q).status == (200 if q == " " else 422)


@pytest.mark.parametrize("q", ["*", '"', "(((", ".*", "[a-z]", "\\", "😀", "天" * 200])
def test_signs_of_query_languages_complete_to_nothing(catalog: Catalog, q: str) -> None:
    catalog.hear(offer("offer_1"))
    assert catalog.buyer.get("/v1/search/suggest", q=q).ok() == {"items": []}


def test_replaying_every_event_of_every_kind_into_nothing_gives_the_same_answers(catalog: Catalog) -> None:
    said: list[Event] = [
        product("product_1", licences=[SECRET]),
        offer("offer_1", product_id="product_1"),
        offer("offer_2", audience=[BUYER]),
        posting("posting_1", "auction"),
        _struck("deal_1", MILL),
        DealCompleted(deal_id="deal_1", buyer_id=BUYER, seller_id=MILL, piece_ids=[]),
        licensed(BUYER, 2, "arms"),
        offer("offer_3"),
        offer("offer_3", 2, state="taken"),
    ]
    catalog.hear(*said)

    def answers() -> list[Any]:
        askers = (catalog.buyer, catalog.other, catalog.operator)
        facets = [
            by.get("/v1/search?facets=grade&facets=seller&kind=product&kind=offer&kind=auction").ok() for by in askers
        ]
        return facets + [by.get("/v1/search/suggest", q="q").ok() for by in askers]

    before = answers()
    assert [found["total"] for found in before[:3]] == [4, 1, 4]
    catalog.world.rest()
    catalog.world.sql("catalog", "TRUNCATE searched_thing, searched_lock, searched_word, rated_deal, party, inbox")
    shutil.rmtree(Path(catalog.world.settings("catalog").search.partition(":")[2]))
    catalog.world.start(catalog.world.broker)
    catalog.hear(*(party(id) for id in NAMES), *said)
    assert answers() == before


def test_quantities_are_shown(catalog: Catalog) -> None:
    catalog.hear(posting("posting_1", "tender", quantity=Quantity(Exact(500), "TNE")))
    assert catalog.search()["items"][0]["remaining"] == {"value": "500", "unit": "TNE"}
