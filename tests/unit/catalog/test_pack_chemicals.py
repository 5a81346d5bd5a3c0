"""The market of chemicals: what a trader of the industry may rely on."""

from __future__ import annotations

import pytest

from events.catalog import LicenceNeeded
from services.catalog.markets.data.ghs import statement_of
from services.catalog.markets.data.un_numbers import goods_of
from services.catalog.markets.loader import load_packs
from services.catalog.markets.samples import make_samples

PACK = load_packs()["chemicals"]
ACETONE = {"kind": "ketones", "substance": "丙酮 Acetone", "cas": "67-64-1", "un_number": "UN1090", "hazard_class": "3",
           "packing_group": "II", "precursor": "3", "explosive_precursor": "no", "highly_toxic": "no"}  # fmt: skip
SODA = {"kind": "inorganic_salts", "substance": "纯碱 Soda ash", "cas": "497-19-8", "precursor": "none"}
CYANIDE = {"kind": "toxics", "substance": "氰化钠 Sodium cyanide", "un_number": "UN1689", "hazard_class": "6.1",
           "precursor": "none", "explosive_precursor": "no", "highly_toxic": "yes", "controlled": "dual_use"}  # fmt: skip


def test_class_and_packing_group_of_typical_goods_are_those_of_their_un_number() -> None:
    seen = 0
    for type in PACK.types:
        for goods in type.examples:
            if "un_number" in goods:
                found, seen = goods_of(goods["un_number"]), seen + 1
                assert found is not None, goods
                assert goods["hazard_class"] == found.hazard_class, goods
                assert goods["packing_group"] in (found.groups or ("none",)), goods
    assert seen >= 80


def test_signal_words_and_statements_of_typical_goods_agree() -> None:
    deadly = {"H300", "H310", "H330", "H314", "H340", "H350", "H224", "H225", "H220"}
    for type in PACK.types:
        for goods in type.examples:
            statements = goods.get("hazard_statements", "").split(";") if "hazard_statements" in goods else []
            assert all(statement_of(code) for code in statements)
            if deadly & set(statements):
                assert goods["signal_word"] == "danger", goods
            if {"H400", "H410", "H411"} & set(statements):
                assert "GHS09" in goods["pictograms"].split(";"), goods


def test_samples_never_contradict_their_un_number() -> None:
    for sample in make_samples(PACK, 2, 400):
        made = sample.attributes
        if (found := goods_of(made.get("un_number", ""))) and sample.type in (
            "solvent",
            "acid",
            "alkali",
            "gas",
            "toxic",
        ):
            assert made["hazard_class"] == found.hazard_class, sample


def test_both_sides_and_the_carrier_need_licences_of_the_class() -> None:
    assert PACK.licences_of(ACETONE) == [
        LicenceNeeded(scheme="hazchem_trade", held_by=["seller"], scope=["3"]),
        LicenceNeeded(scheme="hazchem_buyer", held_by=["buyer"], scope=["3"], hides=True),
        LicenceNeeded(scheme="precursor_trade", held_by=["seller"], scope=["3"]),
        LicenceNeeded(scheme="precursor_purchase", held_by=["buyer"], scope=["3"], hides=True),
        LicenceNeeded(scheme="road_dangerous_goods", held_by=["carrier"], scope=["3"]),
    ]
    assert PACK.licences_of(SODA) == []


def test_highly_toxic_goods_are_hidden_from_who_may_not_buy_them() -> None:
    needed = {(each.scheme, *each.held_by): each for each in PACK.licences_of(CYANIDE)}
    assert needed["highly_toxic", "buyer"].hides and not needed["highly_toxic", "seller"].hides
    assert ("dual_use_export", "seller") in needed and ("road_dangerous_goods", "carrier") in needed


def test_a_safety_data_sheet_is_never_older_than_five_years() -> None:
    sheet = next(rule for rule in PACK.documents if rule.name == "sds")
    assert (sheet.required, sheet.carried_by, sheet.languages, sheet.most_age_days) == (True, "product", ["zh"], 1825)
    assert all("sds" in type.documents for type in PACK.types)


