"""Checks of what names vehicles and their parts: VIN, plates, part numbers, tyres, approvals."""

from __future__ import annotations

import re
from random import Random

from services.catalog.markets.checks.check import (
    CAPITALS,
    DIGITS,
    PROVINCE_SIGNS,
    Check,
    CheckFailed,
    fold,
    pick,
    read_shape,
    squeeze,
)
from services.catalog.markets.words import Bilingual

_VIN_SIGNS = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"
# ISO 3780 gives 1 to 5 to North America and L and H to China; 49 CFR 565.15 and GB 16735 make the ninth sign a check digit.
_CHECK_DIGIT_BINDS = frozenset("12345LH")
_VIN_VALUES = dict(
    zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", (*range(10), *range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True)
)
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_YEAR_SIGNS = "123456789ABCDEFGHJKLMNPRSTVWXY"
_MAKERS = ("LSV", "LFV", "LSG", "LVG", "LGB", "LGX", "LFP", "LBV", "LE4", "LRW", "LB3", "LGW")
_PLATE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_plate = re.compile(
    rf"[{PROVINCE_SIGNS}][A-HJ-NP-Z](?:[A-HJ-NP-Z0-9]{{5}}|[A-HJ-NP-Z0-9]{{4}}[挂学警港澳领]"
    r"|[A-HJK][A-HJ-NP-Z0-9][0-9]{4}|[0-9]{5}[A-HJK])"
)
_part_no = re.compile(r"(?=.*[0-9])[A-Z0-9](?:[A-Z0-9./ -]{1,28}[A-Z0-9])")
_tyre = re.compile(
    r"(?:P|LT)?[1-9][0-9]{2}/[2-9][05](?:ZR|R|D|B)[12][0-9](?:\.5)?(?:LT|C)?(?: ?[0-9]{2,3}(?:/[0-9]{2,3})?[A-Z])?"
)
_approval = re.compile(r"E([1-9][0-9]?)\*([0-9/]{5,9})\*([0-9/A-Z]{4,12})\*([0-9]{4,5})\*([0-9]{2})")
_announcement = re.compile(r"[A-Z]{2,3}[1-9][0-9]{3}[A-Z0-9]{0,12}(?:/[A-Z0-9]{1,6})?")
_ccc = re.compile(r"(?:20[0-9]{2})(?:[0-9]{2})(?:1[01]|0[1-9]|2[0-9])[0-9]{8}")


def check_vin(text: str) -> str:
    """A vehicle identification number of 17 signs; its check digit counts where the maker's region asks for one."""
    vin = squeeze(text, " -*")
    if len(vin) != 17:
        raise CheckFailed(f"has {len(vin)} signs, not 17", f"应为17位，实为{len(vin)}位")
    if strangers := set(vin) - _VIN_VALUES.keys():
        sign = min(strangers)
        raise CheckFailed(
            f"has {sign!r}, which no VIN has (nor I, O and Q)",
            f"含有{sign}，车辆识别代号不使用该字符（也不使用 I、O、Q）",
        )
    if vin[0] == "0":
        raise CheckFailed("begins with 0, which is no region's", "首位为0，不属于任何地区")
    if vin[0] in _CHECK_DIGIT_BINDS:
        _check_bound(vin)
    return vin


def _check_bound(vin: str) -> None:
    if (wanted := find_vin_digit(vin)) != vin[8]:
        raise CheckFailed(
            f"has the check digit {vin[8]}, which should be {wanted}", f"第9位校验码为{vin[8]}，应为{wanted}"
        )
    if vin[9] not in _YEAR_SIGNS:
        raise CheckFailed(
            f"has {vin[9]!r} for its model year, which stands for none", f"第10位{vin[9]}不表示任何车型年份"
        )


def find_vin_digit(vin: str) -> str:
    """The check digit of 17 signs: their values by weights modulo 11, ten written X (GB 16735-2019, 49 CFR 565.15)."""
    rest = sum(_VIN_VALUES[sign] * weight for sign, weight in zip(vin, _VIN_WEIGHTS, strict=True)) % 11
    return "X" if rest == 10 else str(rest)


def make_vin(random: Random) -> str:
    """A number of a maker in China with the right check digit and digits at its end."""
    start = random.choice(_MAKERS) + pick(random, _VIN_SIGNS, 5)
    end = random.choice("KLMNPRST") + pick(random, "ABCDEFGHJKLMNPRSTUVWXYZ123456789", 1) + pick(random, DIGITS, 6)
    return start + find_vin_digit(f"{start}0{end}") + end


def check_plate_cn(text: str) -> str:
    """A number plate of mainland China, of cars, trailers and cars driven by new energy."""
    return read_shape(
        squeeze(text, " -·•.・"),
        _plate,
        "is not a plate such as 津A12345 or 津AD12345",
        "不是有效车牌，例如津A12345或津AD12345",
    )


def make_plate_cn(random: Random) -> str:
    """A plate of a car."""
    return (
        random.choice(PROVINCE_SIGNS)
        + random.choice("ABCDEFGH")
        + pick(random, DIGITS + _PLATE_LETTERS, 1)
        + pick(random, DIGITS, 4)
    )


def check_oe_number(text: str) -> str:
    """A maker's part number: capitals, digits and the maker's own separators; runs of spaces count as one."""
    number = " ".join(fold(text).split())
    return read_shape(
        number,
        _part_no,
        "is not a part number: letters, digits, . / - and at least one digit",
        "不是零件号：应为字母、数字及 . / -，且至少含一位数字",
    )


