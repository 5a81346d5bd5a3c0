"""The tables that no library has: are they whole, and do they say what their sources say?"""

from __future__ import annotations

import re

import pytest

from services.catalog.markets.data.en10204 import DOCUMENT_TYPES, serves_for, type_of
from services.catalog.markets.data.ghs import H_STATEMENTS, P_STATEMENTS, statement_of
from services.catalog.markets.data.incoterms2020 import INCOTERMS, incoterm_of
from services.catalog.markets.data.places import PLACES, find_place
from services.catalog.markets.data.steel_grades import GROUPS, equivalents_of
from services.catalog.markets.data.tables import EQUIVALENTS
from services.catalog.markets.data.un_numbers import UN_NUMBERS, class_of, goods_of, packing_groups_of

CLASS = re.compile(r"1\.[1-6][A-HJKLNS]|2|2\.[123]|3|4\.[123]|5\.[12]|6\.[12]|7|8|9")


@pytest.mark.parametrize(
    ("number", "hazard_class", "subsidiary", "groups", "zh"),
    [
        ("1203", "3", (), ("II",), "汽油"),
        ("1170", "3", (), ("II", "III"), "乙醇"),
        ("1230", "3", ("6.1",), ("II",), "甲醇"),
        ("1824", "8", (), ("II", "III"), "氢氧化钠溶液"),
        ("1830", "8", (), ("II",), "硫酸"),
        ("1789", "8", (), ("II", "III"), "盐酸"),
        ("1005", "2.3", ("8",), (), "氨"),
        ("1017", "2.3", ("5.1", "8"), (), "氯"),
        ("1075", "2.1", (), (), "液化石油气"),
        ("2014", "5.1", ("8",), ("II",), "过氧化氢"),
        ("1689", "6.1", (), ("I",), "氰化钠"),
        ("3480", "9", (), (), "锂离子电池"),
        ("0336", "1.4G", (), (), "烟花"),
    ],
)
def test_goods_of_a_un_number(
    number: str, hazard_class: str, subsidiary: tuple[str, ...], groups: tuple[str, ...], zh: str
) -> None:
    found = goods_of(number)
    assert found is not None
    assert (found.hazard_class, found.subsidiary, found.groups) == (hazard_class, subsidiary, groups)
    assert zh in found.name.zh
    assert class_of(f"UN {number}") == class_of(f"un{number}") == hazard_class
    assert packing_groups_of(number) == groups


def test_the_table_of_un_numbers_is_whole() -> None:
    assert len(UN_NUMBERS) >= 250
    for number, goods in UN_NUMBERS.items():
        assert re.fullmatch("[0-9]{4}", number) and goods.name.zh and goods.name.en
        assert all(CLASS.fullmatch(each) for each in (goods.hazard_class, *goods.subsidiary)), number
        assert set(goods.groups) <= {"I", "II", "III"} and list(goods.groups) == sorted(goods.groups)
        has_groups = goods.hazard_class in ("4.1", "4.2", "4.3", "5.1", "6.1")
        assert goods.groups or not has_groups, number
    assert class_of("9999") is None and packing_groups_of("9999") == ()


@pytest.mark.parametrize(
    ("code", "en", "zh"),
    [
        ("H225", "Highly flammable liquid and vapour", "高度易燃液体和蒸气"),
        ("H314", "Causes severe skin burns and eye damage", "造成严重皮肤灼伤和眼损伤"),
        ("H410", "Very toxic to aquatic life with long lasting effects", "对水生生物毒性极大并具有长期持续影响"),
        ("P331", "Do NOT induce vomiting.", "不得诱导呕吐。"),
    ],
)
def test_statements_say_what_the_ghs_says(code: str, en: str, zh: str) -> None:
    found = statement_of(code)
    assert found is not None and (found.en, found.zh) == (en, zh)


def test_joined_statements_are_their_parts() -> None:
    joined = statement_of("P305+P351+P338")
    assert joined is not None
    assert joined.en.startswith("IF IN EYES: Rinse cautiously") and joined.zh.startswith(
        "如进入眼睛：用水小心冲洗几分钟。"
    )
    assert statement_of("H301+H311") and statement_of("H999") is None
    for code in [*H_STATEMENTS, *P_STATEMENTS]:
        assert all(statement_of(part) for part in code.split("+")), code


def test_the_list_of_hazard_statements_is_complete() -> None:
    """Every code of annex 3 of the ninth revised edition, section 1."""
    physical = [(200, 211), (220, 232), (240, 242), (250, 252), (260, 261), (270, 272), (280, 284), (290, 290)]
    health = [(300, 305), (310, 320), (330, 336), (340, 341), (350, 351), (360, 362), (370, 373)]
    spans = [*physical, *health, (400, 402), (410, 413), (420, 420)]
    single = {code for code in H_STATEMENTS if "+" not in code}
    assert single == {f"H{number}" for least, most in spans for number in range(least, most + 1)}
    assert len(P_STATEMENTS) >= 120


