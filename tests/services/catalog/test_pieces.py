"""Who sees which pieces, and what becomes of them when a deal ends."""

from __future__ import annotations

from typing import Any

import msgspec

from chassis.auth import Caller
from chassis.database import get_many
from chassis.values import Exact, Money
from events.catalog import MarketDescribed, PieceDescribed
from events.orders import DealCompleted, DealDefaulted, PiecesPassed
from services.catalog import SERVICE
from services.catalog.markets.commands import publish_packs
from services.catalog.markets.loader import load_packs
from tests.services.catalog.conftest import BUYER, MILL, OTHER, STORE, Catalog, row, sheet


def upload_two(catalog: Catalog) -> dict[str, str]:
    catalog.upload(sheet(row("C-1", epc="3034257BF400B7800004CB2F"), row("C-2"))).ok()
    return {number: piece["id"] for number, piece in catalog.pieces().items()}


def complete(catalog: Catalog, *piece_ids: str, buyer_id: str = BUYER) -> None:
    ended = DealCompleted(deal_id=f"deal_{buyer_id}", buyer_id=buyer_id, seller_id=MILL, piece_ids=list(piece_ids))
    catalog.hear(ended)


def test_owner_maker_warehouse_and_operator_see_a_piece_and_nobody_else(catalog: Catalog) -> None:
    ids = upload_two(catalog)
    for caller in (catalog.mill, catalog.store, catalog.operator):
        assert set(catalog.pieces(caller)) == {"C-1", "C-2"}
        assert catalog.pieces(caller)["C-1"]["owner_id"] == MILL
        assert caller.get(f"/v1/pieces/{ids['C-1']}").ok()["number"] == "C-1"
    for caller in (catalog.other, catalog.buyer):
        assert catalog.pieces(caller) == {}
        answers = [caller.get(f"/v1/pieces/{ids['C-1']}{rest}") for rest in ("", "/changes")]
        assert [(answer.status, answer.problem()) for answer in answers] == [(404, "not_found")] * 2
    for path in ("/v1/pieces", f"/v1/pieces/{ids['C-1']}", "/v1/search"):
        assert catalog.public.get(path).status == 401


def test_a_list_is_paged_and_filtered(catalog: Catalog) -> None:
    catalog.upload(sheet(*(row(f"C-{i}") for i in range(5)))).ok()
    seen, cursor = [], None
    while True:
        answer = catalog.mill.get("/v1/pieces", limit=2, cursor=cursor).ok()
        seen += [piece["number"] for piece in answer["items"]]
        if (cursor := answer["next"]) is None:
            break
    assert seen == ["C-4", "C-3", "C-2", "C-1", "C-0"]

    def numbers(**asked: str) -> list[str]:
        return [piece["number"] for piece in catalog.mill.get("/v1/pieces", **asked).ok()["items"]]

    assert numbers(number="C-3") == ["C-3"] and numbers(market="timber") == [] and len(numbers(market="steel")) == 5
    assert len(numbers(held_as="owner")) == len(numbers(held_as="maker")) == 5 and numbers(held_as="warehouse") == []
    assert catalog.mill.get("/v1/pieces", held_as="thief").status == 422
    assert catalog.mill.get("/v1/pieces", owner_id=BUYER).status == 422


def test_a_completed_deal_makes_the_pieces_the_buyers(catalog: Catalog) -> None:
    ids = upload_two(catalog)
    complete(catalog, ids["C-1"])

    bought = catalog.pieces(catalog.buyer)
    assert set(bought) == {"C-1"}
    assert (bought["C-1"]["owner_id"], bought["C-1"]["warehouse_id"], bought["C-1"]["version"]) == (BUYER, BUYER, 2)
    assert bought["C-1"]["attributes"]["heat_no"] == "H26-118" and bought["C-1"]["epc"] == "3034257BF400B7800004CB2F"
    sold = catalog.pieces(catalog.mill)["C-1"]
    assert (sold["owner_id"], sold["warehouse_id"], sold["maker_id"]) == (None, None, MILL)
    assert set(catalog.pieces(catalog.store)) == {"C-2"}
    (change,) = catalog.buyer.get(f"/v1/pieces/{ids['C-1']}/changes").ok()["items"]
    assert change["changes"] == {"owner_id": [MILL, BUYER], "warehouse_id": [STORE, BUYER]}
    assert catalog.mill.get(f"/v1/pieces/{ids['C-1']}/changes").ok()["items"] == []


