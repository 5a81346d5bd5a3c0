"""Checks of numbers that authorities of China give to what people take: medicines, devices, foods, cosmetics."""

from __future__ import annotations

import re
from random import Random

from services.catalog.markets.checks.check import (
    DIGITS,
    PROVINCE_SIGNS,
    Check,
    CheckFailed,
    pick,
    pick_year,
    read_digits,
    read_shape,
    squeeze,
)
from services.catalog.markets.words import Bilingual

# The first two digits of GB/T 2260: provinces on the mainland.
_SPANS = ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65))
_PROVINCES = frozenset(str(code) for least, most in _SPANS for code in range(least, most + 1))
_drug = re.compile(r"国药准字([HZSTFJBC]|[HZS][CJ])([0-9]{8})")
_imported_drug = re.compile(r"(?:进口药品注册证号|医药产品注册证号)?(B?[HZSJ]C?)([0-9]{8})")
_device = re.compile(rf"(国|[{PROVINCE_SIGNS}])械注([准进许])((?:19|20)[0-9]{{2}})([1-3])([0-9]{{2}})([0-9]{{4}})")
_filed_device = re.compile(rf"(国|[{PROVINCE_SIGNS}])[一-鿿]{{0,4}}械备((?:19|20)[0-9]{{6,8}})(?:号)?")
_health_food = re.compile(r"国食健[注字][GJ]((?:19|20)[0-9]{2})([0-9]{4})|食健备[GJ](20[0-9]{2})([0-9]{2})([0-9]{6})")
_cosmetic = re.compile(
    r"国妆特[字进制]?(?:字)?[GJ]?(20[0-9]{2})([0-9]{4,5})"
    rf"|[{PROVINCE_SIGNS}国]G?妆网?备[字进制]?字?(20[0-9]{{2}})([0-9]{{4,6}})"
)
_atc = re.compile(r"[ABCDGHJLMNPRSV](?:[0-9]{2}(?:[A-Z](?:[A-Z](?:[0-9]{2})?)?)?)?")


def check_drug_approval(text: str) -> str:
    """A medicine's approval: 国药准字H20051234, or an import registration H20140567; origin or year stand in the first digits."""
    number = squeeze(text, " -()").replace("GUOYAOZHUNZI", "国药准字").removesuffix("号")
    found = _drug.fullmatch(number) or _imported_drug.fullmatch(number)
    if found is None:
        raise CheckFailed("is not written as 国药准字H20051234", "格式应如国药准字H20051234")
    if found[2][:2] not in _PROVINCES | {"10", "19", "20"}:
        raise CheckFailed(
            f"has {found[2][:2]} for its origin, which is none", f"批准文号前两位{found[2][:2]}无对应来源"
        )
    return number.removeprefix("进口药品注册证号").removeprefix("医药产品注册证号")


def make_drug_approval(random: Random) -> str:
    """A chemical, Chinese or biological medicine approved since 2003."""
    return f"国药准字{random.choice('HHHZS')}{pick_year(random, 2003, 2024)}{random.randint(1, 4999):04}"


def check_device_approval(text: str) -> str:
    """A device's registration (国械注准20193140123, class 2 or 3) or the record of one of class 1 (津械备20200123)."""
    number = squeeze(text, " -").removesuffix("号")
    found = _device.fullmatch(number)
    if found:
        if found[4] == "1":
            raise CheckFailed(
                "is a registration of class 1, which is only recorded", "一类医疗器械为备案管理，没有注册证号"
            )
        if found[4] == "3" and found[1] != "国":
            raise CheckFailed("is of class 3, which only the state registers", "三类医疗器械只能由国家药监局注册")
        return number
    return read_shape(number, _filed_device, "is not written as 国械注准20193140123", "格式应如国械注准20193140123")


def make_device_approval(random: Random) -> str:
    """A device of class 2 or 3."""
    authority, rank = random.choice((("国", 3), ("津", 2), ("沪", 2), ("苏", 2), ("粤", 2)))
    category = random.choice(("14", "07", "22", "40", "21", "09"))
    return f"{authority}械注准{pick_year(random, 2018, 2025)}{rank}{category}{random.randint(1, 2999):04}"


def check_health_food(text: str) -> str:
    """A health food's registration (国食健注G20190123) or record (食健备G202037000123)."""
    return read_shape(
        squeeze(text, " -").removesuffix("号"),
        _health_food,
        "is not written as 国食健注G20190123",
        "格式应如国食健注G20190123",
    )


