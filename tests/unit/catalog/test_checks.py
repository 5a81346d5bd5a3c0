"""What each named check keeps, and what it refuses and why."""

from __future__ import annotations

from random import Random

import pytest

from services.catalog.markets.checks import CHECKS, CheckFailed

# As a seller may write it, and what is kept.
RIGHT = [
    ("uscc", " 91110000600037341l ", "91110000600037341L"),
    ("uscc", "９１１１００００６０００３７３４１Ｌ", "91110000600037341L"),
    ("eu_vat", "DE 136.695 976", "DE136695976"),
    ("lei", "2138 00KU D8LA JWSQ 9D15", "213800KUD8LAJWSQ9D15"),
    ("iban", "de89 3704 0044 0532 0130 00", "DE89370400440532013000"),
    ("bic", "deutdeff500", "DEUTDEFF500"),
    ("vin", "1m8gdm9axkp042788", "1M8GDM9AXKP042788"),
    ("vin", "*1M8GDM9A XKP042788*", "1M8GDM9AXKP042788"),
    ("vin", "LSGJA52U3JS000003", "LSGJA52U3JS000003"),
    ("vin", "WVWZZZ1KZAW000001", "WVWZZZ1KZAW000001"),
    ("vin", "JTDBR32E100000000", "JTDBR32E100000000"),
    ("plate_cn", "津A·12345", "津A12345"),
    ("plate_cn", "京ad 12345", "京AD12345"),
    ("plate_cn", "沪A12345D", "沪A12345D"),
    ("plate_cn", "冀B1234挂", "冀B1234挂"),
    ("oe_number", "5k0  698 151 a", "5K0 698 151 A"),
    ("oe_number", "04465-02220", "04465-02220"),
    ("tyre_size", "205/55 r16 91v", "205/55R16 91V"),
    ("tyre_size", "315/80R22.5 156/150L", "315/80R22.5 156/150L"),
    ("tyre_size", "LT265/70R17", "LT265/70R17"),
    ("eu_type_approval", "E1*2018/858*00123*02", "e1*2018/858*00123*02"),
    ("eu_type_approval", "e13*2007/46*1234*05", "e13*2007/46*1234*05"),
    ("ecall", "e1*2015/758*2017/79*00001*00", "e1*2015/758*2017/79*00001*00"),
    ("vehicle_model_cn", "svw7142asv", "SVW7142ASV"),
    ("ccc_certificate", "2023 0111 0712 3456", "2023011107123456"),
    ("cas", "64-17-5", "64-17-5"),
    ("cas", "CAS: 64175", "64-17-5"),
    ("cas", "CAS No. 7732—18—5", "7732-18-5"),
    ("ec_number", "EC 200-578-6", "200-578-6"),
    ("ec_number", "2005786", "200-578-6"),
    ("reach_number", "01-2119457610-43", "01-2119457610-43"),
    ("un_number", "1203", "UN1203"),
    ("un_number", "un no. 1203", "UN1203"),
    ("un_number", "ＵＮ－０００４", "UN0004"),
    ("hazard_class", "class 6.1", "6.1"),
    ("hazard_class", "第3类", "3"),
    ("hazard_class", "1.1d", "1.1D"),
    ("ghs_statement", "h225", "H225"),
    ("ghs_statement", "P305 + P351 + P338", "P305+P351+P338"),
    ("gtin", "6901234567892", "6901234567892"),
    ("gtin", "0 36000 29145 2", "036000291452"),
    ("gtin14", "6901234567892", "06901234567892"),
    ("gtin14", "96385074", "00000096385074"),
    ("sscc", "(00)106141412345678908", "106141412345678908"),
    ("gln", "4006381333931", "4006381333931"),
    ("isbn", "ISBN 0-306-40615-2", "9780306406157"),
    ("issn", "ISSN 03785955", "0378-5955"),
    ("imei", "49-015420-323751-8", "490154203237518"),
    ("udi_di", "(01)06901234567892", "06901234567892"),
    ("udi_di", "6901234567892", "06901234567892"),
    ("udi_di", "MA.156.M0.100248.AB1", "MA.156.M0.100248.AB1"),
    ("udi_di", "+A99912345007", "A99912345007"),
    ("batch", " B2603-15a ", "B2603-15a"),
    ("batch", "２６０３１５", "260315"),
    ("serial", "SN26AB12", "SN26AB12"),
    ("iso6346", "csqu 305438-3", "CSQU3054383"),
    ("container_type", "22g1", "22G1"),
    ("imo", "IMO 9074729", "9074729"),
    ("mmsi", "412 345 678", "412345678"),
    ("scac", "cosu", "COSU"),
    ("locode", "cn txg", "CNTXG"),
    ("iata_airport", "tsn", "TSN"),
    ("iata_airline", "9c", "9C"),
    ("flight_no", "CA 0985", "CA985"),
    ("awb", "12512345675", "125-12345675"),
    ("bill_of_lading", "COSU 6123456780", "COSU6123456780"),
    ("road_permit", "津交运管许可字120116000123号", "120116000123"),
    ("heat_no", "26 a1234", "26A1234"),
    ("coil_no", "h26-00123/1", "H26-00123/1"),
    ("drawing_no", "gk12.03.001", "GK12.03.001"),
    ("tender_no", "0613-264022（01）", "0613-264022(01)"),
    ("warehouse_receipt_no", "wr-tj-2026-000123", "WR-TJ-2026-000123"),
    ("hs_code", "7208.37.00 90", "7208370090"),
    ("unspsc", "30-10-22-00", "30102200"),
    ("uuid", "{6F9619FF-8B86-D011-B42D-00CF4FC964FF}", "6f9619ff-8b86-d011-b42d-00cf4fc964ff"),
    ("drug_approval", "国药准字 h20051234", "国药准字H20051234"),
    ("drug_approval", "国药准字Z12020025号", "国药准字Z12020025"),
    ("drug_approval", "进口药品注册证号H20140567", "H20140567"),
    ("device_approval", "国械注准20193140123", "国械注准20193140123"),
    ("device_approval", "津械注准20212070056号", "津械注准20212070056"),
    ("device_approval", "津械备20200123", "津械备20200123"),
    ("health_food_approval", "国食健注 G20190123", "国食健注G20190123"),
    ("health_food_approval", "食健备G202037000123", "食健备G202037000123"),
    ("cosmetic_approval", "国妆特字20210123", "国妆特字20210123"),
    ("cosmetic_approval", "粤G妆网备字2021012345", "粤G妆网备字2021012345"),
    ("drug_trace_code", "8100 0000 0000 0000 0001", "81000000000000000001"),
    ("atc", "a10ba02", "A10BA02"),
    ("pesticide_registration", "pd20081234", "PD20081234"),
    ("variety_approval", "国审玉20180070", "国审玉20180070"),
    ("variety_approval", "GPD花生（2018）370123", "GPD花生(2018)370123"),
    ("fertilizer_registration", "农肥（2018）准字12345号", "农肥(2018)准字12345号"),
    ("gsp_licence", "津aa0220001", "津AA0220001"),
    ("precursor_permit", "（津）3J12011600123", "(津)3J12011600123"),
    ("chemical_permit", "津危化经字〔2022〕000123号", "津危化经字[2022]000123"),
    ("travel_licence", "l-tj-cj00123", "L-TJ-CJ00123"),
    ("special_equipment_licence", "ts2210123-2027", "TS2210123-2027"),
]

