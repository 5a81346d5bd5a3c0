"""Checks of numbers of permits and registrations of China: farm inputs, trade in medicines and chemicals, travel, equipment."""

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
    read_shape,
    squeeze,
)
from services.catalog.markets.words import Bilingual

_pesticide = re.compile(r"(?:PD|WP|LS|EX|WL)(?:[0-9]{5,8})(?:F[0-9]{6})?(?:-[0-9]{1,3})?")
_variety = re.compile(
    rf"(国|[{PROVINCE_SIGNS}])审(稻|麦|玉|棉|豆|大豆|油)(?:20[0-9]{{2}})([0-9]{{3,5}})"
    r"|GPD([一-鿿]{2,4})\((20[0-9]{2})\)([0-9]{6})"
)
_fertilizer = re.compile(rf"([{PROVINCE_SIGNS}]?)(农肥|微生物肥)\((20[0-9]{{2}})\)(准|临)字([0-9]{{3,6}})号?")
_gsp = re.compile(rf"([{PROVINCE_SIGNS}]?)[A-C][A-D][0-9]{{7}}")
_precursor = re.compile(rf"\(?([{PROVINCE_SIGNS}])\)?([123])([JSG])([0-9]{{11,14}})")
_chemical_permit = re.compile(
    rf"\(?([{PROVINCE_SIGNS}])\)?[一-鿿]{{0,6}}危化(经|生|使|安经|安许)[一-鿿]{{0,4}}字?\[?(20[0-9]{{2}})\]?([0-9]{{4,8}})号?"
)
_travel = re.compile(r"L-([A-Z]{2,3})-(?:CJ|GN|BJ|JW)?([0-9]{5})")


def check_pesticide(text: str) -> str:
    """A pesticide's registration: PD20081234."""
    return read_shape(squeeze(text, " "), _pesticide, "is not written as PD20081234", "格式应如PD20081234")


def make_pesticide(random: Random) -> str:
    """A registration for fields."""
    return f"PD{pick_year(random, 2008, 2024)}{random.randint(1, 2999):04}"


def check_variety(text: str) -> str:
    """A crop variety's approval (国审玉20180070) or registration (GPD花生(2018)370123)."""
    return read_shape(
        squeeze(text, " -").removesuffix("号"),
        _variety,
        "is not written as 国审玉20180070 or GPD花生(2018)370123",
        "格式应如国审玉20180070或GPD花生(2018)370123",
    )


def make_variety(random: Random) -> str:
    """A variety of maize, rice, wheat or soya."""
    return f"{random.choice('国津鲁豫冀')}审{random.choice('玉稻麦豆')}{pick_year(random, 2014, 2024)}{random.randint(1, 400):04}"


def check_fertilizer(text: str) -> str:
    """A fertilizer's registration: 农肥(2018)准字12345号."""
    number = squeeze(text, " -").replace("[", "(").replace("]", ")").removesuffix("号")
    return (
        read_shape(number, _fertilizer, "is not written as 农肥(2018)准字12345号", "格式应如农肥(2018)准字12345号")
        + "号"
    )


def make_fertilizer(random: Random) -> str:
    """A registration of the ministry."""
    return f"{random.choice(('农肥', '微生物肥'))}({pick_year(random, 2014, 2024)})准字{random.randint(1, 19999):05}号"


def check_gsp(text: str) -> str:
    """A medicine trader's licence of China: AA0220001, a province may stand before it."""
    return read_shape(squeeze(text), _gsp, "is not written as 津AA0220001", "格式应如津AA0220001")


def make_gsp(random: Random) -> str:
    """A wholesaler's licence."""
    return f"{random.choice('津京沪鲁苏浙粤')}AA{random.choice(('022', '010', '021', '531', '025'))}{random.randint(1, 9999):04}"


def check_precursor(text: str) -> str:
    """The number of a permit or record for precursors: province, category 1 to 3, S, J or G, digits: (津)3J12011600123."""
    found = _precursor.fullmatch(squeeze(text, " -").replace("[", "(").replace("]", ")"))
    if found is None:
        raise CheckFailed("is not written as (津)3J12011600123", "格式应如(津)3J12011600123")
    return f"({found[1]}){found[2]}{found[3]}{found[4]}"


