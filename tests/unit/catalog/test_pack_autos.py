"""The market of vehicles and parts: what a trader of the industry may rely on."""

from __future__ import annotations

import pytest

from chassis.values import Exact
from events.catalog import LicenceNeeded
from services.catalog.markets.loader import load_packs
from services.catalog.markets.needs import find_unfit, must_have
from services.catalog.markets.product_types import TypeUnits

PACK = load_packs()["autos"]
NEW = {"kind": "new_sedan", "brand": "volkswagen", "import_kind": "domestic"}
USED = {"kind": "used_suv", "brand": "honda", "title_state": "clear"}
VEHICLES = ("fuel_car", "electric_car", "hybrid_car", "commercial", "electric_commercial", "used_car", "used_electric",
            "used_hybrid", "used_commercial", "trailer", "motorcycle")  # fmt: skip


def test_a_vehicle_is_one_piece_that_is_named_by_its_vin() -> None:
    assert PACK.terms.weight_unit == "H87" and PACK.terms.price_unit.default == "H87"
    assert (PACK.columns.net.default, PACK.columns.gross.default) == ("1", "1")
    assert PACK.by_heading["车架号"] == PACK.by_heading["chassisno"] == PACK.by_heading["vin"] == "number"
    assert PACK.read_column("number", "1m8gdm9axkp042788") == "1M8GDM9AXKP042788"
    assert PACK.read_column("number", "WVWZZZ1KZAW000001") == "WVWZZZ1KZAW000001"
    assert PACK.units_of(NEW) == TypeUnits(base="H87", trade=["H87"], step=Exact("1"), minimum=Exact("1"))
    assert {name for name, type in PACK.types_by_name.items() if type.tracked == "piece"} == set(VEHICLES)


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        ("number", "1M8GDM9A0KP042788", "check digit 0, which should be X"),
        ("number", "LSVAA4187E218465", "16 signs, not 17"),
        ("net", "2", "not between 1 and 1"),
    ],
)
def test_what_cannot_be_a_vehicle_is_refused(column: str, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        PACK.read_column(column, text)


def test_a_used_vehicle_states_mileage_history_and_condition_report() -> None:
    required = set(must_have(PACK, PACK.types_by_name["used_car"]))
    assert required >= {
        "first_registered_on",
        "mileage_km",
        "transfers",
        "use",
        "condition_grade",
        "accident",
        "title_state",
        "report_no",
    }
    assert "battery_health" in must_have(PACK, PACK.types_by_name["used_electric"])
    lacking = {name for name, _ in find_unfit(PACK, USED)}
    assert {"mileage_km", "report_no", "series"} <= lacking and "battery_health" not in lacking


def test_papers_of_a_vehicle_follow_from_where_it_comes_from() -> None:
    def papers(**more: str) -> set[str]:
        return {rule.name for rule in PACK.documents_of(NEW | more) if rule.required and rule.carried_by == "piece"}

    assert papers() == {"conformity_certificate"}
    assert papers(import_kind="parallel") == papers(import_kind="imported") == {"import_certificate", "inspection_slip"}
    assert papers(import_kind="export") == set()


def test_papers_of_a_used_vehicle() -> None:
    papers = {rule.name: rule for rule in PACK.documents_of(USED)}
    assert {"registration_certificate", "driving_licence", "condition_report", "used_vehicle_invoice"} == set(papers)
    assert papers["condition_report"].most_age_days == 60 and papers["condition_report"].required
    assert papers["used_vehicle_invoice"].carried_by == "delivery"
    assert "lien_release" in {rule.name for rule in PACK.documents_of(USED | {"title_state": "mortgaged"})}


def test_who_must_hold_what() -> None:
    assert PACK.licences_of(NEW) == []
    assert PACK.licences_of(NEW | {"import_kind": "export"}) == [
        LicenceNeeded(scheme="vehicle_export", held_by=["seller"])
    ]
    assert [each.scheme for each in PACK.licences_of(NEW | {"import_kind": "parallel"})] == ["parallel_import"]
    assert [each.scheme for each in PACK.licences_of(USED)] == ["used_car_dealer"]
    exported = PACK.licences_of(USED | {"title_state": "deregistered"})
    assert [each.scheme for each in exported] == ["used_car_dealer", "used_vehicle_export"]
    battery = PACK.licences_of({"kind": "traction_battery", "hazard_class": "9"})
    assert battery == [LicenceNeeded(scheme="road_dangerous_goods", held_by=["carrier"], scope=["9"])]


def test_parts_under_compulsory_certification_name_their_certificate() -> None:
    for kind in ("brake_parts", "lighting", "glass", "tyre"):
        type = PACK.type_of({"kind": kind})
        assert type is not None and "ccc_no" in type.requires
        assert "ccc_certificate" in {
            rule.name for rule in PACK.documents_of({"kind": kind, "ccc_no": "2023011107123456"})
        }


@pytest.mark.parametrize(
    ("attribute", "text", "kept"),
    [
        ("oe_numbers", "5k0 698 151 a；06K115562", "5K0 698 151 A;06K115562"),
        ("tyre_size", "205/55 R16 91v", "205/55R16 91V"),
        ("energy", "插混", "phev"),
        ("emission", "国VI", "cn6a"),
        ("brand", "ＶＷ", "volkswagen"),
        ("kind", "二手SUV", "used_suv"),
        ("dot_week", "1526", "1526"),
        ("first_registered_on", "2021年3月5日", "2021-03-05"),
        ("mileage_km", "38600", "38600"),
        ("viscosity", "5W-30", "5W-30"),
    ],
)
def test_traders_may_write_as_they_do(attribute: str, text: str, kept: str) -> None:
    assert PACK.check(PACK.by_name[attribute], text) == kept


@pytest.mark.parametrize(
    ("attribute", "text"),
    [
        ("dot_week", "5426"),
        ("mileage_km", "-1"),
        ("mileage_km", "3.5万"),
        ("tyre_size", "大号"),
        ("emission", "国九"),
        ("ccc_no", "123"),
        ("plate", "津O12345"),
        ("battery_health", "101"),
        ("viscosity", "thin"),
        ("first_registered_on", "2021-13-05"),
    ],
)
def test_what_is_wrong_is_refused(attribute: str, text: str) -> None:
    with pytest.raises(ValueError):
        PACK.check(PACK.by_name[attribute], text)


def test_used_vehicles_are_auctioned_and_parts_sold_by_the_cart() -> None:
    modes = {mode.mode: mode for mode in PACK.modes}
    assert "used_car" in modes["english_auction"].types and "part" in modes["cart"].types
    assert sum(stage.percent for stage in modes["tender"].stages) == 100
    assert PACK.is_moderated(USED) and not PACK.is_moderated(NEW)


def test_the_agreement_speaks_of_title_and_condition() -> None:
    headings = [clause.heading["en"] for clause in PACK.clauses]
    assert {"Condition and disclosure", "Title and papers", "Warranty and recall"} <= set(headings)
    title = next(clause for clause in PACK.clauses if clause.heading["en"] == "Title and papers")
    assert "escrow is not" in title.text["en"] and "托管款项不予支付" in title.text["zh"]