# What is wrong, and a part of the reason that people read.
WRONG = [
    ("uscc", "91110000600037341M", "wrong check digit"),
    ("uscc", "9111000060003734", "wrong length"),
    ("eu_vat", "DE136695977", "wrong"),
    ("lei", "213800KUD8LAJWSQ9D16", "wrong check digit"),
    ("iban", "DE89370400440532013001", "wrong check digit"),
    ("bic", "DEUT", "wrong"),
    ("vin", "1M8GDM9A0KP042788", "check digit 0, which should be X"),
    ("vin", "LSGJA52U1JS000003", "check digit 1, which should be 3"),
    ("vin", "HSGJA52U1JS000003", "check digit"),
    ("vin", "WVWZZZ1KZAW00000", "16 signs, not 17"),
    ("vin", "WVWZZZ1KZAWO00001", "'O', which no VIN has"),
    ("vin", "0VWZZZ1KZAW000001", "begins with 0"),
    ("plate_cn", "津I12345", "is not a plate"),
    ("plate_cn", "A12345", "is not a plate"),
    ("oe_number", "ABC", "is not a part number"),
    ("oe_number", "5K0;698", "is not a part number"),
    ("tyre_size", "205-55-16", "is not a size"),
    ("eu_type_approval", "1*2018/858*00123*02", "is not written"),
    ("ecall", "e1*2018/858*00123*02", "2015/758"),
    ("vehicle_model_cn", "帕萨特", "is not a model"),
    ("ccc_certificate", "1999011107123456", "16 digits"),
    ("cas", "64-17-6", "wrong check digit"),
    ("cas", "ethanol", "wrong"),
    ("ec_number", "200-578-7", "wrong check digit"),
    ("ec_number", "100-578-6", "inventory"),
    ("reach_number", "2119457610-43", "is not written"),
    ("un_number", "9999", "not in the list"),
    ("un_number", "12O3", "other than digits"),
    ("un_number", "120", "3 digits, not 4"),
    ("hazard_class", "10", "no class"),
    ("hazard_class", "3.4", "no class"),
    ("ghs_statement", "H999", "no hazard"),
    ("ghs_statement", "P305+P999", "no hazard"),
    ("gtin", "6901234567893", "should be 2"),
    ("gtin", "690123456789", "should be"),
    ("gtin", "2012345678903", "inside a shop"),
    ("gtin14", "69012345678", "11 digits"),
    ("sscc", "106141412345678909", "should be 8"),
    ("gln", "4006381333932", "should be 1"),
    ("isbn", "0-306-40615-3", "wrong check digit"),
    ("issn", "0378-5956", "wrong check digit"),
    ("imei", "490154203237519", "wrong check digit"),
    ("udi_di", "6901234567893", "should be 2"),
    ("udi_di", "MA.1.X", "MA.156"),
    ("udi_di", "A99912345006", "wrong check sign"),
    ("batch", "123456789012345678901", "longer than 20"),
    ("batch", "B 12", "signs that no batch has"),
    ("serial", "SN#", "signs that no batch has"),
    ("iso6346", "CSQU3054384", "wrong check digit"),
    ("iso6346", "CSQU305438", "10 signs, not 11"),
    ("container_type", "22XX", "ISO 6346"),
    ("imo", "9074728", "wrong check digit"),
    ("mmsi", "812345678", "begin with 2 to 7"),
    ("scac", "C0SU", "two to four letters"),
    ("locode", "ZZTXG", "no country"),
    ("locode", "CNTX", "such as CNTXG"),
    ("iata_airport", "TS", "three letters"),
    ("iata_airline", "99", "two signs"),
    ("flight_no", "985", "such as CA985"),
    ("awb", "125-12345676", "wrong check digit"),
    ("bill_of_lading", "COSU", "5 to 20"),
    ("road_permit", "12011600012", "twelve digits"),
    ("heat_no", "ABC", "with a digit"),
    ("coil_no", "卷一", "with a digit"),
    ("drawing_no", "-", "with a digit"),
    ("tender_no", "招标", "with a digit"),
    ("warehouse_receipt_no", "12", "6 to 30"),
    ("hs_code", "7708.37", "chapter 77"),
    ("hs_code", "72083", "5 digits"),
    ("unspsc", "99102200", "segment 99"),
    ("unspsc", "30002200", "below one that is 00"),
    ("uuid", "6F9619FF", "not a UUID"),
    ("drug_approval", "国药准字H2005123", "is not written"),
    ("drug_approval", "国药准字X20051234", "is not written"),
    ("drug_approval", "国药准字H99051234", "origin"),
    ("device_approval", "津械注准20193140123", "class 3"),
    ("device_approval", "国械注准20191140123", "class 1"),
    ("device_approval", "20193140123", "is not written"),
    ("health_food_approval", "国食健字20190123", "is not written"),
    ("cosmetic_approval", "妆20210123", "is not written"),
    ("food_licence", "SC10612011600000", "check digit"),
    ("food_licence", "SC10699011600005", "no province"),
    ("drug_trace_code", "81000", "5 digits, not 20"),
    ("atc", "Z10BA02", "such as A10BA02"),
    ("pesticide_registration", "20081234", "is not written"),
    ("variety_approval", "玉20180070", "is not written"),
    ("fertilizer_registration", "农肥12345", "is not written"),
    ("gsp_licence", "津0220001", "is not written"),
    ("precursor_permit", "津9J12011600123", "is not written"),
    ("chemical_permit", "津经字2022", "is not written"),
    ("travel_licence", "TJ00123", "is not written"),
    ("special_equipment_licence", "2210123", "is not written"),
]


