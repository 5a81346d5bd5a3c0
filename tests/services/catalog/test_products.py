"""Products over HTTP: described, seen by whom they may be, revised, published, moderated, retired."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from chassis import clock
from events.catalog import ProductDescribed
from events.identity import Licence
from tests.services.catalog.conftest import BUYER, MILL, party
from tests.services.catalog.product_market import Products


def test_a_product_is_described_read_by_its_market_and_told(products: Products) -> None:
    said = {"kind": "Reagent", "name": " Acetone ", "purity": "99.50", "note": "dry"}
    made = products.add("A-1", **said, gtin="4006381333931", texts={"zh": "丙酮", "en": "Acetone, dry"}).ok()
    now = "2026-03-02T08:00:00Z"
    assert made == {
        "id": made["id"], "version": 1, "market": "lab", "market_version": 1, "product_type": "reagent",
        "offered_as": "goods", "owner_id": MILL, "number": "A-1", "state": "draft",
        "title": {"zh": "Acetone 99.5", "en": "Acetone 99.5"},
        "attributes": {"kind": "reagent", "name": "Acetone", "purity": "99.5", "note": "dry"},
        "texts": {"zh": "丙酮", "en": "Acetone, dry"}, "gtin": "04006381333931", "group_id": None,
        "blocked": "sds_missing", "licences": [], "base_unit": "KGM", "trade_units": ["KGM", "TNE"], "step": "0.5",
        "minimum": "1", "proposed": None, "reason": None, "made_at": now, "changed_at": now,
    }  # fmt: skip
    (event,) = products.catalog.told(ProductDescribed)
    shown = {name: made[name] for name in ProductDescribed.__struct_fields__ if name in made}
    assert msgspec.to_builtins(event, enc_hook=str) == shown | {"product_id": made["id"]}


def test_the_same_again_changes_nothing_and_something_else_is_a_change_with_its_history(products: Products) -> None:
    made = products.add("A-1", size="m", colour="red").ok()
    before = products.count()
    assert products.add("A-1", size="M", colour="red").ok() == made
    assert products.count() == before
    changed = products.add("A-1", size="l", texts={"en": "warm"}).ok()
    assert (changed["version"], changed["attributes"]) == (2, {"kind": "shirt", "name": "Shirt", "size": "l"})
    (change,) = products.catalog.mill.get(f"/v1/products/{made['id']}/changes").ok()["items"]
    assert change == {
        "version": 2,
        "at": "2026-03-02T08:00:00Z",
        "user_id": f"user_{MILL}",
        "changes": {"colour": ["red", None], "size": ["m", "l"], "texts": [{}, {"en": "warm"}]},
    }
    assert [event.version for event in products.catalog.told(ProductDescribed)] == [1, 2]


def test_every_mistake_is_named_and_nothing_is_made(products: Products) -> None:
    before = products.count()
    said = {"kind": "reagent", "purity": "1e3", "size": "m", "mileage": "5", "weight": "1", "name": "=x"}
    answer = products.add(" ", **said, gtin="4006381333932")
    assert answer.problem() == "invalid_product"
    assert {error["field"] for error in answer.body["errors"]} == {
        "$.number", "$.gtin", "$.attributes.purity", "$.attributes.weight", "$.attributes.name",
    }  # fmt: skip
    answer = products.add("A-1", kind="reagent", name="x", size="m", mileage="5")
    assert {(error["field"], error["zh"]) for error in answer.body["errors"]} == {
        ("$.attributes.size", "此类产品没有该属性"),
        ("$.attributes.mileage", "此类产品没有该属性"),
    }
    assert products.add("A-1", kind="plate", name="x").body["errors"] == [
        {"field": "$.attributes.grade", "detail": "is missing", "zh": "未填写"}
    ]
    assert products.add("A-1", kind="spaceship").problem() == "invalid_product"
    assert products.add("A-1", market="nowhere").problem() == "unknown_market"
    assert products.count() == before


def test_only_its_owner_and_the_operator_see_a_draft_and_everybody_what_is_published(products: Products) -> None:
    catalog, id = products.catalog, products.add().ok()["id"]
    assert [products.see(id, by).status for by in (catalog.mill, catalog.operator)] == [200, 200]
    assert [products.see(id, by).status for by in (catalog.other, catalog.buyer)] == [404, 404]
    assert catalog.public.get(f"/v1/products/{id}").status == 401
    assert products.move(id, "publish", catalog.other).status == 404
    assert products.move(id, "publish").ok()["state"] == "published"
    assert products.see(id, catalog.buyer).ok() == products.see(id).ok()
    assert products.move(id, "publish", catalog.other).problem() == "not_the_owner"
    assert products.move(id, "publish").problem() == "illegal_move"
    assert catalog.buyer.get("/v1/products").ok()["items"] == []
    assert [item["id"] for item in catalog.mill.get("/v1/products").ok()["items"]] == [id]
    assert products.move(id, "retire").ok()["state"] == "retired"
    assert products.see(id, catalog.buyer).status == 404
    assert products.add(name="New").problem() == "product_retired"
    assert products.move(id, "restore").ok()["state"] == "draft"
    assert [event.state for event in catalog.told(ProductDescribed)] == ["draft", "published", "retired", "draft"]


def test_who_lacks_the_licence_does_not_see_the_goods(products: Products) -> None:
    catalog = products.catalog
    made = products.publish_product("N-1", kind="narcotic", name="morphine")
    needed = {"scheme": "narcotics", "held_by": ["seller", "buyer"], "scope": ["morphine"], "hides": True}
    assert made["licences"] == [needed]
    paths = ["", "/variants", "/lots", "/documents", "/media", "/equivalents"]
    assert {catalog.buyer.get(f"/v1/products/{made['id']}{path}").status for path in paths} == {404}

    def hold(version: int, scope: list[str], days: int) -> None:
        until = clock.now() + timedelta(days=days)
        licence = Licence(scheme="narcotics", number="L-1", scope=scope, valid_until=until)
        catalog.hear(msgspec.structs.replace(party(BUYER, version), licences=[licence]))

    hold(2, ["codeine"], 10)
    assert products.see(made["id"], catalog.buyer).status == 404
    hold(3, ["codeine", "morphine"], 10)
    assert {catalog.buyer.get(f"/v1/products/{made['id']}{path}").status for path in paths} == {200}
    assert products.see(made["id"], catalog.other).status == 404
    assert products.see(made["id"], catalog.operator).status == 200
    catalog.world.advance(timedelta(days=11))
    catalog.buyer = catalog.caller(BUYER, "purchaser")
    assert products.see(made["id"], catalog.buyer).status == 404


def test_variants_are_one_group_and_a_change_of_what_they_share_leaves_it(products: Products) -> None:
    red = products.publish_product("S-1", size="m", colour="red")
    blue = products.publish_product("S-2", size="m", colour="blue")
    products.publish_product("S-3", size="m", colour="red", note="wool")
    products.publish_product("S-4", products.catalog.other, size="l", colour="red")
    draft = products.add("S-5", size="s", colour="red").ok()
    path = f"/v1/products/{red['id']}/variants"
    numbers = [item["number"] for item in products.catalog.mill.get(path).ok()["items"]]
    assert numbers == ["S-5", "S-2", "S-1"]
    assert [item["number"] for item in products.catalog.buyer.get(path).ok()["items"]] == ["S-2", "S-1"]
    assert red["group_id"] == blue["group_id"] == draft["group_id"]
    moved = products.move(blue["id"], "revise", version=1, attributes={"note": "wool"}).ok()
    assert moved["group_id"] != red["group_id"]
    assert [item["number"] for item in products.catalog.buyer.get(path).ok()["items"]] == ["S-1"]


def test_a_revision_keeps_what_it_does_not_name_and_none_goes_unseen(products: Products) -> None:
    id = products.add("S-1", size="m", colour="red", texts={"zh": "衬衫"}, gtin="4006381333931").ok()["id"]
    revised = products.move(
        id, "revise", version=1, attributes={"size": "l", "colour": None}, texts={"en": "shirt"}
    ).ok()
    assert revised["attributes"] == {"kind": "shirt", "name": "Shirt", "size": "l"}
    assert (revised["texts"], revised["gtin"]) == ({"zh": "衬衫", "en": "shirt"}, "04006381333931")
    before = products.count()
    answer = products.move(id, "revise", version=1, attributes={"size": "s"})
    assert (answer.problem(), answer.body["version"]) == ("product_changed", 2)
    assert products.move(id, "revise", version=2, attributes={"name": None}).problem() == "invalid_product"
    assert products.move(id, "revise", products.catalog.other, version=2).status == 404
    assert products.count() == before
    assert products.move(id, "revise", version=2, gtin=None).ok()["gtin"] is None


def test_the_operator_looks_first_where_the_market_asks_for_it(products: Products) -> None:
    products.publish(moderated=("shirt",))
    catalog = products.catalog
    id = products.publish_product("S-1", size="m")["id"]
    assert products.see(id).ok()["state"] == "submitted"
    assert products.see(id, catalog.buyer).status == 404
    assert [item["id"] for item in catalog.operator.get("/v1/products", awaiting="true").ok()["items"]] == [id]
    assert products.move(id, "approve", version=1).status == 403
    assert products.move(id, "reject", catalog.operator, version=1, reason="no picture").ok()["state"] == "rejected"
    assert products.see(id).ok()["reason"] == "no picture"
    assert products.move(id, "approve", catalog.operator, version=2).problem() == "nothing_to_moderate"
    products.move(id, "publish").ok()
    assert products.move(id, "approve", catalog.operator, version=2).problem() == "product_changed"
    assert products.move(id, "approve", catalog.operator, version=3).ok()["state"] == "published"
    assert products.see(id, catalog.buyer).ok()["attributes"]["size"] == "m"


def test_a_revision_of_what_is_published_waits_while_the_old_one_is_seen(products: Products) -> None:
    products.publish(moderated=("shirt",))
    catalog = products.catalog
    id = products.publish_product("S-1", size="m")["id"]
    products.move(id, "approve", catalog.operator, version=1).ok()
    waiting = products.move(id, "revise", version=2, attributes={"size": "l"}).ok()
    assert (waiting["state"], waiting["attributes"]["size"], waiting["proposed"]["attributes"]["size"]) == (
        "published",
        "m",
        "l",
    )
    seen = products.see(id, catalog.buyer).ok()
    assert (seen["attributes"]["size"], seen["proposed"]) == ("m", None)
    assert products.add("S-1", size="l", state="published").ok()["version"] == waiting["version"]
    assert products.move(id, "reject", catalog.operator, version=3, reason="unlikely").ok()["proposed"] is None
    assert products.see(id, catalog.buyer).ok()["reason"] is None
    again = products.add("S-1", size="l").ok()
    assert products.move(id, "withdraw").ok()["proposed"] is None
    last = products.move(id, "revise", version=again["version"] + 1, attributes={"size": "s"}).ok()
    done = products.move(id, "approve", catalog.operator, version=last["version"]).ok()
    assert (done["attributes"]["size"], done["proposed"], done["reason"]) == ("s", None, None)
    assert products.see(id, catalog.buyer).ok()["attributes"]["size"] == "s"
    changes = catalog.mill.get(f"/v1/products/{id}/changes").ok()["items"]
    assert len(changes) == done["version"] - 1
    assert {change["user_id"] for change in changes} == {f"user_{MILL}", "user_platform"}


def test_what_is_put_back_as_it_is_seen_takes_the_revision_away(products: Products) -> None:
    products.publish(moderated=("shirt",))
    id = products.publish_product("S-1", size="m")["id"]
    products.move(id, "approve", products.catalog.operator, version=1).ok()
    assert products.add("S-1", size="l").ok()["proposed"] is not None
    assert products.add("S-1", size="m").ok()["proposed"] is None


def test_a_product_keeps_the_version_of_the_market_that_it_was_described_by(products: Products) -> None:
    old = products.publish_product("P-1", kind="plate", name="Plate", grade="Q235B", thickness="5")
    types = [{"name": "sheet", "label": {"zh": "薄板", "en": "Sheet"}, "attribute": "kind", "codes": ["plate"],
              "title": {"zh": "{grade}", "en": "{grade}"}}]  # fmt: skip
    products.publish(types=types, documents=[], licences=[], carriage=[])
    assert products.see(old["id"]).ok() == old
    assert products.move(old["id"], "retire").ok()["product_type"] == "plate"
    new = products.add("P-2", kind="plate", grade="Q235B", name="x").ok()
    assert (new["market_version"], new["product_type"]) == (2, "sheet")


def test_republishing_tells_each_product_as_it_stands(products: Products) -> None:
    products.publish_product("S-1", size="m")
    products.add("A-1", kind="reagent", name="Acetone").ok()
    first = products.catalog.told(ProductDescribed)
    products.catalog.world.republish()
    assert products.catalog.told(ProductDescribed) == sorted(first * 2, key=lambda event: event.subject)


@pytest.mark.parametrize("role", ["purchaser", "reader", "finance", "warehouse"])
def test_only_sellers_describe_products(products: Products, role: str) -> None:
    by = products.catalog.caller(MILL, role)
    before = products.count()
    assert products.add(by=by).problem() == "missing_role"
    assert products.count() == before
