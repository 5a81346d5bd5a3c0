"""What a market's rules come to for given goods: licences, papers, carriage, units, variants, what they lack."""

from __future__ import annotations

from chassis.values import Exact
from events.catalog import LicenceNeeded
from services.catalog.markets.loader import load_packs
from services.catalog.markets.needs import find_unfit, may_have, must_have
from services.catalog.markets.product_types import TypeUnits
from tests.unit.catalog.tea import read_tea

TEA = read_tea()
LEAF = {"kind": "green", "garden": "祁门历口", "batch": "B1", "best_before": "2027-01-01"}
CAKE = {"kind": "puer", "garden": "勐海布朗山", "pack_g": "357", "gtin": "06901234567892"}


def test_licences_follow_from_the_type_and_from_what_the_goods_are() -> None:
    trade = LicenceNeeded(scheme="food_trade", held_by=["seller", "buyer"])
    organic = LicenceNeeded(scheme="organic", held_by=["seller"], scope=["勐海布朗山"])
    assert TEA.licences_of(LEAF) == [trade]
    assert TEA.licences_of(LEAF | {"labels": "organic"}) == [trade]
    assert TEA.licences_of(CAKE) == TEA.licences_of(CAKE | {"labels": "fair_trade"}) == [trade]
    assert TEA.licences_of(CAKE | {"labels": "fair_trade;organic"}) == [trade, organic]
    assert TEA.licences_of({}) == TEA.licences_of({"kind": "coffee"}) == []


def test_papers_carriage_and_deductions_are_those_that_the_type_names() -> None:
    assert [rule.name for rule in TEA.documents_of(LEAF)] == ["test_report"]
    assert [rule.name for rule in TEA.carriage_of(CAKE)] == ["dry"]
    assert [rule.name for rule in TEA.deductions_of(LEAF)] == ["moisture"] and TEA.deductions_of(CAKE) == []
    assert TEA.is_moderated(CAKE) and not TEA.is_moderated(LEAF) and not load_packs()["steel"].is_moderated({})


def test_a_condition_without_codes_asks_for_any_value() -> None:
    any_label = read_tea(('when = { attribute = "labels", codes = ["organic"] }', 'when = { attribute = "labels" }'))
    assert len(any_label.licences_of(CAKE)) == 1 and len(any_label.licences_of(CAKE | {"labels": "fair_trade"})) == 2


def test_units_are_those_of_the_type_or_of_the_terms() -> None:
    small = Exact("0.001")
    assert TEA.units_of(CAKE) == TypeUnits(base="KGM", trade=["KGM"], step=Exact("0.5"), minimum=Exact("2"))
    assert TEA.units_of(LEAF) == TypeUnits(base="KGM", trade=["KGM", "TNE"], step=small, minimum=small)
    assert load_packs()["steel"].units_of({"kind": "rebar"}).trade == ["TNE", "KGM"]


def test_variants_differ_in_nothing_else() -> None:
    key = TEA.variant_of(CAKE)
    assert key and key == TEA.variant_of(CAKE | {"pack_g": "100", "gtin": "06901234567809"}) == TEA.variant_of(
        CAKE | {"batch": "B2"}
    )
    assert key != TEA.variant_of(CAKE | {"garden": "易武"}) and key != TEA.variant_of(CAKE | {"labels": "organic"})
    assert TEA.variant_of(LEAF) is None and TEA.variant_of({}) is None


def test_what_goods_must_have_and_may_have() -> None:
    leaf, retail = TEA.types
    assert must_have(TEA, leaf) == ["kind", "garden", "batch", "best_before"]
    assert must_have(TEA, retail, ("product",)) == ["kind", "garden", "pack_g", "gtin"]
    assert must_have(TEA, retail, ("lot",)) == ["batch", "best_before"]
    assert not may_have(TEA, leaf, "pack_g") and may_have(TEA, leaf, "moisture") and may_have(TEA, retail, "pack_g")


def test_what_is_told_apart_by_nothing_has_no_lot_and_no_piece() -> None:
    untracked = read_tea(('tracked = "lot"\nhs = ["0902"]\ntitle', 'tracked = "none"\nhs = ["0902"]\ntitle'))
    assert must_have(untracked, untracked.types[0]) == ["kind", "garden"]


def test_what_goods_lack_or_may_not_have_is_told_in_both_languages() -> None:
    def told(attributes: dict[str, str], *levels: str) -> list[tuple[str, str, str]]:
        return [
            (name, reason.en, reason.zh)
            for name, reason in find_unfit(TEA, attributes, levels or ("product", "lot", "piece"))
        ]

    assert told(LEAF) == []
    assert told({"kind": "green"}, "product") == [("garden", "is missing", "缺失")]
    assert told(LEAF, "product") == [
        ("batch", "is stated for a lot, not for a product", "应在批次上填写，而非产品"),
        ("best_before", "is stated for a lot, not for a product", "应在批次上填写，而非产品"),
    ]
    assert told(LEAF | {"pack_g": "100"}) == [("pack_g", "goods of the type Leaf tea do not have this", "散茶没有此项")]


def test_several_values_are_shown_one_after_the_other() -> None:
    labelled = read_tea(('title = { zh = "{kind} {garden}", en = "{kind} {garden}" }',
                         'title = { zh = "{kind} {garden} {labels|}", en = "{kind} {garden} {labels|}" }'))  # fmt: skip
    assert labelled.title_of(LEAF | {"labels": "organic;fair_trade"}) == {
        "zh": "绿茶 祁门历口 有机、公平贸易",
        "en": "Green tea 祁门历口 Organic, Fair trade",
    }
    assert labelled.title_of(LEAF)["en"] == "Green tea 祁门历口"
