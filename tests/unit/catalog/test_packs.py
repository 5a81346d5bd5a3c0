"""Market packs: the one that is shipped is right, and a mistake is refused with file, key and reason."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from chassis.units import UNITS
from chassis.values import Quantity
from events.orders import WeighingRule
from services.catalog.markets.clauses import PLACEHOLDERS
from services.catalog.markets.loader import FOLDER, PackError, load_packs, read_pack

STEEL = (FOLDER / "steel.toml").read_text()


def test_the_steel_pack() -> None:
    pack = load_packs()["steel"]
    terms, periods = pack.terms, pack.terms.periods
    assert (terms.currency.default, terms.price_unit.default, terms.weight_unit) == ("CNY", "TNE", "KGM")
    assert (str(terms.tolerance.default), str(terms.default_tax_rate)) == ("0.003", "0.13")
    assert (str(terms.buyer_deposit_percent.most), str(pack.fees.fee_rate)) == ("20", "0.001")
    assert terms.weighing_rule.default == "WITHIN_TOL_SELLER_ELSE_BUYER"
    assert (periods.deposit.default, periods.deposit.least) == (timedelta(minutes=30), timedelta(seconds=1))
    assert [choice.code for choice in pack.choices["certificates"]] == ["2.1", "2.2", "3.1", "3.2"]
    assert Quantity.zero("TNE").to("KGM") == Quantity.zero("KGM") and UNITS["TNE"].factor == pack.conversions[0].factor


def test_every_heading_of_the_pack_reads_as_its_column_in_both_languages() -> None:
    pack = load_packs()["steel"]
    for attribute in pack.attributes:
        assert pack.by_heading["".join(sign for sign in attribute.label.zh.lower() if sign.isalnum())] == attribute.name
        assert pack.by_heading["".join(sign for sign in attribute.label.en.lower() if sign.isalnum())] == attribute.name


@pytest.mark.parametrize(
    ("before", "after", "key", "reason"),
    [
        ('market = "steel"', "", "", "Object missing required field `market`"),
        ('market = "steel"', 'market = "Steel!"',
         "market", "Expected `str` matching regex '^[a-z][a-z0-9_]*$'"),
        ("[fees]", "[fees]\nfee_rat = '0.1'", "fees.fee_rat", "there is no such key"),
        ('default = "0.003"', 'default = "0.3"', "terms.tolerance.default", "is not between least and most"),
        ('default = "0.003"', "default = 0.003",
         "terms.tolerance.default", "Expected `str` that is a decimal, got `float`"),
        ('default = "0.003"', 'default = "3e-3"',
         "terms.tolerance.default", "Expected a decimal in plain digits, at most 12 before and 6 after the point"),
        ('least = "PT1S"\ndefault = "PT30M"', 'least = "PT0S"\ndefault = "PT30M"',
         "terms.periods.deposit.least", "is less than 0:00:01"),
        ('default_tax_rate = "0.13"', 'default_tax_rate = "0.14"',
         "terms.default_tax_rate", "is not one of tax_rates"),
        ('"0.06", "0"]', '"1.06", "0"]',
         "terms.tax_rates", "a rate is a fraction of at least 0 and less than 1"),
        ('default = "CNY"', 'default = "EUR"', "terms.currency.default", "'EUR' is not one of those allowed"),
        ('allowed = ["CNY"]\ndefault = "CNY"', 'allowed = ["XAU"]\ndefault = "XAU"',
         "terms.currency.allowed", "'XAU' is not known"),
        ('allowed = ["LABEL", ', 'allowed = ["GUESS", "LABEL", ',
         "terms.weighing_rule.allowed",
         f"'GUESS' is not one of {', '.join(get_args(WeighingRule))}"),
        ('factor = "1000"', 'factor = "907.18"', "conversions[0].factor", "one TNE is 1000 KGM"),
        ('into = "KGM"', 'into = "MTR"', "conversions[0]", "TNE does not convert into MTR"),
        ('["TNE", "KGM"]', '["TNE", "H87"]', "terms.price_unit.allowed", "no conversion leads from H87 to KGM"),
        ('"tag", "RFID"', '"tag", "Coil No."',
         "columns.epc.headings", "'Coil No.' is a heading of columns.number already"),
        ('choices = "kinds"', 'choices = "sorts"', "attributes[0].choices", "there is no list 'sorts' (kind)"),
        ('code = "cold_rolled_coil"', 'code = "hot_rolled_coil"', "choices.kinds", "a code stands twice"),
        ('"冷卷", "CRC"', '"热卷", "CRC"', "choices.kinds[2]", "'热卷' is hot_rolled_coil already"),
        ("[A-Za-z0-9+/.() -]{0,29}'\nrequired = true", "[A-Za-z0-9+/.() -'\nrequired = true",
         "attributes[1].pattern", "is not a regular expression: unterminated character set at position 11 (grade)"),
        ('filter = "thickness"', 'filter = "grade"', "attributes[1].filter", "'grade' stands twice (grade)"),
        ('zh = "{kind} {grade}', 'zh = "{kind} {colour}', "title.zh", "there is no attribute 'colour'"),
        ("{length_mm|C} {coating|}", "{length_mm} {coating|}",
         "types[0].title.zh", "'length_mm' may be missing: write {length_mm|} with what stands there then"),
        ('requires = ["section"]', 'requires = ["shape"]', "types[4].requires", "there is no attribute 'shape'"),
        ('codes = ["rebar"]', 'codes = ["rebars"]', "types[2].codes", "'rebars' is not one of kinds"),
        ('codes = ["rebar"]', 'codes = ["heavy_plate"]',
         "types[2].codes", "'heavy_plate' is of the type 'plate' already"),
        ('name = "wire"', 'name = "bar"', "types", "a name stands twice"),
        ('factor = "7850"', 'factor = "0"', "types[1].theoretical.factor", "nothing weighs nothing"),
        ('factor = "7850"', "",
         "types[1].theoretical.factor", "state a factor, or a table and what it is looked up by"),
        ('by = "diameter_mm"', 'by = "grade"', "types[2].theoretical.by", "'grade' is not a number"),
        ('6 = "0.222"', 'six = "0.222"', "types[2].theoretical.table.six", "is not a number in plain digits"),
        ('KGM = ["kg",', 'KGM = ["t", "kg",', "units.TNE", "'t' is KGM already"),
        ('H87 = ["pcs"', 'XYZ = ["pcs"', "units.XYZ", "is not known"),
        ('batch = "heat_no"', 'batch = "grade"', "certificate.batch", "'grade' is not of the type identifier"),
        ("依据挂牌 {offer}", "依据挂牌 {listing}", "clauses[0].text.zh", "there is no placeholder {listing}"),
        ("依据挂牌 {offer}", "依据挂牌 {offer", "clauses[0].text.zh", "a brace stands alone"),
        ("依据挂牌 {offer}", "依据挂牌",
         "clauses[0].text", "does not have the same placeholders in both languages"),
        ('en = "Parties and subject" }', 'fr = "Parties" }',
         "clauses[0].heading", "stands in each of zh, en and in no other language"),
        ('en = "Parties and subject" }', 'en = " " }', "clauses[0].heading.en", "is empty"),
        ('allowed = ["counts", "held"]', 'allowed = ["counts", "kept"]',
         "terms.deposit_use.allowed", "'kept' is not one of counts, held"),
        ('earnest_cap_percent = "20"', 'earnest_cap_percent = "120"',
         "terms.earnest_cap_percent", "is not between 0 and 100 per cent"),
        ('most_dispute_limit = "0.05"', 'most_dispute_limit = "1"',
         "terms.most_dispute_limit", "a rate is a fraction of at least 0 and less than 1"),
        ("[name]", "[name",
         "", "is not TOML in UTF-8: Expected ']' at the end of a table declaration (at line 31, column 6)"),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_with_its_key(before: str, after: str, key: str, reason: str) -> None:
    assert before in STEEL
    with pytest.raises(PackError) as refused:
        read_pack("steel.toml", STEEL.replace(before, after, 1).encode())
    assert (refused.value.file, refused.value.key, refused.value.reason) == ("steel.toml", key, reason)
    assert str(refused.value) == (f"steel.toml: {key}: {reason}" if key else f"steel.toml: {reason}")


def test_a_market_stands_in_one_file(tmp_path: Path) -> None:
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(STEEL)
    with pytest.raises(PackError, match="b.toml: market: another file is the market 'steel' already"):
        load_packs(tmp_path)


def test_titles_and_other_names() -> None:
    pack = load_packs()["steel"]
    plate = {"kind": "heavy_plate", "grade": "Q355B", "thickness_mm": "20", "width_mm": "2000", "length_mm": "8000"}
    assert pack.title_of(plate) == {"zh": "中厚板 Q355B 20*2000*8000", "en": "Heavy plate Q355B 20*2000*8000"}
    rebar = {"kind": "rebar", "grade": "HRB400E", "diameter_mm": "25", "length_mm": "12000", "count": "80"}
    assert pack.title_of(rebar) == {"zh": "螺纹钢 HRB400E Φ25*12000", "en": "Rebar HRB400E Φ25*12000"}
    assert pack.title_of({"kind": "h_section", "grade": "Q355B", "section": "H300*300*10*15"})["en"] == (
        "H section Q355B H300*300*10*15"
    )
    assert pack.other_names(plate) == ["中板", "厚板", "钢板", "plate"]


@pytest.mark.parametrize(
    ("name", "text", "kept"),
    [
        ("kind", "热卷", "hot_rolled_coil"),
        ("kind", " hot  ROLLED coil", "hot_rolled_coil"),
        ("certificate_type", "EN 10204 3.1", "3.1"),
        ("certificate_type", "3.1", "3.1"),
        ("thickness_mm", "5.50", "5.5"),
        ("thickness_mm", "20", "20"),
        ("thickness_mm", "100.000", "100"),
        ("heat_no", "0012", "0012"),
        ("heat_no", "12E5", "12E5"),
        ("quality", "一级", "prime"),
        ("quality", "二级品", "secondary"),
        ("standard", "GB/T 3274-2017", "GB/T 3274-2017"),
        ("standard", "GB/T1499.2—2018", "GB/T1499.2—2018"),
        ("standard", "GB 6479", "GB 6479"),
        ("standard", "EN 10025-2:2019", "EN 10025-2:2019"),
        ("standard", "DIN EN 10130", "DIN EN 10130"),
        ("standard", "ASTM A572/A572M-21e1", "ASTM A572/A572M-21e1"),
        ("standard", "JIS G3101:2020", "JIS G3101:2020"),
        ("standard", "Q/BQB 301-2018", "Q/BQB 301-2018"),
    ],
)
def test_what_is_kept_of_a_text(name: str, text: str, kept: str) -> None:
    pack = load_packs()["steel"]
    assert pack.check(pack.by_name[name], text.strip()) == kept


@pytest.mark.parametrize("text", ["Q235B", "GBT 3274", "3274", "EN10025", "as agreed", "GB/T 3274 (old)"])
def test_a_standard_is_written_with_its_body(text: str) -> None:
    pack = load_packs()["steel"]
    with pytest.raises(ValueError, match="^is not written as one of: GB/T, YB/T, Q/, EN, ISO, ASTM, JIS, API, GOST$"):
        pack.check(pack.by_name["standard"], text)


def test_every_kind_of_steel_has_a_form() -> None:
    pack = load_packs()["steel"]
    formed = [code for form in pack.types for code in form.codes]
    assert sorted(formed) == sorted(choice.code for choice in pack.choices["kinds"])


def test_the_agreement_uses_every_placeholder_that_there_is() -> None:
    clauses = load_packs()["steel"].clauses
    used = {name for clause in clauses for name in PLACEHOLDERS if f"{{{name}}}" in clause.text["en"]}
    assert used == PLACEHOLDERS and len(clauses) == 15
