"""What is always true of products, their lots, and the documents of both."""

from __future__ import annotations

from chassis.service import Invariant

PRODUCT_INVARIANTS = (
    Invariant(
        name="catalog_product_history",
        sentence="A product has changed as often as its version says.",
        query=(
            "SELECT product.id FROM product LEFT JOIN product_change ON product_change.product_id = product.id "
            "GROUP BY product.id HAVING product.version <> 1 + count(product_change.id)"
        ),
    ),
    Invariant(
        name="catalog_product_market",
        sentence="A product was described by a version of a market that there is.",
        query=(
            "SELECT id FROM product WHERE NOT EXISTS (SELECT FROM market_version "
            "WHERE market_version.market = product.market AND market_version.version = product.market_version)"
        ),
    ),
    Invariant(
        name="catalog_product_variants",
        sentence="Variants of each other are of one company and type, and differ only in what this varies in.",
        query=(
            "WITH variant AS ("
            "  SELECT product.id, group_id, owner_id, product.market, product_type, "
            "    attributes - ARRAY(SELECT jsonb_array_elements_text(type.value -> 'variants')) AS common "
            "  FROM product JOIN market_version ON market_version.market = product.market "
            "    AND market_version.version = product.market_version "
            "  JOIN market ON market.id = product.market, "
            "    jsonb_array_elements(coalesce(market_version.pack, market.pack) -> 'types') AS type "
            "  WHERE group_id IS NOT NULL AND type.value ->> 'name' = product_type) "
            "SELECT min(id) AS id FROM variant GROUP BY group_id "
            "HAVING count(DISTINCT (owner_id, market, product_type, common)) > 1"
        ),
    ),
    Invariant(
        name="catalog_product_revision",
        sentence="Only of a published product a revision waits for the operator.",
        query="SELECT id FROM product WHERE proposed IS NOT NULL AND state <> 'published'",
    ),
    Invariant(
        name="catalog_product_gtin",
        sentence="A GTIN has 14 digits.",
        query="SELECT id FROM product WHERE gtin !~ '^[0-9]{14}$'",
    ),
    Invariant(
        name="catalog_lot_history",
        sentence="A lot has changed as often as its version says.",
        query=(
            "SELECT lot.id FROM lot LEFT JOIN lot_change ON lot_change.lot_id = lot.id "
            "GROUP BY lot.id HAVING lot.version <> 1 + count(lot_change.id)"
        ),
    ),
    Invariant(
        name="catalog_lot_owner",
        sentence="A lot belongs to the company of its product.",
        query="SELECT lot.id FROM lot JOIN product ON product.id = product_id WHERE lot.owner_id <> product.owner_id",
    ),
    Invariant(
        name="catalog_piece_product",
        sentence="A piece is one of a product of its maker's in its market.",
        query=(
            "SELECT piece.id FROM piece JOIN product ON product.id = product_id "
            "WHERE product.owner_id <> maker_id OR product.market <> piece.market"
        ),
    ),
    Invariant(
        name="catalog_document_file",
        sentence="A document's file is as long as it says, and kept under its own hash.",
        query=(
            "SELECT document.id FROM document JOIN certificate_file ON certificate_file.id = document.file_id "
            "WHERE length(body) <> size OR encode(sha256(body), 'hex') <> file_id"
        ),
    ),
    Invariant(
        name="catalog_document_carrier",
        sentence="What carries a document is there.",
        query=(
            "SELECT id FROM document WHERE NOT EXISTS (SELECT FROM product WHERE product.id = subject_id "
            "UNION ALL SELECT FROM lot WHERE lot.id = subject_id UNION ALL SELECT FROM piece WHERE piece.id = subject_id)"
        ),
    ),
    Invariant(
        name="catalog_equivalent_other",
        sentence="No product replaces itself.",
        query="SELECT id FROM stated_equivalent WHERE product_id = other_id",
    ),
)
