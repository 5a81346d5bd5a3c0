"""What sellers write in six markets: right values as they are kept, wrong ones with the reason, and the rules of their goods."""

from __future__ import annotations

import pytest

from services.catalog.markets.loader import load_packs
from services.catalog.markets.pack import Pack

RIGHT = [
    ("bulk", "kind", "线性", "lldpe"),
    ("bulk", "kind", "Met coal", "coking_coal"),
    ("bulk", "origin", "澳洲", "AU"),
    ("bulk", "imo_no", "IMO 9074729", "9074729"),
    ("bulk", "assay_date", "2026年3月5日", "2026-03-05"),
    ("bulk", "size_mm", "6-30", "6-30"),
    ("bulk", "fe_percent", "61.60", "61.6"),
    ("heavy", "kind", "行车", "bridge_crane"),
    ("heavy", "acceptance", "FAT; 现场验收", "fat;sat"),
    ("heavy", "dimensions", "3200*2400*2600", "3200*2400*2600"),
    ("heavy", "material", "Q355B", "Q355B"),
    ("logistics", "kind", "FTL", "full_truck"),
    ("logistics", "container_no", "CSQU 305438-3", "CSQU3054383"),
    ("logistics", "hazard_classes", "3;Class 8", "c3;c8"),
    ("logistics", "window", "08:00-12:00", "08:00-12:00"),
    ("logistics", "axles", "8x4", "a4"),
    ("tourism", "from_airport", "tsn", "TSN"),
    ("tourism", "languages", "中文;英语", "zh;en"),
    ("tourism", "service_date", "2026/10/1", "2026-10-01"),
    ("tourism", "room_type", "标间", "standard"),
    ("tourism", "policy", "不可退改", "none"),
    ("mall", "gtin", "6901234567892", "6901234567892"),
    ("mall", "isbn", "978-7-04-061234-9", "9787040612349"),
    ("mall", "size", "均码", "one"),
    ("mall", "kind", "笔记本", "laptop"),
    ("mall", "screen_inch", "6.73", "6.73"),
    ("agriculture", "kind", "苞谷", "corn"),
    ("agriculture", "nutrients", "15-15-15", "15-15-15"),
    ("agriculture", "certification", "有机食品;GI", "organic;gi"),
    ("agriculture", "toxicity", "低毒", "low"),
    ("agriculture", "crop_year", "2026", "2026"),
]
WRONG = [
    ("bulk", "kind", "石墨", "not one of"),
    ("bulk", "fe_percent", "80", "is not between 20 and 72"),
    ("bulk", "calorific_kcal", "5500.5", "more than 0 decimals"),
    ("bulk", "imo_no", "9074728", "check"),
    ("bulk", "assay_date", "2026-02-30", "day"),
    ("bulk", "size_mm", "below 50", "signs that do not belong"),
    ("heavy", "load_t", "5O", "not a number"),
    ("heavy", "acceptance", "FAT;见证", "not one of"),
    ("heavy", "dimensions", "3200*2400", "signs that do not belong"),
    ("logistics", "container_no", "CSQU3054384", "check"),
    ("logistics", "plate", "京A1", "plate"),
    ("logistics", "window", "8-12", "signs that do not belong"),
    ("logistics", "hazard_classes", "3;10", "not one of"),
    ("tourism", "from_airport", "T5N", "airport"),
    ("tourism", "duration_hours", "0", "is not between"),
    ("tourism", "slot", "09:00-25:00", "signs that do not belong"),
    ("mall", "gtin", "6901234567893", "check"),
    ("mall", "gtin", "6.90123E+12", "exponent form"),
    ("mall", "size", "XXXXL", "not one of"),
    ("mall", "name", "=1+1", "formula"),
    ("agriculture", "nutrients", "46", "signs that do not belong"),
    ("agriculture", "moisture_percent", "101", "is not between"),
    ("agriculture", "crop_year", "1999", "is not between"),
    ("agriculture", "aflatoxin_ug_kg", "-1", "is not between"),
]


def pack_of(market: str) -> Pack:
    return load_packs()[market]


@pytest.mark.parametrize(("market", "name", "text", "kept"), RIGHT)
def test_what_is_right_is_kept_in_one_form(market: str, name: str, text: str, kept: str) -> None:
    pack = pack_of(market)
    assert pack.check(pack.by_name[name], text) == kept
    assert pack.check(pack.by_name[name], kept) == kept