def test_papers_follow_from_the_danger() -> None:
    dangerous = {rule.name for rule in PACK.documents_of(ACETONE)}
    assert {
        "sds",
        "safety_label",
        "certificate_of_analysis",
        "dangerous_goods_declaration",
        "purpose_declaration",
    } <= dangerous
    assert {rule.name for rule in PACK.documents_of(SODA)} == {"sds", "certificate_of_analysis"}


def test_carriage_follows_from_class_and_storage() -> None:
    assert {rule.name for rule in PACK.carriage_of(ACETONE)} == {"dangerous_goods", "flammable_liquid"}
    assert [rule.hazard for rule in PACK.carriage_of(ACETONE)][0] == "un_number"
    cold = PACK.carriage_of({"kind": "monomers", "storage": "room_15_25", "un_number": "UN2218", "hazard_class": "8"})
    limits = {rule.name: rule.temperature for rule in cold}
    kept = limits["kept_at_room_temperature"]
    assert kept is not None and (kept.least, kept.most) == (15, 25)
    fefo = next(rule for rule in cold if rule.fefo)
    assert fefo.expiry == "expires_on" and fefo.expiry_floor_days == 30


def test_weak_acid_and_weak_caustic_cost_less() -> None:
    acid = PACK.deductions_of({"kind": "inorganic_acids", "cas": "7664-93-9"})
    assert [(table.name, table.attribute, table.direction) for table in acid] == [("acid_strength", "assay", "below")]
    assert PACK.deductions_of({"kind": "inorganic_acids", "cas": "7697-37-2"}) == []
    assert [table.name for table in PACK.deductions_of({"kind": "alkalis", "cas": "1310-73-2"})] == ["caustic_strength"]


@pytest.mark.parametrize(
    ("attribute", "text", "kept"),
    [
        ("cas", "CAS 64-17-5；7732-18-5", "64-17-5;7732-18-5"),
        ("un_number", "UN 1170", "UN1170"),
        ("hazard_statements", "h225; H319", "H225;H319"),
        ("precautions", "P305 + P351 + P338", "P305+P351+P338"),
        ("packing_group", "Ⅱ", "II"),
        ("precursor", "三类", "3"),
        ("package", "吨桶", "ibc"),
        ("grade", "AR", "ar"),
        ("purity", "99.99", "99.99"),
        ("flash_point_c", "-20", "-20"),
        ("un_mark", "1A1/Y1.4/150/26/CN/120116", "1A1/Y1.4/150/26/CN/120116"),
        ("storage", "2-8℃", "chilled_2_8"),
    ],
)
def test_traders_may_write_as_they_do(attribute: str, text: str, kept: str) -> None:
    assert PACK.check(PACK.by_name[attribute], text) == kept


@pytest.mark.parametrize(
    ("attribute", "text"),
    [
        ("cas", "64-17-6"),
        ("cas", "64-17-5; 64-17-6"),
        ("un_number", "9999"),
        ("hazard_class", "12"),
        ("hazard_statements", "H999"),
        ("packing_group", "IV"),
        ("precursor", "四类"),
        ("purity", "100.1"),
        ("purity", "99,9"),
        ("un_mark", "drum"),
        ("food_licence", "SC10612011600000"),
        ("expires_on", "2027-02-30"),
    ],
)
def test_what_is_wrong_is_refused(attribute: str, text: str) -> None:
    with pytest.raises(ValueError):
        PACK.check(PACK.by_name[attribute], text)


def test_the_agreement_speaks_of_licences_samples_and_dangerous_goods() -> None:
    headings = {clause.heading["en"] for clause in PACK.clauses}
    assert {
        "Licences and lawful use",
        "Quality, analysis and retained samples",
        "Emergency and environment",
    } <= headings
    assert PACK.is_moderated(ACETONE) and not PACK.is_moderated(SODA)


def test_reference_prices_are_of_goods_that_are_traded_here() -> None:
    assert {index.code for index in PACK.indices} == {"METHANOL-TJ", "CAUSTIC-32-NC"}
    for index in PACK.indices:
        examples = [goods for type in PACK.types for goods in type.examples]
        assert any(all(goods.get(name) == value for name, value in index.goods.items()) for goods in examples), (
            index.code
        )