def make_oe_number(random: Random) -> str:
    """A number as the Volkswagen group writes it."""
    group = random.choice(("K0", "Q0", "L0", "N0", "H0"))
    start = pick(random, "123458", 1) + group
    return f"{start} {pick(random, DIGITS, 3)} {pick(random, DIGITS, 3)} {random.choice('ABCDEFG')}"


def check_tyre_size(text: str) -> str:
    """A tyre's size with or without load index and speed: 205/55R16 91V."""
    size = re.sub(r"\s*([/RD])\s*", r"\1", fold(text))
    return read_shape(
        " ".join(size.split()), _tyre, "is not a size such as 205/55R16 91V", "不是轮胎规格，例如205/55R16 91V"
    )


def make_tyre_size(random: Random) -> str:
    """A car's tyre."""
    width, ratio = random.choice((185, 195, 205, 215, 225, 235, 245)), random.choice((45, 50, 55, 60, 65))
    return f"{width}/{ratio}R{random.randint(15, 20)} {random.randint(84, 105)}{random.choice('HVWY')}"


def check_eu_approval(text: str) -> str:
    """A type-approval number of the European Union: e1*2018/858*00123*02 or with an implementing act."""
    number = squeeze(text, " ")
    short = re.fullmatch(r"E([1-9][0-9]?)\*([0-9]{2,4}/[0-9]{2,4})\*([0-9]{4,5})\*([0-9]{2})", number)
    if not short and not _approval.fullmatch(number):
        raise CheckFailed("is not written as e1*2018/858*00123*02", "格式应如 e1*2018/858*00123*02")
    return "e" + number[1:]


def make_eu_approval(random: Random) -> str:
    """An approval of a whole vehicle by one of five states."""
    return f"e{random.choice((1, 2, 3, 6, 13))}*2018/858*{random.randint(1, 999):05}*{random.randint(0, 20):02}"


def check_ecall(text: str) -> str:
    """The type-approval number of an eCall system, which names Regulation (EU) 2015/758."""
    number = check_eu_approval(text)
    if "*2015/758*" not in number:
        raise CheckFailed("does not name Regulation (EU) 2015/758", "未注明法规 (EU) 2015/758")
    return number


def make_ecall(random: Random) -> str:
    """An approval under the act of 2017 on eCall."""
    return f"e{random.choice((1, 2, 3, 6, 13))}*2015/758*2017/79*{random.randint(1, 999):05}*{random.randint(0, 9):02}"


def check_vehicle_model(text: str) -> str:
    """The model of a vehicle as China's announcements of makers and products write it: SVW7142ASV."""
    return read_shape(squeeze(text), _announcement, "is not a model such as SVW7142ASV", "不是公告车型，例如SVW7142ASV")


def make_vehicle_model(random: Random) -> str:
    """A passenger car's model."""
    return (
        random.choice(("SVW", "FV", "SGM", "GAC", "BYD", "CC", "JL"))
        + f"7{random.randint(10, 30)}{random.randint(0, 9)}"
        + pick(random, CAPITALS, 3)
    )


def check_ccc(text: str) -> str:
    """The number of a certificate of China's compulsory certification: 16 digits that begin with the year."""
    return read_shape(
        squeeze(text),
        _ccc,
        "is not a certificate number of 16 digits that begins with its year",
        "不是16位且以年份开头的强制性认证证书编号",
    )


def make_ccc(random: Random) -> str:
    """A certificate of one of the bodies."""
    return f"{random.randint(2015, 2025)}01{random.choice(('07', '09', '10', '11'))}{pick(random, DIGITS, 8)}"


CHECKS = (
    Check(
        name="vin",
        label=Bilingual("车辆识别代号", "VIN"),
        source="ISO 3779, ISO 3780; check digit: GB 16735-2019 and 49 CFR 565.15",
        check=check_vin,
        make=make_vin,
    ),
    Check(
        name="plate_cn",
        label=Bilingual("车牌号", "Number plate (CN)"),
        source="GA 36-2018",
        check=check_plate_cn,
        make=make_plate_cn,
    ),
    Check(
        name="oe_number",
        label=Bilingual("原厂零件号", "OE number"),
        source="The makers' own numbering; no register exists",
        check=check_oe_number,
        make=make_oe_number,
    ),
    Check(
        name="tyre_size",
        label=Bilingual("轮胎规格", "Tyre size"),
        source="GB/T 2978-2014; ISO 4000-1",
        check=check_tyre_size,
        make=make_tyre_size,
    ),
    Check(
        name="eu_type_approval",
        label=Bilingual("欧盟型式批准号", "EU type-approval number"),
        source="Regulation (EU) 2020/683, annex IV",
        check=check_eu_approval,
        make=make_eu_approval,
    ),
    Check(
        name="ecall",
        label=Bilingual("eCall 型式批准号", "eCall type-approval number"),
        source="Regulation (EU) 2015/758",
        check=check_ecall,
        make=make_ecall,
    ),
    Check(
        name="vehicle_model_cn",
        label=Bilingual("公告车型", "Announced model (CN)"),
        source="GB/T 9417; MIIT announcements of road vehicles",
        check=check_vehicle_model,
        make=make_vehicle_model,
    ),
    Check(
        name="ccc_certificate",
        label=Bilingual("强制性产品认证证书编号", "CCC certificate number"),
        source="CNCA rules for compulsory product certification",
        check=check_ccc,
        make=make_ccc,
    ),
)