def make_precursor(random: Random) -> str:
    """A record of a trader of category 3."""
    return (
        f"({random.choice('津鲁苏浙沪')})3J{random.choice(('120116', '370200', '320500'))}{random.randint(1, 99999):05}"
    )


def check_chemical_permit(text: str) -> str:
    """The number of a permit for hazardous chemicals: 津危化经字[2022]000123."""
    number = squeeze(text, " -").replace("〔", "[").replace("〕", "]").replace("(20", "[20").removesuffix("号")
    number = re.sub(r"\[(20[0-9]{2})\)", r"[\1]", number)
    return read_shape(
        number, _chemical_permit, "is not written as 津危化经字[2022]000123", "格式应如津危化经字[2022]000123"
    )


def make_chemical_permit(random: Random) -> str:
    """A trader's permit."""
    return f"{random.choice('津鲁苏浙沪冀')}危化经字[{pick_year(random, 2020, 2025)}]{random.randint(1, 999999):06}"


def check_travel_licence(text: str) -> str:
    """A travel agency's licence of China: L-TJ-00123, with CJ for those that may send people abroad."""
    return read_shape(
        squeeze(text, " "), _travel, "is not written as L-TJ-00123 or L-TJ-CJ00123", "格式应如L-TJ-00123或L-TJ-CJ00123"
    )


def make_travel_licence(random: Random) -> str:
    """An agency of one of five places."""
    return (
        f"L-{random.choice(('TJ', 'BJ', 'SH', 'YN', 'HAN'))}-{random.choice(('', 'CJ'))}{random.randint(1, 99999):05}"
    )


def check_special_equipment(text: str) -> str:
    """A licence for special equipment (pressure vessels, cranes): TS, class, year of its end: TS2210123-2027."""
    pattern = re.compile(r"TS[1-9][0-9A-Z]{5,8}-20[0-9]{2}")
    return read_shape(squeeze(text, " "), pattern, "is not written as TS2210123-2027", "格式应如TS2210123-2027")


def make_special_equipment(random: Random) -> str:
    """A maker's licence."""
    kind = random.choice("247") + pick(random, DIGITS + "A", 1)
    return f"TS2{kind}{pick(random, DIGITS, 4)}-{random.randint(2027, 2030)}"


CHECKS = (
    Check(
        name="pesticide_registration",
        label=Bilingual("农药登记证号", "Pesticide registration"),
        source="Provisions for pesticide registration (2017), article 34",
        check=check_pesticide,
        make=make_pesticide,
    ),
    Check(
        name="variety_approval",
        label=Bilingual("品种审定/登记编号", "Variety approval"),
        source="Provisions for approval of main crop varieties (2016); provisions for registration of other crops (2017)",
        check=check_variety,
        make=make_variety,
    ),
    Check(
        name="fertilizer_registration",
        label=Bilingual("肥料登记证号", "Fertilizer registration"),
        source="Provisions for fertilizer registration (2000)",
        check=check_fertilizer,
        make=make_fertilizer,
    ),
    Check(
        name="gsp_licence",
        label=Bilingual("药品经营许可证号", "Drug distribution licence"),
        source="Numbering of licences for drug distribution, NMPA",
        check=check_gsp,
        make=make_gsp,
    ),
    Check(
        name="precursor_permit",
        label=Bilingual("易制毒化学品许可/备案编号", "Precursor permit"),
        source="Measures for precursors other than medicines (2006, order 5)",
        check=check_precursor,
        make=make_precursor,
    ),
    Check(
        name="chemical_permit",
        label=Bilingual("危险化学品许可证编号", "Hazardous chemicals permit"),
        source="Measures for permits to trade hazardous chemicals (2012, order 55)",
        check=check_chemical_permit,
        make=make_chemical_permit,
    ),
    Check(
        name="travel_licence",
        label=Bilingual("旅行社业务经营许可证号", "Travel agency licence"),
        source="Rules for the implementation of the travel agency regulations, annexes",
        check=check_travel_licence,
        make=make_travel_licence,
    ),
    Check(
        name="special_equipment_licence",
        label=Bilingual("特种设备生产许可证号", "Special equipment licence"),
        source="TSG 07-2019",
        check=check_special_equipment,
        make=make_special_equipment,
    ),
)