@pytest.mark.parametrize(("name", "text", "kept"), RIGHT)
def test_a_right_value_is_kept_in_one_form(name: str, text: str, kept: str) -> None:
    check = CHECKS[name].check
    assert check(text) == kept
    assert check(kept) == kept


@pytest.mark.parametrize(("name", "text", "reason"), WRONG)
def test_a_wrong_value_is_refused_with_its_reason_in_both_languages(name: str, text: str, reason: str) -> None:
    with pytest.raises(CheckFailed) as refused:
        CHECKS[name].check(text)
    assert reason in str(refused.value) and str(refused.value) == refused.value.en
    assert any("一" <= sign <= "鿿" for sign in refused.value.zh)


@pytest.mark.parametrize("name", CHECKS)
def test_samples_pass_their_own_check_as_they_stand(name: str) -> None:
    check, random = CHECKS[name], Random(7)
    made = [check.make(random) for _ in range(200)]
    assert [check.check(value) for value in made] == made
    again = Random(7)
    assert [check.make(again) for _ in range(200)] == made


@pytest.mark.parametrize(
    "text", ["", " ", "-", "＝", "\x00", "💥" * 30, "0" * 500, "A" * 500, "国药准字", "'; drop table"]
)
@pytest.mark.parametrize("name", CHECKS)
def test_no_check_falls_over_hostile_values(name: str, text: str) -> None:
    try:
        kept = CHECKS[name].check(text)
    except CheckFailed:
        return
    assert CHECKS[name].check(kept) == kept