@pytest.mark.parametrize(("market", "name", "text", "reason"), WRONG)
def test_what_is_wrong_is_refused_with_the_reason(market: str, name: str, text: str, reason: str) -> None:
    pack = pack_of(market)
    with pytest.raises(ValueError, match=f"(?i){reason}"):
        pack.check(pack.by_name[name], text)


@pytest.mark.parametrize(
    ("market", "goods", "licences"),
    [
        ("agriculture", {"kind": "herbicide", "toxicity": "high"}, [("pesticide_business", False), ("restricted_pesticide", True)]),
        ("agriculture", {"kind": "herbicide", "toxicity": "low"}, [("pesticide_business", False)]),
        ("agriculture", {"kind": "corn"}, []),
        ("logistics", {"kind": "full_truck"}, [("road_transport", False)]),
        ("logistics", {"kind": "customs_clearance"}, [("customs_broker", False)]),
        ("heavy", {"kind": "boiler"}, [("special_equipment", False)]),
        ("mall", {"kind": "rice"}, [("food_business", False)]),
        ("tourism", {"kind": "day_tour", "place": "天津"}, [("travel_agency", False)]),
        ("tourism", {"kind": "day_tour", "place": "Paris"}, [("travel_agency", False), ("outbound_travel", False)]),
        ("bulk", {"kind": "thermal_coal"}, []),
    ],
)  # fmt: skip
def test_goods_come_under_the_licences_of_their_kind(
    market: str, goods: dict[str, str], licences: list[tuple[str, bool]]
) -> None:
    assert [(needed.scheme, needed.hides) for needed in pack_of(market).licences_of(goods)] == licences


def test_a_tank_truck_needs_a_licence_for_the_classes_it_carries() -> None:
    needed = pack_of("logistics").licences_of({"kind": "tank_truck", "hazard_classes": "c3;c8"})
    assert [(each.scheme, each.scope) for each in needed] == [
        ("road_transport", []),
        ("dangerous_transport", ["c3", "c8"]),
    ]


@pytest.mark.parametrize(
    ("market", "goods", "carriage"),
    [
        ("agriculture", {"kind": "pork", "storage": "frozen"}, ["frozen"]),
        ("agriculture", {"kind": "pork", "storage": "ambient"}, []),
        ("mall", {"kind": "frozen_food", "storage_condition": "chilled"}, ["food_chilled"]),
        ("mall", {"kind": "smartphone"}, ["lithium_battery"]),
        ("bulk", {"kind": "iron_ore_fines"}, ["ore_moisture"]),
        ("bulk", {"kind": "iron_ore_lump"}, []),
    ],
)
def test_goods_are_carried_by_the_rules_of_their_kind(market: str, goods: dict[str, str], carriage: list[str]) -> None:
    assert [rule.name for rule in pack_of(market).carriage_of(goods)] == carriage


@pytest.mark.parametrize("market", ["bulk", "heavy", "logistics", "tourism", "mall", "agriculture"])
def test_a_market_says_how_it_is_traded_and_what_its_goods_are_counted_in(market: str) -> None:
    pack = pack_of(market)
    assert {mode.mode for mode in pack.modes} >= {"listing", "inquiry"}
    for type in pack.types:
        units = pack.units_of({type.attribute: type.codes[0]})
        assert units.step > 0 and units.minimum >= units.step and type.unspsc
    assert len(pack.clauses) >= 10 and pack.synonyms


def test_stages_of_payment_come_to_the_whole_price() -> None:
    for pack in load_packs().values():
        for mode in pack.modes:
            assert not mode.stages or sum(stage.percent for stage in mode.stages) == 100
    heavy = next(mode for mode in pack_of("heavy").modes if mode.mode == "tender")
    assert [str(stage.percent) for stage in heavy.stages] == ["30", "30", "30", "10"]


def test_the_tables_of_deductions_are_those_of_the_trade() -> None:
    corn = {rule.name: rule for rule in pack_of("agriculture").deductions_of({"kind": "corn"})}
    assert set(corn) == {"grain_moisture", "grain_impurity", "corn_density", "grain_mouldy", "aflatoxin_limit"}
    step = corn["grain_moisture"].steps[0]
    assert (str(step.beyond), str(step.each), str(step.percent)) == ("14", "0.5", "0.75")
    assert [rule.name for rule in pack_of("bulk").deductions_of({"kind": "thermal_coal"})] == [
        "coal_calorific",
        "coal_moisture",
        "coal_sulphur",
    ]