def make_health_food(random: Random) -> str:
    """A registration or a record."""
    if random.random() < 0.5:
        return f"国食健注G{pick_year(random, 2016, 2025)}{random.randint(1, 999):04}"
    return (
        f"食健备G{pick_year(random, 2017, 2025)}{random.choice(('11', '31', '37', '44'))}{random.randint(1, 9999):06}"
    )


def check_cosmetic(text: str) -> str:
    """A cosmetic's registration (国妆特字20210123) or record (粤G妆网备字2021012345)."""
    return read_shape(
        squeeze(text, " -").removesuffix("号"),
        _cosmetic,
        "is not written as 国妆特字20210123",
        "格式应如国妆特字20210123",
    )


def make_cosmetic(random: Random) -> str:
    """A record of an ordinary cosmetic."""
    return f"{random.choice('粤沪浙苏')}G妆网备字{pick_year(random, 2021, 2025)}{random.randint(1, 99999):06}"


def check_food_licence(text: str) -> str:
    """A food maker's licence: SC and 14 digits, the last a check digit by ISO 7064 MOD 11,10."""
    number = squeeze(text)
    digits = read_digits(number.removeprefix("SC"), 14)
    if digits[0] not in "12" or digits[3:5] not in _PROVINCES:
        raise CheckFailed("names no kind of food or no province", "食品类别或省份代码不存在")
    if digits[13] != _find_iso7064(digits[:13]):
        raise CheckFailed("has a wrong check digit", "校验码不正确")
    return f"SC{digits}"


def _find_iso7064(body: str) -> str:
    product = 10
    for digit in body:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return str((11 - product) % 10)


def make_food_licence(random: Random) -> str:
    """A licence for food of one of five provinces."""
    body = f"1{random.randint(1, 31):02}{random.choice(('12', '31', '37', '44', '33'))}{pick(random, '0123456789', 8)}"
    return f"SC{body}{_find_iso7064(body)}"


def check_trace_code(text: str) -> str:
    """A medicine's traceability code of 20 digits, of which the first seven name the product."""
    return read_digits(squeeze(text), 20)


def make_trace_code(random: Random) -> str:
    """A code that begins with the 8 of the traceability platform in widest use."""
    return "8" + pick(random, DIGITS, 19)


def check_atc(text: str) -> str:
    """A code of the anatomical therapeutic chemical classification at any of its five levels: A10BA02."""
    return read_shape(squeeze(text), _atc, "is not a code such as A10BA02", "不是 ATC 代码，例如A10BA02")


def make_atc(random: Random) -> str:
    """The code of a substance in wide use."""
    return random.choice(
        ("A02BC01", "A10BA02", "B01AC06", "C08CA01", "C10AA05", "J01CA04", "J01DD04", "M01AE01", "N02BE01", "R06AX13")
    )


CHECKS = (
    Check(
        name="drug_approval",
        label=Bilingual("药品批准文号", "Drug approval number"),
        source="Provisions for drug registration (2020), article 123; earlier numbers: SFDA 2002 no. 33",
        check=check_drug_approval,
        make=make_drug_approval,
    ),
    Check(
        name="device_approval",
        label=Bilingual("医疗器械注册证号", "Device registration number"),
        source="Provisions for medical device registration and recording (2021), article 123",
        check=check_device_approval,
        make=make_device_approval,
    ),
    Check(
        name="health_food_approval",
        label=Bilingual("保健食品批准文号", "Health food approval"),
        source="Provisions for health food registration and recording (2016), State Administration for Market Regulation",
        check=check_health_food,
        make=make_health_food,
    ),
    Check(
        name="cosmetic_approval",
        label=Bilingual("化妆品注册备案编号", "Cosmetic registration"),
        source="Provisions for cosmetics registration and recording (2021)",
        check=check_cosmetic,
        make=make_cosmetic,
    ),
    Check(
        name="food_licence",
        label=Bilingual("食品生产许可证编号", "Food production licence"),
        source="Provisions for food production licensing (2020), article 29; check digit GB/T 17710",
        check=check_food_licence,
        make=make_food_licence,
    ),
    Check(
        name="drug_trace_code",
        label=Bilingual("药品追溯码", "Drug traceability code"),
        source="NMPAB/T 1002-2019",
        check=check_trace_code,
        make=make_trace_code,
    ),
    Check(
        name="atc",
        label=Bilingual("ATC 代码", "ATC code"),
        source="WHO Collaborating Centre for Drug Statistics Methodology",
        check=check_atc,
        make=make_atc,
    ),
)
