"""Price indices: from signed deals to figures, corrections, series and formulas, as anybody may see them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest

from chassis import clock
from chassis.values import Exact, Money, Quantity, UnitPrice
from events.catalog import IndexDescribed
from events.orders import DealCancelled, DealCompleted, DealDefaulted, DealPiece, DealSigned, PartEnded
from services.catalog.indices.invariants import INVARIANTS
from tests.services.catalog.conftest import Catalog, party, row, sheet
from tests.services.catalog.test_markets import STEEL, publish

CODE = "HRC-TJ"
BUYERS, SELLERS = ("party_b1", "party_b2", "party_b3"), ("party_s1", "party_s2", "party_s3")
TAKEN = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


def trade(number: int, cost: str, piece: dict[str, Any], /, **changed: Any) -> DealSigned:
    """A deal about one coil, signed."""
    net = Quantity(Exact(piece["net"]["value"]), "KGM")
    said = {
        "deal_id": f"deal_{number}",
        "market": "steel",
        "buyer_id": BUYERS[number % 3],
        "seller_id": SELLERS[number % 3],
        "gross": Money(9_000_000, "CNY"),
        "due_at": TAKEN + timedelta(days=3),
        "pieces": [DealPiece(piece_id=piece["id"], number=piece["number"], net=net)],
        "quantity": net.to("TNE"),
        "offer_id": f"offer_{number}",
        "taken_at": TAKEN + timedelta(minutes=number),
        "price": UnitPrice(Exact(cost), "CNY", "TNE"),
        "tax_basis": "tax_included",
        "tax_rate": Exact("0.13"),
        "place": "天津滨海",
        "delivery_mode": "self_pickup",
    }
    return DealSigned(**{**said, **changed})


class Market:
    """A catalog with six coils of 10 t each, in the last minute before the cut-off of a working day."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        catalog.hear(*(party(id, name=id) for id in (*BUYERS, *SELLERS)))
        catalog.certify(("H26-118",)).ok()
        rows = [row(f"C-{i}", net="10000", gross="10010") for i in range(6)]
        catalog.upload(sheet(*rows)).ok()
        self.pieces = [piece for _, piece in sorted(catalog.pieces().items())]

    def sign(self, *prices: str, first: int = 0, **changed: Any) -> None:
        deals = [trade(first + i, price, self.pieces[first + i], **changed) for i, price in enumerate(prices)]
        self.hear(*deals)

    def hear(self, *events: Any) -> None:
        """Let orders say something, and do what is due by it."""
        self.catalog.hear(*events)
        self.catalog.world.advance(timedelta(0))

    def close_day(self) -> None:
        """Let the cut-off of the day pass."""
        self.catalog.world.advance(timedelta(minutes=5))
        self.catalog.world.settle()

    def figures(self) -> list[Any]:
        found = self.catalog.public.get(f"/v1/indices/{CODE}/series", **{"from": "2026-03-02", "to": "2026-03-02"}).ok()
        return found["items"]

    def figure(self) -> Any:
        (found,) = self.figures()
        return found


@pytest.fixture
def market(catalog: Catalog) -> Market:
    return Market(catalog)


PRICES = ("3840", "3850", "3850", "3860", "3900")


def test_a_day_is_published_after_its_cutoff_and_final_when_its_deals_have_ended(market: Market) -> None:
    market.sign(*PRICES)
    assert market.figures() == [] and market.catalog.told(IndexDescribed) == []
    market.close_day()
    # 50 t; the lowest and the highest 5 t are left out: (3840 × 5 + 3850 × 20 + 3860 × 10 + 3900 × 5) / 40.
    price = {"value": "3857.50", "currency": "CNY", "unit": "TNE"}
    expected = {
        "day": "2026-03-02", "state": "provisional", "price": price, "deals": 5, "volume": {"value": "50", "unit": "TNE"},
        "buyers": 3, "sellers": 3, "method": 1, "revision": 1, "changed_at": clock.now().isoformat().replace("+00:00", "Z"),
    }  # fmt: skip
    assert market.figure() == expected
    completed = [DealCompleted(deal_id=f"deal_{i}", buyer_id="b", seller_id="s", piece_ids=[]) for i in range(5)]
    market.hear(*completed[:4])
    assert market.figure() == expected
    market.hear(completed[4])
    assert market.figure() == expected | {"state": "final", "revision": 2}
    told = [(event.revision, event.state, event.price, event.reason) for event in market.catalog.told(IndexDescribed)]
    shown = UnitPrice(Exact("3857.5"), "CNY", "TNE")
    assert told == [(1, "provisional", shown, "first"), (2, "final", shown, "deals_ended")]