def test_every_check_has_a_right_value_a_wrong_one_a_label_and_a_source() -> None:
    tried = {name for name, *_ in RIGHT} | {"food_licence"}
    assert set(CHECKS) == tried == {name for name, *_ in WRONG}
    assert all(
        check.name == name and check.source and check.label.zh and check.label.en for name, check in CHECKS.items()
    )


def test_a_vins_check_digit_binds_in_north_america_and_china_only() -> None:
    right = CHECKS["vin"].make(Random(3))
    wrong = right[:8] + ("0" if right[8] != "0" else "1") + right[9:]
    with pytest.raises(CheckFailed):
        CHECKS["vin"].check(wrong)
    for region in "JKSTVWXYZ69":
        assert CHECKS["vin"].check(region + wrong[1:]) == region + wrong[1:]


@pytest.mark.parametrize("name", ["vin", "cas", "gtin", "sscc", "imo", "uscc", "lei", "iban", "isbn", "ec_number"])
def test_one_wrong_digit_is_always_seen(name: str) -> None:
    """A check digit sees every single wrong digit: here of ten values each, at every place."""
    check, random = CHECKS[name], Random(11)
    for value in (check.make(random) for _ in range(10)):
        for place, sign in enumerate(value):
            if sign.isdecimal():
                with pytest.raises(CheckFailed):
                    check.check(value[:place] + str((int(sign) + 1) % 10) + value[place + 1 :])