def test_who_bought_it_next_is_not_the_makers_to_know(catalog: Catalog) -> None:
    ids = upload_two(catalog)
    complete(catalog, ids["C-1"])
    complete(catalog, ids["C-1"], buyer_id=OTHER)
    assert catalog.pieces(catalog.other)["C-1"]["owner_id"] == OTHER and catalog.pieces(catalog.buyer) == {}
    assert OTHER not in str(catalog.mill.get("/v1/pieces").body)


def test_pieces_pass_delivery_by_delivery_and_once_a_deal(catalog: Catalog) -> None:
    ids = upload_two(catalog)
    first = PiecesPassed(deal_id="deal_1", buyer_id=BUYER, seller_id=MILL, piece_ids=[ids["C-1"]])
    catalog.hear(first)
    assert set(catalog.pieces(catalog.buyer)) == {"C-1"}
    catalog.hear(PiecesPassed(deal_id="deal_2", buyer_id=OTHER, seller_id=BUYER, piece_ids=[ids["C-1"]]))
    both = [ids["C-1"], ids["C-2"]]
    catalog.hear(first, DealCompleted(deal_id="deal_1", buyer_id=BUYER, seller_id=MILL, piece_ids=both))
    assert set(catalog.pieces(catalog.buyer)) == {"C-2"} and catalog.pieces(catalog.other)["C-1"]["owner_id"] == OTHER
    assert [event.version for event in catalog.told(PieceDescribed) if event.piece_id == ids["C-1"]] == [1, 2, 3]


def test_what_was_delivered_before_a_default_is_the_buyers(catalog: Catalog) -> None:
    ids = upload_two(catalog)
    members = {"by": "seller", "forfeit": Money(1, "CNY"), "reason": "not delivered"}
    catalog.hear(DealDefaulted(deal_id="deal_1", **members))
    assert catalog.pieces(catalog.buyer) == {}
    catalog.hear(DealDefaulted(deal_id="deal_2", buyer_id=BUYER, passed_piece_ids=[ids["C-2"]], **members))
    assert set(catalog.pieces(catalog.buyer)) == {"C-2"}


def test_what_is_said_again_is_what_was_said_last(catalog: Catalog) -> None:
    ids = upload_two(catalog)
    complete(catalog, ids["C-1"])
    last = {event.piece_id: event for event in catalog.told(PieceDescribed)}
    describer = SERVICE.describers["piece"]
    caller = Caller.system("catalog")

    def say_again(session: Any) -> None:
        for piece in get_many(session, describer.model, ids.values(), caller):
            describer.describe(session, piece)

    catalog.world.databases["catalog"].run(say_again)
    again = {event.piece_id: event for event in catalog.told(PieceDescribed)}
    assert again == last and len(catalog.told(PieceDescribed)) == 5


def test_setting_up_again_tells_nothing_and_a_changed_pack_is_told_under_the_next_version(catalog: Catalog) -> None:
    def told() -> list[MarketDescribed]:
        return [event for event in catalog.told(MarketDescribed) if event.market == "steel"]

    (first,) = told()
    assert (first.market, first.version, first.name) == ("steel", 1, {"zh": "钢铁云", "en": "Steel"})
    assert str(first.fees.fee_rate) == "0.001" and str(first.terms.tolerance.default) == "0.003"
    service = catalog.world.services["catalog"]
    catalog.world._set_up(service)
    assert len(told()) == 1 and len(catalog.told(MarketDescribed)) == len(load_packs())

    fees = msgspec.structs.replace(first.fees, fee_rate=Exact("0.002"))
    dearer = msgspec.structs.replace(load_packs()["steel"], fees=fees)
    run = catalog.world.databases["catalog"].run
    run(lambda session: publish_packs(session, Caller.system("catalog"), [dearer]))
    assert [(event.version, str(event.fees.fee_rate)) for event in told()] == [(1, "0.001"), (2, "0.002")]


def test_markets_are_public(catalog: Catalog) -> None:
    listed = catalog.public.get("/v1/markets").ok()
    assert {"market": "steel", "version": 1, "name": {"zh": "钢铁云", "en": "Steel"}} in listed["items"]
    assert sorted(item["market"] for item in listed["items"]) == sorted(load_packs()) and listed["next"] is None
    market = catalog.public.get("/v1/markets/steel").ok()
    assert market["terms"]["periods"]["deposit"] == {"least": "PT1S", "default": "PT1800S", "most": "P3D"}
    assert market["fees"] == {
        "fee_rate": "0.001",
        "forfeit_fee_rate": "0",
        "penalty_rate": "0.2",
        "fee_tax_rate": "0.06",
    }
    filters = {attribute["filter"] for attribute in market["attributes"] if attribute["filter"]}
    assert {"grade", "thickness", "width", "mill"} <= filters
    assert catalog.public.get("/v1/markets/timber").problem() == "not_found"
