"""The market of medicines and health goods: what a trader of the industry may rely on."""

from __future__ import annotations

import pytest

from chassis.values import Exact
from events.catalog import LicenceNeeded
from services.catalog.markets.loader import load_packs
from services.catalog.markets.needs import must_have
from services.catalog.markets.samples import make_samples

PACK = load_packs()["pharma"]
TABLETS = {"kind": "rx_chemical", "scope": "chemical", "control_class": "none", "storage": "room_10_30"}
INSULIN = {"kind": "insulin", "scope": "biologic", "control_class": "anabolic", "storage": "cold_2_8"}
VACCINE = {"kind": "vaccine", "scope": "vaccine", "control_class": "none", "storage": "frozen_70"}
MORPHINE = {"kind": "narcotic", "scope": "narcotic", "control_class": "narcotic", "storage": "room_10_30"}
STENT = {"kind": "implant", "device_class": "III", "device_category": "13", "storage": "room_10_30"}
MASK = {"kind": "ppe", "device_class": "II", "device_category": "14", "storage": "ambient"}


def schemes(attributes: dict[str, str]) -> set[tuple[str, str, tuple[str, ...], bool]]:
    return {(each.scheme, each.held_by[0], tuple(each.scope), each.hides) for each in PACK.licences_of(attributes)}


def test_medicines_need_a_licence_of_their_scope_on_both_sides() -> None:
    assert PACK.licences_of(TABLETS) == [
        LicenceNeeded(scheme="drug_distribution", held_by=["seller"], scope=["chemical"]),
        LicenceNeeded(scheme="drug_purchase", held_by=["buyer"], scope=["chemical"], hides=True),
    ]
    assert ("cold_chain_carrier", "carrier", ("cold_2_8",), False) in schemes(INSULIN)
    assert {("drug_anabolic", "seller", (), False), ("drug_anabolic", "buyer", (), True)} <= schemes(INSULIN)


def test_what_is_under_special_control_is_hidden_and_goes_its_own_way() -> None:
    assert ("controlled_drug", "buyer", ("narcotic",), True) in schemes(MORPHINE)
    assert ("controlled_carrier", "carrier", (), False) in schemes(MORPHINE)
    assert {("vaccine", "seller", (), False), ("vaccine", "buyer", (), True)} <= schemes(VACCINE)
    assert "transport_certificate" in {rule.name for rule in PACK.documents_of(MORPHINE)}
    assert not any(mode.mode == "cart" and "controlled_medicine" in mode.types for mode in PACK.modes)


def test_devices_are_licensed_by_class_and_category() -> None:
    assert schemes(MASK) == {("device_record", "seller", ("14",), False)}
    assert schemes(STENT) == {("device_licence", "seller", ("13",), False), ("device_licence", "buyer", ("13",), False)}
    assert {"udi_di", "device_no", "sterile", "sterilized_on"} <= set(
        must_have(PACK, PACK.types_by_name["sterile_device"])
    )


@pytest.mark.parametrize(
    ("goods", "least", "most", "minutes"),
    [
        (TABLETS, "10", "30", 240),
        (TABLETS | {"storage": "cool_20"}, "0", "20", 120),
        (INSULIN, "2", "8", 0),
        (INSULIN | {"storage": "frozen_20"}, "-25", "-15", 0),
        (VACCINE, "-90", "-60", 0),
    ],
)
def test_the_cold_chain_follows_from_the_storage(goods: dict[str, str], least: str, most: str, minutes: int) -> None:
    found = [rule.temperature for rule in PACK.carriage_of(goods) if rule.temperature]
    assert [(limit.least, limit.most, limit.excursion_minutes) for limit in found] == [
        (Exact(least), Exact(most), minutes)
    ]


def test_what_expires_first_leaves_first_and_never_too_late() -> None:
    for type in PACK.types:
        if type.name == "equipment":
            continue
        rules = [rule for rule in PACK.carriage if rule.name in type.carriage and rule.fefo]
        assert len(rules) == 1 and rules[0].expiry == "expires_on", type.name
        assert 90 <= (rules[0].expiry_floor_days or 0) <= 240
    assert {"batch_no", "made_on", "expires_on"} <= set(must_have(PACK, PACK.types_by_name["medicine"], ("lot",)))


