"""Each invariant of the catalog: quiet on what uploads and deals make, and naming what is planted."""

from __future__ import annotations

import pytest

from services.catalog.invariants import INVARIANTS
from tests.services.catalog.conftest import Catalog, row, sheet

PLANTED = {
    "catalog_piece_weight": "UPDATE piece SET gross_value = net_value - 1 WHERE id = :id",
    "catalog_piece_history": "UPDATE piece SET version = version + 1 WHERE id = :id",
    "catalog_piece_tag": (
        "WITH bound AS (UPDATE tag SET epc = 'E200' WHERE piece_id = :id) UPDATE piece SET epc = 'E200' WHERE id = :id"
    ),
    "catalog_piece_market": "UPDATE piece SET market = 'nowhere' WHERE id = :id",
    "catalog_piece_tagged": "UPDATE tag SET retired_at = now() WHERE piece_id = :id",
    "catalog_certificate_file": "UPDATE certificate SET size = size + 1 WHERE id = :id",
}


@pytest.mark.parametrize("invariant", INVARIANTS, ids=lambda invariant: invariant.name)
def test_a_planted_violation_is_named(catalog: Catalog, invariant) -> None:  # type: ignore[no-untyped-def]
    catalog.upload(sheet(row("C-1", epc="3034257BF400B7800004CB2F"), row("C-2"))).ok()
    certificate = catalog.certify(("H26-118",)).ok()
    catalog.upload(sheet(row("C-1", grade="Q355B"))).ok()
    assert [catalog.world.sql("catalog", each.query) for each in INVARIANTS] == [[]] * len(INVARIANTS)
    id = certificate["id"] if "certificate" in invariant.name else catalog.pieces()["C-1"]["id"]
    catalog.world.sql("catalog", PLANTED[invariant.name], id=id)
    broken = {each.name: [row.id for row in catalog.world.sql("catalog", each.query)] for each in INVARIANTS}
    assert {name: ids for name, ids in broken.items() if ids} == {invariant.name: [id]}
