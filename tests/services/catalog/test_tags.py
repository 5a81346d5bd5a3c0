"""Tags: a piece has one at a time, a tag is on one piece at a time, and the warehouse has the last word."""

from __future__ import annotations

import pytest

from events.catalog import PieceDescribed
from events.orders import DealCompleted
from tests.services.catalog.conftest import BUYER, MILL, STORE, Catalog, offer, row, sheet

FIRST, SECOND, THIRD = (f"3034257BF400B7800004CB{end}" for end in ("2F", "30", "31"))


@pytest.fixture
def ids(catalog: Catalog) -> dict[str, str]:
    """Two pieces, one of them with a tag."""
    catalog.upload(sheet(row("C-1", epc=FIRST), row("C-2"))).ok()
    return {number: piece["id"] for number, piece in catalog.pieces().items()}


def bind(catalog: Catalog, piece_id: str, epc: str, reason: str | None = "dead"):  # type: ignore[no-untyped-def]
    return catalog.store.post(f"/v1/pieces/{piece_id}/tag", {"epc": epc, "reason": reason})


def retire(catalog: Catalog, piece_id: str):  # type: ignore[no-untyped-def]
    return catalog.store.post(f"/v1/pieces/{piece_id}/tag/retire", {"reason": "torn off"})


def tags(catalog: Catalog, piece_id: str) -> list[tuple[str, bool]]:
    """The tags of a piece with whether each is on it, newest first."""
    found = catalog.store.get(f"/v1/pieces/{piece_id}/tags").ok()["items"]
    return [(tag["epc"], tag["retired_at"] is None) for tag in found]


def test_the_warehouse_replaces_a_tag_and_the_history_stays(catalog: Catalog, ids: dict[str, str]) -> None:
    id = ids["C-1"]
    assert bind(catalog, id, SECOND.lower()).ok()["epc"] == SECOND
    assert catalog.store.get(f"/v1/pieces/{id}/tags").ok()["items"] == [
        {
            "id": catalog.store.get(f"/v1/pieces/{id}/tags").ok()["items"][0]["id"],
            "epc": SECOND,
            "bound_at": "2026-03-02T08:00:00Z",
            "bound_by": STORE,
            "bound_reason": "dead",
            "retired_at": None,
            "retired_by": None,
            "retired_reason": None,
        },
        {
            "id": catalog.store.get(f"/v1/pieces/{id}/tags").ok()["items"][1]["id"],
            "epc": FIRST,
            "bound_at": "2026-03-02T08:00:00Z",
            "bound_by": MILL,
            "bound_reason": None,
            "retired_at": "2026-03-02T08:00:00Z",
            "retired_by": STORE,
            "retired_reason": "dead",
        },
    ]
    told = [(event.version, event.epc) for event in catalog.told(PieceDescribed) if event.piece_id == id]
    assert told == [(1, FIRST), (2, SECOND)]
    (change,) = catalog.mill.get(f"/v1/pieces/{id}/changes").ok()["items"]
    assert change["changes"] == {"epc": [FIRST, SECOND]}


def test_the_same_tag_again_changes_nothing(catalog: Catalog, ids: dict[str, str]) -> None:
    bind(catalog, ids["C-2"], SECOND).ok()
    before = catalog.world.count_rows()
    assert bind(catalog, ids["C-2"], SECOND).ok()["version"] == 2
    assert catalog.world.count_rows() == before


def test_a_tag_is_on_one_piece_and_may_go_to_another_when_it_is_retired(catalog: Catalog, ids: dict[str, str]) -> None:
    taken = bind(catalog, ids["C-2"], FIRST)
    assert (taken.status, taken.problem()) == (409, "tag_taken")
    assert retire(catalog, ids["C-1"]).ok()["epc"] is None
    assert bind(catalog, ids["C-2"], FIRST, None).ok()["epc"] == FIRST
    assert tags(catalog, ids["C-1"]) == [(FIRST, False)] and tags(catalog, ids["C-2"]) == [(FIRST, True)]
    assert retire(catalog, ids["C-1"]).problem() == "not_tagged"


def test_a_tag_is_replaced_while_its_piece_is_in_a_deal(catalog: Catalog, ids: dict[str, str]) -> None:
    catalog.hear(offer("offer_1", piece_ids=[], taken_piece_ids=[ids["C-1"]], state="taken"))
    assert bind(catalog, ids["C-1"], SECOND).ok()["epc"] == SECOND


def test_only_the_warehouse_that_keeps_a_piece_sees_to_its_tag(catalog: Catalog, ids: dict[str, str]) -> None:
    body = {"epc": SECOND}
    path = f"/v1/pieces/{ids['C-1']}/tag"
    assert catalog.mill.post(path, body).problem() == "missing_role"
    mill = catalog.caller(MILL, "warehouse")
    assert (mill.post(path, body).status, mill.post(path, body).problem()) == (403, "not_the_keeper")
    assert catalog.caller(BUYER, "warehouse").post(path, body).status == 404
    assert mill.post(f"{path}/retire", {"reason": "x"}).status == 403
    catalog.hear(DealCompleted(deal_id="deal_1", buyer_id=BUYER, seller_id=MILL, piece_ids=[ids["C-1"]]))
    assert catalog.caller(BUYER, "warehouse").post(path, body).ok()["epc"] == SECOND
    assert catalog.store.post(path, body).status == 404


@pytest.mark.parametrize("epc", ["E28011700000020A1B2C3D4E", "F" * 24])
def test_what_is_no_epc_is_refused(catalog: Catalog, ids: dict[str, str], epc: str) -> None:
    answer = bind(catalog, ids["C-1"], epc)
    assert (answer.status, answer.problem(), answer.body["field"]) == (422, "not_an_epc", "$.epc")


def test_the_mill_gives_the_first_tag_and_changes_it_until_the_warehouse_has(
    catalog: Catalog, ids: dict[str, str]
) -> None:
    assert catalog.upload(sheet(row("C-1", epc=SECOND))).ok()["updated"] == 1
    assert tags(catalog, ids["C-1"]) == [(SECOND, True), (FIRST, False)]
    bind(catalog, ids["C-1"], THIRD).ok()
    seen_to = "the warehouse has seen to the tag of this piece: only it can change it"
    answer = catalog.upload(sheet(row("C-1", epc=FIRST, grade="Q355B"))).ok()
    assert answer["errors"] == [{"row": 2, "column": "EPC", "detail": seen_to}] and answer["updated"] == 0
    assert catalog.upload(sheet(row("C-1", epc=THIRD, grade="Q355B"))).ok()["updated"] == 1
    retire(catalog, ids["C-1"]).ok()
    assert catalog.upload(sheet(row("C-1", epc=FIRST))).ok()["errors"][0]["detail"] == seen_to


def test_a_file_that_says_nothing_of_the_tag_leaves_it(catalog: Catalog, ids: dict[str, str]) -> None:
    assert catalog.upload(sheet(row("C-1"))).ok()["unchanged"] == 1
    assert catalog.upload(sheet(row("C-1", grade="Q355B"))).ok()["updated"] == 1
    piece = catalog.pieces()["C-1"]
    assert (piece["epc"], piece["version"], piece["attributes"]["grade"]) == (FIRST, 2, "Q355B")
