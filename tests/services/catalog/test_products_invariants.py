"""Each invariant of products: quiet on what people make, and naming what is planted."""

from __future__ import annotations

from typing import Any

import pytest

from services.catalog import SERVICE
from services.catalog.products.invariants import PRODUCT_INVARIANTS
from tests.services.catalog.conftest import MILL, pdf
from tests.services.catalog.product_market import SDS, Products
from tests.services.catalog.test_products_finding import describe_piece

PLANTED = {
    "catalog_product_history": ("product", "UPDATE product SET version = version + 1 WHERE id = :id"),
    "catalog_product_market": ("product", "UPDATE product SET market_version = 9, group_id = NULL WHERE id = :id"),
    "catalog_product_variants": (
        "product",
        "UPDATE product SET attributes = attributes || jsonb_build_object('note', 'odd') WHERE id = :id",
    ),
    "catalog_product_revision": (
        "reagent",
        "UPDATE product SET proposed = jsonb_build_object('digest', 'x') WHERE id = :id",
    ),
    "catalog_product_gtin": ("product", "UPDATE product SET gtin = '4006381333931' WHERE id = :id"),
    "catalog_lot_history": ("lot", "UPDATE lot SET version = version + 1 WHERE id = :id"),
    "catalog_lot_owner": ("lot", "UPDATE lot SET owner_id = 'party_other' WHERE id = :id"),
    "catalog_piece_product": ("piece", "UPDATE piece SET maker_id = 'party_other' WHERE id = :id"),
    "catalog_document_file": ("document", "UPDATE document SET size = size + 1 WHERE id = :id"),
    "catalog_document_carrier": ("document", "UPDATE document SET subject_id = 'product_gone' WHERE id = :id"),
    "catalog_equivalent_other": ("stated", "UPDATE stated_equivalent SET other_id = product_id WHERE id = :id"),
}


@pytest.fixture
def ids(products: Products) -> dict[str, Any]:
    """One of everything, by what it is; the product is the first of two variants."""
    mill = products.catalog.mill
    first = products.publish_product("S-1", size="m")["id"]
    second = products.publish_product("S-2", size="l")["id"]
    reagent = products.add("A-1", kind="reagent", name="Acetone").ok()["id"]
    machine = products.add("M-1", kind="machine", name="Press").ok()["id"]
    describe_piece(products, MILL, {"product_id": machine})
    lot = mill.post(f"/v1/products/{reagent}/lots", {"number": "L-1", "attributes": {"batch_note": "one"}}).ok()
    mill.post(f"/v1/products/{reagent}/lots", {"number": "L-1", "attributes": {"batch_note": "two"}}).ok()
    return {
        "product": first,
        "reagent": reagent,
        "lot": lot["id"],
        "piece": products.catalog.pieces()["SN-1"]["id"],
        "document": products.attach(f"/v1/products/{reagent}/documents", pdf("SDS"), **SDS).ok()["id"],
        "stated": mill.post(f"/v1/products/{first}/equivalents", {"other_id": second}).ok()["id"],
    }


@pytest.mark.parametrize("invariant", PRODUCT_INVARIANTS, ids=lambda invariant: invariant.name)
def test_a_planted_violation_is_named(products: Products, ids: dict[str, Any], invariant: Any) -> None:
    sql = products.catalog.world.sql
    assert [sql("catalog", each.query) for each in SERVICE.invariants] == [[]] * len(SERVICE.invariants)
    name, planting = PLANTED[invariant.name]
    sql("catalog", planting, id=ids[name])
    broken = {each.name: [row.id for row in sql("catalog", each.query)] for each in PRODUCT_INVARIANTS}
    assert {name: found for name, found in broken.items() if found} == {invariant.name: [ids[name]]}