def test_papers_of_a_batch_and_of_a_cold_delivery() -> None:
    tablets = {rule.name: rule for rule in PACK.documents_of(TABLETS)}
    assert tablets["batch_report"].carried_by == "lot" and tablets["batch_report"].required
    assert tablets["delivery_note"].carried_by == "delivery" and "cold_record" not in tablets
    cold = {rule.name: rule for rule in PACK.documents_of(INSULIN)}
    assert cold["cold_record"].required and cold["cold_record"].carried_by == "delivery"
    assert PACK.types_by_name["released_biologic"].documents.count("lot_release") == 1


def test_herbs_are_weighed_and_deducted_for_moisture() -> None:
    herb = {"kind": "herbal_material", "scope": "herbal_material"}
    assert (PACK.units_of(herb).base, PACK.units_of(herb).trade) == ("KGM", ["KGM"])
    assert PACK.units_of(TABLETS).base == "H87"
    tables = {table.name: table for table in PACK.deductions_of(herb)}
    assert (tables["herb_moisture"].steps[0].beyond, tables["herb_moisture"].reject) == (Exact("13"), Exact("16"))
    assert tables["herb_sulphur"].of == "price" and PACK.deductions_of(TABLETS) == []


def test_approval_numbers_of_typical_goods_are_of_their_kind() -> None:
    letters = {
        "medicine": "H",
        "chinese_medicine": "Z",
        "biologic_medicine": "S",
        "released_biologic": "S",
        "controlled_medicine": "H",
    }
    for sample in make_samples(PACK, 4, 300):
        if letter := letters.get(sample.type):
            assert sample.attributes["approval_no"].startswith(f"国药准字{letter}"), sample
        if "device_no" in sample.attributes:
            number, rank = sample.attributes["device_no"], sample.attributes["device_class"]
            assert "械备" in number if rank == "I" else {"2": "II", "3": "III"}[number.split("械注准")[1][4]] == rank, (
                sample
            )


@pytest.mark.parametrize(
    ("attribute", "text", "kept"),
    [
        ("approval_no", "国药准字 H20051234", "国药准字H20051234"),
        ("device_no", "国械注准20193140123号", "国械注准20193140123"),
        ("udi_di", "(01)06901234567892", "06901234567892"),
        ("health_food_no", "国食健注 G20190123", "国食健注G20190123"),
        ("special_food_no", "国食注字TY20210013", "国食注字TY20210013"),
        ("disinfectant_no", "津卫消证字(2023)第0108号", "津卫消证字(2023)第0108号"),
        ("storage", "2-8℃", "cold_2_8"),
        ("rx_class", "红OTC", "otc_a"),
        ("claims", "有助于改善睡眠；缓解体力疲劳", "sleep;fatigue"),
        ("expires_on", "2027/11/30", "2027-11-30"),
        ("device_category", "无源植入器械", "13"),
        ("batch_no", "２６０３１５", "260315"),
    ],
)
def test_traders_may_write_as_they_do(attribute: str, text: str, kept: str) -> None:
    assert PACK.check(PACK.by_name[attribute], text) == kept


@pytest.mark.parametrize(
    ("attribute", "text"),
    [
        ("approval_no", "国药准字H2005"),
        ("device_no", "津械注准20193140123"),
        ("udi_di", "6901234567893"),
        ("health_food_no", "G20190123"),
        ("special_food_no", "国食注字20210013"),
        ("atc", "1234"),
        ("storage", "随便放"),
        ("control_class", "毒"),
        ("trace_code", "8123"),
        ("moisture_found", "101"),
        ("expires_on", "2027-11"),
        ("claims", "包治百病"),
    ],
)
def test_what_is_wrong_is_refused(attribute: str, text: str) -> None:
    with pytest.raises(ValueError):
        PACK.check(PACK.by_name[attribute], text)


def test_everything_is_looked_at_before_it_is_listed_and_the_agreement_speaks_of_recall() -> None:
    assert all(PACK.is_moderated(goods) for goods in (TABLETS, STENT, MASK, VACCINE))
    headings = {clause.heading["en"] for clause in PACK.clauses}
    assert {
        "Qualification and scope",
        "Batch, expiry and first expired first out",
        "Carriage, cold chain and handover",
    } <= headings
    assert "Traceability, recall and adverse events" in headings