@pytest.mark.parametrize(
    ("grade", "other", "degree"),
    [
        ("Q235B", "S235JR", "close"),
        ("q235b", "A36", "similar"),
        ("Q235B", "SS400", "close"),
        ("Q355B", "S355JR", "close"),
        ("Q345B", "Q355B", "close"),
        ("304", "06Cr19Ni10", "close"),
        ("06Cr19Ni10", "1.4301", "close"),
        ("SUS 304", "304", "close"),
        ("ASTM 316L", "022Cr17Ni12Mo2", "close"),
        ("HRB400E", "B500B", "similar"),
        ("X52", "L360", "exact"),
        ("DC01", "SPCC", "close"),
        ("45", "S45C", "close"),
        ("42CrMo", "4140", "close"),
    ],
)
def test_what_replaces_a_grade(grade: str, other: str, degree: str) -> None:
    assert (other, degree) in [(each.grade, each.degree) for each in equivalents_of(grade)]
    assert degree in [each.degree for each in equivalents_of(other)]
    assert (other, degree) in EQUIVALENTS["steel_grades"](grade)


def test_the_table_of_grades_is_whole() -> None:
    assert len(GROUPS) >= 40
    order = {"exact": 0, "close": 1, "similar": 2}
    for group in GROUPS:
        assert group.grades[0].degree == "exact" and len({each.grade for each in group.grades}) == len(group.grades)
        for each in group.grades:
            found = equivalents_of(each.grade)
            assert each.grade not in [other.grade for other in found]
            assert [order[other.degree] for other in found] == sorted(order[other.degree] for other in found)
    assert equivalents_of("Unobtainium") == []


def test_types_of_inspection_documents() -> None:
    assert list(DOCUMENT_TYPES) == ["2.1", "2.2", "3.1", "3.2"]
    found = type_of("EN 10204 3.1")
    assert found is not None and found.specific and found.results and "authorized inspection" in found.validated_by.en
    assert type_of("EN 10204 3.3") is None
    assert serves_for("3.2", "3.1") and not serves_for("2.2", "3.1") and not serves_for("3.3", "3.1")


def test_the_eleven_rules_of_incoterms() -> None:
    assert set(INCOTERMS) == {"EXW", "FCA", "CPT", "CIP", "DAP", "DPU", "DDP", "FAS", "FOB", "CFR", "CIF"}
    assert {code for code, rule in INCOTERMS.items() if rule.mode == "sea"} == {"FAS", "FOB", "CFR", "CIF"}
    assert {code for code, rule in INCOTERMS.items() if rule.insurance == "seller"} == {"CIP", "CIF"}
    assert {code for code, rule in INCOTERMS.items() if rule.import_ == "seller"} == {"DDP"}
    assert {code for code, rule in INCOTERMS.items() if rule.export == "buyer"} == {"EXW"}
    assert {code for code, rule in INCOTERMS.items() if rule.unloading == "seller"} == {"DPU"}
    found = incoterm_of("cif Hamburg")
    assert found is not None and found.name.zh == "成本、保险费加运费"
    assert incoterm_of("DAT Hamburg") is None


@pytest.mark.parametrize(
    ("text", "zh", "code"),
    [
        ("天津", "天津", "CNTSN"),
        ("天津市", "天津", "CNTSN"),
        ("天津港", "天津新港", "CNTXG"),
        ("cntxg", "天津新港", "CNTXG"),
        ("TIANJIN", "天津", "CNTSN"),
        ("上海港", "上海", "CNSHA"),
        ("rotterdam", "鹿特丹", "NLRTM"),
        ("Hong Kong", "香港", "HKHKG"),
        ("乐从", "佛山", "CNFOS"),
        ("tangshan", "唐山", "CNTGS"),
    ],
)
def test_a_place_is_found_by_any_of_its_names(text: str, zh: str, code: str) -> None:
    found = find_place(text)
    assert found is not None and (found.zh, found.code) == (zh, code)


def test_the_gazetteer_is_whole() -> None:
    assert len(PLACES) >= 300
    assert len({place.code for place in PLACES if place.code}) == sum(bool(place.code) for place in PLACES)
    for place in PLACES:
        assert -90 < place.lat < 90 and -180 < place.lon < 180 and place.zh and place.en
        assert re.fullmatch("[a-z]+", place.pinyin) and re.fullmatch("[A-Z]{2}", place.country)
        assert not place.code or re.fullmatch(place.country + "[A-Z2-9]{3}", place.code)
        if place.country == "CN":
            assert 17 < place.lat < 54 and 73 < place.lon < 136, place.en
    assert find_place("Atlantis") is None and find_place("") is None
