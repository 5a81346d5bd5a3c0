"""The method of price indices: brought to the reference, trimmed, weighed, and not published where too little stands behind it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.values import Exact, Quantity, UnitPrice, read_wire
from services.catalog.indices.calendars import closes_at, day_of, is_announced, working_days
from services.catalog.indices.chart import Point, draw_chart
from services.catalog.indices.method import (
    Bargain,
    Entry,
    Line,
    assess,
    merge,
    normalise,
    price_by_formula,
    volume_of,
)
from services.catalog.markets.index_rules import IndexRule

RULE = {
    "code": "HRC-TJ",
    "label": {"zh": "天津热卷", "en": "Hot rolled coil, Tianjin"},
    "goods": {"kind": "hot_rolled_coil", "grade": "Q235B"},
    "places": [
        {"name": {"zh": "天津", "en": "Tianjin"}},
        {"name": {"zh": "唐山", "en": "Tangshan"}, "add": "-20"},
    ],
    "unit": "TNE",
    "currency": "CNY",
    "tax_basis": "tax_included",
    "delivery_mode": "self_pickup",
    "delivered_costs": "35",
    "cutoff": "16:00",
    "timezone": "Asia/Shanghai",
    "calendar": "cn",
    "trim_percent": "10",
    "least_deals": 3,
    "least_parties": 2,
    "method": 1,
    "source": "a test",
    "differentials": [
        {"attribute": "grade", "value": "Q355B", "add": "150"},
        {"attribute": "thickness_mm", "least": "4.75", "most": "11.5", "add": "0"},
        {"attribute": "thickness_mm", "least": "3", "most": "4.74", "add": "50"},
    ],
}
GOODS = {"kind": "hot_rolled_coil", "grade": "Q235B", "thickness_mm": "5.5", "heat_no": "H1"}


def make_rule(**changed: Any) -> IndexRule:
    return msgspec.convert({**RULE, **changed}, IndexRule, dec_hook=read_wire)


def bargain(price: str = "3850", unit: str = "TNE", currency: str = "CNY", **changed: Any) -> Bargain:
    said = {
        "tax_basis": "tax_included",
        "tax_rate": Decimal("0.13"),
        "place": "天津滨海",
        "delivery_mode": "self_pickup",
    }
    return Bargain(price=UnitPrice(Exact(price), currency, unit), **{**said, **changed})


@pytest.mark.parametrize(
    ("deal", "goods", "expected"),
    [
        (bargain(), {}, "3850"),
        (bargain("3.85", "KGM"), {}, "3850"),
        (bargain("3407.08", tax_basis="tax_excluded"), {}, "3850.0004"),
        (bargain("3885", delivery_mode="delivered"), {}, "3850"),
        (bargain("3830", place="河北唐山"), {}, "3850"),
        (bargain("3830", place="TANGSHAN port"), {}, "3850"),
        (bargain("4000"), {"grade": "Q355B"}, "3850"),
        (bargain("3900"), {"thickness_mm": "3"}, "3850"),
        (bargain("4050"), {"grade": "Q355B", "thickness_mm": "4.5"}, "3850"),
        (bargain(), {"grade": "Q195"}, None),
        (bargain(), {"thickness_mm": "2.5"}, None),
        (bargain(), {"kind": "cold_rolled_coil"}, None),
        (bargain(place="上海"), {}, None),
        (bargain(currency="USD"), {}, None),
        (bargain(unit="MTR"), {}, None),
    ],
)
def test_a_price_is_brought_to_the_reference_or_does_not_count(
    deal: Bargain, goods: dict[str, str], expected: str | None
) -> None:
    found = normalise(make_rule(), deal, GOODS | goods)
    assert found == (None if expected is None else Decimal(expected))


def test_tax_is_taken_out_where_the_index_is_without() -> None:
    assert normalise(make_rule(tax_basis="tax_excluded"), bargain("3390"), GOODS) == Decimal("3000")


def entry(price: str, volume: str = "10", buyer: str = "b1", seller: str = "s1", deal: str = "d") -> Entry:
    return Entry(deal_id=deal, price=Decimal(price), volume=Decimal(volume), buyer=buyer, seller=seller)


def test_the_mean_is_by_volume_without_the_ends() -> None:
    deals = [
        entry("1", "10", "b1", "s1", "low"),
        entry("100", "40", "b2", "s2", "one"),
        entry("110", "40", "b3", "s1", "two"),
        entry("9999", "10", "b1", "s2", "high"),
    ]
    found = assess(make_rule(), deals)
    assert (found.price, found.deals, found.volume, found.buyers, found.sellers) == (
        Decimal("105.00"),
        4,
        Decimal(100),
        3,
        2,
    )


def test_a_deal_on_the_border_counts_in_part() -> None:
    deals = [
        entry("100", "50", "b1", "s1", "a"),
        entry("200", "30", "b2", "s2", "b"),
        entry("300", "20", "b3", "s3", "c"),
    ]
    # Of 100 t the lowest and the highest 10 are left out: 40 at 100, 30 at 200, 10 at 300.
    assert assess(make_rule(), deals).price == Decimal("162.50")


@pytest.mark.parametrize(
    "deals",
    [
        pytest.param([], id="no deals"),
        pytest.param([entry("100", deal="a", buyer="b2", seller="s2"), entry("100", deal="b")], id="too few deals"),
        pytest.param([entry("100", deal=x, seller=f"s{x}") for x in "123"], id="one buyer"),
        pytest.param([entry("100", deal=x, buyer=f"b{x}") for x in "123"], id="one seller"),
        pytest.param(
            [*(entry("100", deal=x, buyer=f"g{x}", seller=f"g{x}") for x in "123"), entry("99", deal="4")],
            id="within groups",
        ),
        pytest.param([entry("100", "0", deal=x, buyer=f"b{x}", seller=f"s{x}") for x in "123"], id="no volume"),
    ],
)
def test_nothing_is_published_without_enough_independent_deals(deals: list[Entry]) -> None:
    assert assess(make_rule(), deals).price is None


prices = st.decimals(min_value=1, max_value=99_999, places=2)
volumes = st.decimals(min_value=Decimal("0.001"), max_value=10_000, places=3)


@given(st.lists(st.tuples(prices, volumes), min_size=3, max_size=30), st.randoms())
def test_an_index_lies_between_its_deals_and_does_not_depend_on_their_order(deals: list[Any], random: Any) -> None:
    entries = [
        Entry(deal_id=f"d{i}", price=price, volume=volume, buyer=f"b{i}", seller=f"s{i}")
        for i, (price, volume) in enumerate(deals)
    ]
    found = assess(make_rule(), entries)
    random.shuffle(entries)
    assert assess(make_rule(), entries) == found
    half = Decimal("0.005")
    assert found.price is not None
    assert min(price for price, _ in deals) - half <= found.price <= max(price for price, _ in deals) + half


@given(st.lists(st.tuples(prices, volumes), min_size=3, max_size=20))
def test_a_deal_split_in_two_gives_the_same_index(deals: list[Any]) -> None:
    rule = make_rule()
    whole = [
        Entry(deal_id=f"d{i}", price=price, volume=volume * 2, buyer=f"b{i}", seller=f"s{i}")
        for i, (price, volume) in enumerate(deals)
    ]
    halves = [
        Entry(
            deal_id=f"{each.deal_id}{half}",
            price=each.price,
            volume=each.volume / 2,
            buyer=each.buyer,
            seller=each.seller,
        )
        for each in whole
        for half in "ab"
    ]
    assert assess(rule, whole).price == assess(rule, halves).price


def test_a_deal_of_several_pieces_has_their_mean_price() -> None:
    lines = [
        Line(piece_id="a", price=Decimal(3800), volume=Decimal(30)),
        Line(piece_id="b", price=Decimal(3900), volume=Decimal(10)),
    ]
    assert merge(lines) == (Decimal(3825), Decimal(40))
    assert volume_of(make_rule(), Quantity(Exact("2500"), "KGM")) == Decimal("2.5")
    assert volume_of(make_rule(), Quantity(Exact("3"), "H87")) is None


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("taken", "day"),
    [
        ("2026-11-20T08:00:59", "2026-11-20"),  # Friday 16:00 in China still counts
        ("2026-11-20T08:01:00", "2026-11-23"),
        ("2026-11-21T03:00:00", "2026-11-23"),
        ("2026-09-30T09:00:00", "2026-10-08"),  # National Day
        ("2026-02-14T01:00:00", "2026-02-14"),  # a Saturday that was worked
        ("2027-01-01T01:00:00", "2027-01-01"),  # not announced: a weekday
    ],
)
def test_a_deal_counts_for_the_working_day_of_the_next_cutoff(taken: str, day: str) -> None:
    rule = make_rule()
    assert day_of(rule, at(taken)) == date.fromisoformat(day)
    assert at(taken) < closes_at(rule, day_of(rule, at(taken)))


def test_other_calendars() -> None:
    assert day_of(make_rule(calendar="every_day"), at("2026-10-01T03:00:00")) == date(2026, 10, 1)
    assert day_of(make_rule(calendar="weekdays"), at("2026-10-01T03:00:00")) == date(2026, 10, 1)
    assert [day.day for day in working_days(make_rule(), date(2026, 9, 29), date(2026, 10, 9))] == [29, 30, 8, 9]
    assert is_announced(make_rule(), date(2026, 1, 4)) and not is_announced(make_rule(), date(2040, 1, 4))
    assert is_announced(make_rule(calendar="weekdays"), date(2040, 1, 4))


def test_a_formula_adds_a_premium_and_leaves_something() -> None:
    rule = make_rule()
    assert price_by_formula(rule, Decimal("3850.00"), Decimal("-50")) == UnitPrice(Exact("3800.00"), "CNY", "TNE")
    with pytest.raises(ValueError, match="discount"):
        price_by_formula(rule, Decimal("10"), Decimal("-10"))


def test_a_chart_draws_no_line_across_what_was_not_published() -> None:
    days = [date(2026, 11, day) for day in (16, 17, 18, 19, 20)]
    known = [Decimal("3850"), Decimal("3860.5"), None, Decimal("3840"), Decimal("3845")]
    points = [
        Point(day, price, Decimal(100 * i), i < 3) for i, (day, price) in enumerate(zip(days, known, strict=True))
    ]
    picture = ElementTree.fromstring(draw_chart("热卷 <天津>", "CNY/TNE", points, empty="nothing"))
    name = "{http://www.w3.org/2000/svg}"
    lines = [line.get("points", "").split() for line in picture.iter(f"{name}polyline")]
    assert [len(line) for line in lines] == [2, 2]
    assert [dot.get("fill") for dot in picture.iter(f"{name}circle")] == ["#246", "#246", "#fff", "#fff"]
    assert picture.findtext(f"{name}title") == "热卷 <天津>"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_chart_of_nothing_says_so(count: int) -> None:
    points = [Point(date(2026, 11, 16 + i), None, Decimal(0), False) for i in range(count)]
    assert "nothing here" in draw_chart("a", "b", points, empty="nothing here")


def test_a_chart_of_one_day_can_be_drawn() -> None:
    assert "<circle" in draw_chart("a", "b", [Point(date(2026, 11, 16), Decimal(5), Decimal(0), True)], empty="")
