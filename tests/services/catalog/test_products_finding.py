"""Products side by side, what replaces what, a buyer's own part numbers, lots, and pieces that are of a product."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.auth import Caller
from chassis.values import Exact, Quantity
from events.catalog import PieceDescribed
from services.catalog.markets.queries import pack_of
from services.catalog.pieces.commands import Outcome, describe_pieces
from services.catalog.pieces.model import Draft
from services.catalog.products import equivalents
from tests.services.catalog.conftest import MILL, OTHER, STORE
from tests.services.catalog.product_market import ATTRIBUTES, TYPES, Products


def plate(products: Products, number: str, grade: str, by: Any = None, **said: str) -> Any:
    """A published plate."""
    return products.publish_product(number, by, **({"kind": "plate", "name": number, "grade": grade} | said))


def test_a_comparison_has_a_row_an_attribute_and_says_where_they_differ(products: Products) -> None:
    one = plate(products, "P-1", "Q235B", thickness="5")
    products.publish(attributes=_with_unit("thickness", "INH"))
    other = plate(products, "P-2", "Q355B", products.catalog.other, thickness="0.25")
    shirt = products.publish_product("S-1", size="m", note="not compared")
    ids = [one["id"], other["id"], shirt["id"]]
    compared = products.catalog.buyer.get("/v1/products/compare", ids=ids).ok()
    assert [product["id"] for product in compared["products"]] == ids
    rows = {row["attribute"]: row for row in compared["rows"]}
    assert list(rows) == ["kind", "name", "thickness", "grade", "size"]
    assert rows["thickness"] == {
        "attribute": "thickness",
        "label": {"zh": "thickness zh", "en": "thickness"},
        "unit": "MMT",
        "values": [
            {"value": "5", "text": {"zh": "5 毫米", "en": "5 mm"}},
            {"value": "6.35", "text": {"zh": "6.35 毫米", "en": "6.35 mm"}},
            None,
        ],
        "differs": True,
    }
    assert rows["kind"]["values"][2] == {"value": "shirt", "text": {"zh": "shirt zh", "en": "shirt"}}


def test_numbers_that_are_the_same_in_two_units_do_not_differ(products: Products) -> None:
    one = plate(products, "P-1", "Q235B", thickness="6.35", name="x")
    products.publish(attributes=_with_unit("thickness", "INH"))
    other = plate(products, "P-2", "Q235B", thickness="0.25", name="x")
    compared = products.catalog.buyer.get("/v1/products/compare", ids=[one["id"], other["id"]]).ok()
    assert {row["differs"] for row in compared["rows"]} == {False}


def _with_unit(name: str, unit: str) -> list[dict[str, Any]]:
    return [each | {"unit": unit} if each["name"] == name else each for each in ATTRIBUTES]


def test_what_one_may_not_see_is_not_compared(products: Products) -> None:
    one, draft = products.publish_product("S-1")["id"], products.add("S-2").ok()["id"]
    buyer = products.catalog.buyer
    assert buyer.get("/v1/products/compare", ids=[one, draft]).body["missing"] == [draft]
    assert buyer.get("/v1/products/compare", ids=[one]).problem() == "bad_comparison"
    assert buyer.get("/v1/products/compare", ids=[one, one]).problem() == "bad_comparison"
    assert buyer.get("/v1/products/compare", ids=[f"product_{i}" for i in range(11)]).status == 422
    assert products.catalog.mill.get("/v1/products/compare", ids=[one, draft]).status == 200


def test_what_replaces_a_grade_is_found_by_the_table_of_its_market(products: Products) -> None:
    asked = plate(products, "P-1", "Q355B")
    german = plate(products, "P-2", "S355JR", products.catalog.other)
    same = plate(products, "P-3", "q355b", products.catalog.other)
    plate(products, "P-4", "304")
    products.add("P-5", kind="plate", name="draft", grade="S355JR").ok()
    found = products.catalog.buyer.get(f"/v1/products/{asked['id']}/equivalents").ok()["items"]
    assert [(item["product"]["id"], item["source"], item["attribute"]) for item in found] == [
        (same["id"], "same_value", "grade"),
        (german["id"], "table", "grade"),
    ]
    assert found[1]["degree"] in ("exact", "close", "similar")
    answer = products.catalog.buyer.get("/v1/products/equivalents", market="lab", attribute="grade", value="Q355B").ok()
    assert {"attribute": "grade", "value": "Q355B", "degree": "same"} in answer["values"]
    assert {item["product"]["number"] for item in answer["items"]} == {"P-1", "P-2", "P-3"}
    unknown = products.catalog.buyer.get("/v1/products/equivalents", market="lab", attribute="name", value="x")
    assert unknown.problem() == "no_equivalents"


def test_goods_of_another_type_take_no_place_among_equivalents(
    products: Products, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(equivalents, "MOST_FOUND", 2)
    products.publish(types=[each | {"has": ["grade"]} if each["name"] == "shirt" else each for each in TYPES])
    for number in ("S-1", "S-2"):
        products.publish_product(number, name=number, grade="Q355B")
    asked, same = plate(products, "P-1", "Q355B"), plate(products, "P-2", "Q355B")
    found = products.catalog.buyer.get(f"/v1/products/{asked['id']}/equivalents").ok()["items"]
    assert [item["product"]["id"] for item in found] == [same["id"]]


def test_the_same_article_of_another_company_is_an_equivalent(products: Products) -> None:
    mine = products.publish_product("S-1", gtin="4006381333931")["id"]
    theirs = products.publish_product("S-9", products.catalog.other, name="Hemd", gtin="04006381333931")["id"]
    products.add("S-8", products.catalog.other, gtin="4006381333931").ok()
    (item,) = products.catalog.buyer.get(f"/v1/products/{mine}/equivalents").ok()["items"]
    assert (item["product"]["id"], item["source"], item["degree"]) == (theirs, "same_article", None)


def test_owners_and_the_operator_state_what_replaces_what(products: Products) -> None:
    catalog = products.catalog
    old = products.publish_product("S-1", catalog.other)["id"]
    new = products.publish_product("S-2", name="Better shirt")["id"]
    path = f"/v1/products/{new}/equivalents"
    stated = catalog.mill.post(path, {"other_id": old, "note": "cut differently"}).ok()
    assert (stated["party_id"], stated["by_operator"]) == (MILL, False)
    before = products.count()
    assert catalog.mill.post(path, {"other_id": old}).problem() == "equivalent_twice"
    assert catalog.mill.post(path, {"other_id": new}).problem() == "same_product"
    assert catalog.other.post(path, {"other_id": old}).problem() == "not_yours_to_state"
    assert products.count() == before
    catalog.operator.post(path, {"other_id": old}).ok()
    found = catalog.buyer.get(f"/v1/products/{old}/equivalents").ok()["items"]
    assert [(item["product"]["id"], item["source"], item["note"]) for item in found] == [
        (new, "operator", None),
        (new, "owner", "cut differently"),
    ]
    assert catalog.buyer.get(f"/v1/products/{new}/equivalents").ok() == {"items": []}
    assert catalog.other.post(f"/v1/equivalents/{stated['id']}/withdraw").problem() == "not_yours_to_state"
    catalog.mill.post(f"/v1/equivalents/{stated['id']}/withdraw").ok()
    assert len(catalog.buyer.get(f"/v1/products/{old}/equivalents").ok()["items"]) == 1


def test_a_buyers_part_numbers_are_its_own_secret(products: Products) -> None:
    catalog, id = products.catalog, products.publish_product()["id"]
    path = f"/v1/products/{id}/part-numbers"
    part = catalog.buyer.post(path, {"number": "BX 77-1", "note": "for line 2"}).ok()
    assert catalog.buyer.get("/v1/part-numbers", number="bx77-1").ok()["items"] == [part]
    assert catalog.buyer.get("/v1/part-numbers", product_id=id).ok()["items"] == [part]
    assert catalog.buyer.post(path, {"number": "BX77-1"}).problem() == "part_number_twice"
    for stranger in (catalog.mill, catalog.operator):
        assert stranger.get("/v1/part-numbers").ok()["items"] == []
    assert catalog.other.post(f"/v1/part-numbers/{part['id']}/drop").status == 404
    draft = products.add("S-9").ok()["id"]
    assert catalog.buyer.post(f"/v1/products/{draft}/part-numbers", {"number": "1"}).status == 404
    products.move(id, "retire").ok()
    assert catalog.buyer.get("/v1/part-numbers").ok()["items"] == []
    products.move(id, "restore").ok()
    products.move(id, "publish").ok()
    catalog.buyer.post(f"/v1/part-numbers/{part['id']}/drop").ok()
    assert catalog.buyer.get("/v1/part-numbers").ok()["items"] == []


def test_lots_have_what_the_market_says_of_lots_and_their_last_day(products: Products) -> None:
    catalog = products.catalog
    id = products.add("A-1", kind="reagent", name="Acetone").ok()["id"]
    path = f"/v1/products/{id}/lots"
    said = {"number": "L-1", "attributes": {"batch_note": "first", "expires_on": "2027/3/1"}}
    lot = catalog.mill.post(path, said).ok()
    assert (lot["version"], lot["attributes"]["expires_on"], lot["expires_on"]) == (1, "2027-03-01", "2027-03-01")
    assert lot["blocked"] == "analysis_missing"
    assert catalog.mill.post(path, said).ok() == lot
    changed = catalog.mill.post(path, said | {"attributes": {"expires_on": "2027-04-01"}}).ok()
    (change,) = catalog.mill.get(f"/v1/lots/{lot['id']}/changes").ok()["items"]
    assert change["changes"] == {"batch_note": ["first", None], "expires_on": ["2027-03-01", "2027-04-01"]}
    assert (changed["version"], change["user_id"]) == (2, f"user_{MILL}")
    before = products.count()
    assert catalog.mill.post(path, {"number": "L-2", "attributes": {"purity": "1"}}).problem() == "invalid_product"
    assert catalog.other.post(path, said).status == catalog.other.get(f"/v1/lots/{lot['id']}").status == 404
    shirt = products.publish_product("S-1")["id"]
    assert catalog.mill.post(f"/v1/products/{shirt}/lots", {"number": "L-1"}).problem() == "no_lots"
    assert products.count()["lot"] == before["lot"]
    products.move(id, "publish").ok()
    assert catalog.other.get(path).ok()["items"] == [changed]
    assert catalog.other.get(f"/v1/lots/{lot['id']}/changes").status == 404
    assert catalog.other.post(path, said).problem() == "not_the_owner"


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({}, None),
        ({"attributes": {"kind": "machine", "name": "Other press"}}, ("name", "is not what its product has")),
        ({"product_id": "product_none"}, ("product", "no product of yours in this market is called so")),
    ],
    ids=["fits", "another name", "unknown"],
)
def test_a_piece_may_say_which_product_it_is_one_of(
    products: Products, changed: dict[str, Any], refused: tuple[str, str] | None
) -> None:
    id = products.add("M-1", kind="machine", name="Press").ok()["id"]
    outcome = describe_piece(products, MILL, {"product_id": id} | changed)
    assert outcome.refused == ([(0, *refused)] if refused else [])
    told = products.catalog.told(PieceDescribed)
    assert [(piece.product_id, piece.market_version, piece.blocked) for piece in told] == (
        [] if refused else [(id, 1, "title_missing")]
    )


def test_a_piece_is_not_one_of_another_companys_product(products: Products) -> None:
    id = products.publish_product("M-1", kind="machine", name="Press")["id"]
    outcome = describe_piece(products, OTHER, {"product_id": id})
    assert (outcome.created, len(outcome.refused)) == (0, 1)


def describe_piece(products: Products, party_id: str, changed: dict[str, Any]) -> Outcome:
    """Let a company describe a machine."""
    said: dict[str, Any] = {
        "number": "SN-1",
        "attributes": {"kind": "machine", "name": "Press", "mileage": "3"},
        "net": Quantity(Exact("100"), "KGM"),
        "gross": Quantity(Exact("100"), "KGM"),
        "warehouse_id": STORE,
        "epc": None,
    }
    caller = Caller(f"user_{party_id}", party_id, frozenset({"seller"}))
    return products.catalog.world.databases["catalog"].run(
        lambda session: describe_pieces(session, caller, pack_of(session, "lab"), [Draft(**said | changed)])
    )