@pytest.mark.parametrize("by", ["seller", None])
def test_a_deal_that_comes_to_nothing_is_removed_and_the_correction_says_so(market: Market, by: Any) -> None:
    market.sign(*PRICES, "9000")
    market.close_day()
    assert (market.figure()["deals"], market.figure()["revision"]) == (6, 1)
    ended = PartEnded(
        deal_id="deal_5", part_id="part_1", by=by, piece_ids=[market.pieces[5]["id"]], quantity=Quantity(Exact("10"), "TNE"),
        value=Money(1, "CNY"), is_paid=False, forfeit=Money(0, "CNY"), reason="not_paid",
    )  # fmt: skip
    over: Any = DealDefaulted(deal_id="deal_5", by="seller", forfeit=Money(0, "CNY"), reason="not_paid")
    market.hear(ended, over if by else DealCancelled(deal_id="deal_5", reason="agreed"))
    now = market.figure()
    assert (now["deals"], now["price"]["value"], now["state"], now["revision"]) == (5, "3857.50", "provisional", 2)
    history = market.catalog.public.get(f"/v1/indices/{CODE}/days/2026-03-02").ok()["items"]
    assert [(each["figure"]["revision"], each["figure"]["deals"], each["reason"]) for each in history] == [
        (1, 6, "first"),
        (2, 5, "deal_removed"),
    ]


def test_too_few_deals_publish_nothing_and_a_late_one_publishes_the_day(market: Market) -> None:
    market.sign(*PRICES[:4])
    market.close_day()
    figure = market.figure()
    assert (figure["state"], figure["price"], figure["deals"]) == ("withheld", None, 4)
    refused = market.catalog.public.get(f"/v1/indices/{CODE}/price", day="2026-03-02")
    assert refused.problem() == "not_published"
    market.sign(PRICES[4], first=4)
    figure = market.figure()
    assert (figure["state"], figure["price"]["value"], figure["revision"]) == ("provisional", "3857.50", 2)


def test_deals_within_one_group_or_between_few_parties_publish_nothing(market: Market) -> None:
    group = [party(id, version=2, name=id) for id in (*BUYERS, *SELLERS)]
    market.catalog.hear(*(type(each)(**{**_fields(each), "group": "group_1"}) for each in group))
    market.sign(*PRICES)
    market.close_day()
    assert (market.figure()["state"], market.figure()["deals"]) == ("withheld", 0)


def _fields(struct: Any) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


def test_a_deal_counts_once_however_often_it_is_heard_and_not_without_terms(market: Market) -> None:
    market.sign(*PRICES)
    market.sign(*PRICES)
    market.sign("1", first=5, price=None)
    market.sign("1", first=5, index="HRC-TJ")
    market.close_day()
    assert (market.figure()["deals"], market.figure()["volume"]["value"]) == (5, "50")


def test_a_deal_of_another_place_or_goods_does_not_count(market: Market) -> None:
    market.sign(*PRICES)
    market.sign("1", first=5, place="广州")
    market.close_day()
    assert market.figure()["deals"] == 5
    assert market.catalog.public.get("/v1/indices/REBAR-TJ").ok()["latest"] is None


def test_deals_are_brought_to_the_reference(market: Market) -> None:
    market.sign("3407.079646", tax_basis="tax_excluded")
    market.sign("3820", first=1, place="唐山")
    market.sign("3890", first=2, delivery_mode="delivered")
    market.sign("3.85", "3850", first=3)
    market.close_day()
    # The fourth is 3.85 a tonne and is cut away at its end, but for half of it.
    assert market.figure()["deals"] == 5
    market.catalog.world.settle()
    assert market.figure()["price"]["value"] == "3369.23"


def test_a_formula_takes_the_last_figure_up_to_a_day(market: Market) -> None:
    market.sign(*PRICES)
    market.close_day()
    ask = market.catalog.public.get
    found = ask(f"/v1/indices/{CODE}/price", premium="-50").ok()
    assert (found["price"], found["tax_basis"]) == (
        {"value": "3807.50", "currency": "CNY", "unit": "TNE"},
        "tax_included",
    )
    assert found["index"] == market.figure()
    assert ask(f"/v1/indices/{CODE}/price", day="2026-02-28").problem() == "not_published"
    assert ask(f"/v1/indices/{CODE}/price", premium="-4000").problem() == "nothing_left"
    assert ask(f"/v1/indices/{CODE}/price", premium="1e3").problem() == "invalid_field"
    assert ask("/v1/indices/NOPE/price").status == 404


def test_a_series_shows_every_working_day_as_json_csv_and_picture(market: Market) -> None:
    market.sign(*PRICES)
    market.close_day()
    ask = market.catalog.public.get
    span = {"from": "2026-02-27", "to": "2026-03-05"}
    items = ask(f"/v1/indices/{CODE}/series", **span).ok()["items"]
    assert [(item["day"], item["state"], item["deals"]) for item in items] == [
        ("2026-02-27", "withheld", 0),
        ("2026-02-28", "withheld", 0),
        ("2026-03-02", "provisional", 5),
    ]
    table = ask(f"/v1/indices/{CODE}/series.csv", **span).body.decode("utf-8-sig").splitlines()
    assert table[0].startswith("day,state,price,currency,unit,tax_basis,deals")
    assert table[3] == "2026-03-02,provisional,3857.50,CNY,TNE,tax_included,5,50,3,3,1,1"
    picture = ask(f"/v1/indices/{CODE}/series.svg", language="en", **span).body
    assert (
        ElementTree.fromstring(picture).findtext("{http://www.w3.org/2000/svg}title").startswith("Tianjin hot rolled")
    )
    refused = ask(f"/v1/indices/{CODE}/series", **{"from": "2026-03-02", "to": "2026-02-01"})
    assert refused.problem() == "no_such_period"
    known = {item["code"]: item for item in ask("/v1/indices").ok()["items"]}
    assert known[CODE]["latest"]["price"]["value"] == "3857.50" and known["REBAR-TJ"]["latest"] is None
    assert ask("/v1/indices/NOPE/series").status == 404 and ask(f"/v1/indices/{CODE}/days/2026-02-28").status == 404


def test_a_deal_waits_for_a_side_that_was_not_heard_of(market: Market) -> None:
    market.catalog.tell(trade(0, "3850", market.pieces[0], buyer_id="party_new"))
    market.catalog.world.settle()
    assert market.catalog.world.sql("catalog", "SELECT id FROM index_deal") == []
    market.catalog.hear(party("party_new", name="new"))
    market.catalog.world.advance(timedelta(minutes=1))
    market.catalog.world.settle()
    assert len(market.catalog.world.sql("catalog", "SELECT id FROM index_deal")) == 1


PLANTED = {
    "catalog_index_price": "UPDATE index_day SET standing = 'withheld'; UPDATE index_revision SET standing = 'withheld'",
    "catalog_index_revisions": "UPDATE index_day SET price = price + 1",
    "catalog_index_deals": "UPDATE index_deal SET volume = volume + 1 WHERE deal_id = 'deal_1'",
    "catalog_index_final": "UPDATE index_day SET standing = 'final'; UPDATE index_revision SET standing = 'final'",
}


@pytest.mark.parametrize("invariant", INVARIANTS, ids=lambda invariant: invariant.name)
def test_a_planted_violation_is_named(market: Market, invariant: Any) -> None:
    market.sign(*PRICES)
    market.close_day()
    sql = market.catalog.world.sql
    assert [sql("catalog", each.query) for each in INVARIANTS] == [[]] * len(INVARIANTS)
    for statement in PLANTED[invariant.name].split("; "):
        sql("catalog", statement)
    broken = {each.name: [found.id for found in sql("catalog", each.query)] for each in INVARIANTS}
    assert {name: ids for name, ids in broken.items() if ids} == {invariant.name: ["HRC-TJ:2026-03-02"]}


def test_a_rule_that_days_were_made_by_changes_with_its_method_alone(market: Market) -> None:
    market.sign(*PRICES)
    wider = STEEL.replace('trim_percent = "10"', 'trim_percent = "20"', 1)
    raised = STEEL.replace("method = 1", "method = 2", 1)
    in_euro = raised.replace('currency = "CNY"\ntax_basis', 'currency = "EUR"\ntax_basis', 1)
    elsewhere = STEEL.replace('market = "steel"', 'market = "iron"', 1)
    for pack, key in ((wider, "indices[0].method"), (in_euro, "indices[0].code"), (elsewhere, "indices[0].code")):
        for params in ({}, {"check": "true"}):
            refused = publish(market.catalog.operator, pack, **params)
            assert (refused.problem(), refused.body["field"]) == ("bad_pack", f"$.{key}")
    assert publish(market.catalog.operator, wider.replace("method = 1", "method = 2", 1)).ok()["version"] == 2
    named = STEEL.replace("Tianjin hot rolled coil price index", "Hot rolled coil, Tianjin", 1)
    assert publish(market.catalog.operator, named).ok()["version"] == 3
    market.close_day()
    assert market.figure()["method"] == 1


def test_figures_are_told_again_when_asked(market: Market) -> None:
    market.sign(*PRICES)
    market.close_day()
    before = market.catalog.told(IndexDescribed)
    market.catalog.world.republish()
    after = market.catalog.told(IndexDescribed)
    assert [(e.version, e.price, e.state) for e in after] == [(e.version, e.price, e.state) for e in (*before, *before)]
    assert market.catalog.world.broken() == {}
