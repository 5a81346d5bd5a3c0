"""Checks of numbers that makers, mills and customs give to goods: heats, coils, drawings, HS and UNSPSC codes."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from random import Random

from services.catalog.markets.checks.check import (
    CAPITALS,
    DIGITS,
    Check,
    CheckFailed,
    fold,
    pick,
    read_digits,
    read_shape,
    squeeze,
)
from services.catalog.markets.words import Bilingual

_drawing = re.compile(r"(?=.*[0-9])[A-Z0-9](?:[A-Z0-9./_ -]{1,38}[A-Z0-9])")


def _read_numbers(least: int, most: int, signs: str, ends: str = "") -> Callable[[str], str]:
    """What reads numbers of so many capitals and digits, a digit among them, with these signs between them or at the end."""
    middle, last = re.escape(signs + ends), re.escape(ends)
    shape = re.compile(rf"(?=.*[0-9])[A-Z0-9][A-Z0-9{middle}]{{{least - 2},{most - 2}}}[A-Z0-9{last}]")
    shown = " ".join(signs + ends)
    en = f"is not {least} to {most} letters, digits and {shown} with a digit among them"
    zh = f"应为{least}至{most}位字母、数字及 {shown}，且至少含一位数字"
    return lambda text: read_shape(squeeze(text, " "), shape, en, zh)


check_heat_no = _read_numbers(3, 20, "-/")
check_coil_no = _read_numbers(4, 30, "-/._")
check_tender_no = _read_numbers(5, 40, "-/_([", ends=")]")
check_receipt_no = _read_numbers(6, 30, "-")


def make_heat_no(random: Random) -> str:
    """A heat by year, furnace and running number."""
    return f"{random.randint(24, 26)}{random.choice('ABCDEFG')}{random.randint(1, 9)}{pick(random, DIGITS, 4)}"


def make_coil_no(random: Random) -> str:
    """A coil as a rolling mill numbers it."""
    return f"{random.choice('HCGZ')}{random.randint(24, 26)}{pick(random, DIGITS, 8)}"


def check_drawing_no(text: str) -> str:
    """A drawing's number of 3 to 40 signs; runs of spaces count as one."""
    return read_shape(
        " ".join(fold(text).split()),
        _drawing,
        "is not 3 to 40 letters, digits and . / _ - with a digit among them",
        "应为3至40位字母、数字及 . / _ -，且至少含一位数字",
    )


def make_drawing_no(random: Random) -> str:
    """A drawing by product, assembly and part."""
    return f"{pick(random, CAPITALS, 2)}{random.randint(10, 99)}.{random.randint(1, 40):02}.{random.randint(1, 999):03}"


def make_tender_no(random: Random) -> str:
    """A tender as Chinese agents number them: agent, year, project."""
    agent, year = random.randint(610, 779), f"{random.randint(24, 26)}{pick(random, DIGITS, 2)}"
    return f"{agent}-{year}{pick(random, CAPITALS, 2)}{pick(random, DIGITS, 4)}"


def make_receipt_no(random: Random) -> str:
    """A receipt by place, year and running number."""
    return f"WR-{random.choice(('TJ', 'SH', 'QD', 'NB', 'GZ'))}-{random.randint(2024, 2026)}-{pick(random, DIGITS, 6)}"


def check_hs_code(text: str) -> str:
    """A customs code of 4, 6, 8, 10 or 13 digits of a chapter that exists."""
    code = read_digits(squeeze(text, " -."), 4, 6, 8, 10, 13)
    if not 1 <= int(code[:2]) <= 97 or code[:2] == "77":
        raise CheckFailed(f"is of chapter {code[:2]}, which does not exist", f"第{code[:2]}章不存在")
    return code


def make_hs_code(random: Random) -> str:
    """A code of eight digits."""
    return (
        random.choice(("72083700", "72142000", "29051100", "39012000", "87032341", "30049090", "10059000", "26011120"))
        + "00"
    )


def check_unspsc(text: str) -> str:
    """A commodity's code of eight digits of a segment from 10 to 95; behind a level that is 00 nothing follows."""
    code = read_digits(squeeze(text, " -."), 8)
    if not 10 <= int(code[:2]) <= 95:
        raise CheckFailed(f"is of segment {code[:2]}, which does not exist", f"大类{code[:2]}不存在")
    levels = [code[i : i + 2] for i in range(0, 8, 2)]
    if any(levels[i] == "00" and levels[i + 1] != "00" for i in range(3)):
        raise CheckFailed("has a level below one that is 00", "上级为00时下级也应为00")
    return code


def make_unspsc(random: Random) -> str:
    """The code of a commodity."""
    return random.choice(
        ("30102200", "30102400", "12352104", "25101503", "51101500", "11101500", "10171600", "42181501")
    )


def check_uuid(text: str) -> str:
    """A UUID in small letters with its hyphens."""
    try:
        return str(uuid.UUID(fold(text)))
    except ValueError:
        raise CheckFailed("is not a UUID", "不是 UUID") from None


def make_uuid(random: Random) -> str:
    """A random one."""
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


CHECKS = (
    Check(
        name="heat_no",
        label=Bilingual("炉号", "Heat number"),
        source="The mills' own numbering; GB/T 2101 asks for it on the certificate",
        check=check_heat_no,
        make=make_heat_no,
    ),
    Check(
        name="coil_no",
        label=Bilingual("卷号", "Coil number"),
        source="The mills' own numbering",
        check=check_coil_no,
        make=make_coil_no,
    ),
    Check(
        name="drawing_no",
        label=Bilingual("图号", "Drawing number"),
        source="The makers' own numbering (JB/T 5054.4)",
        check=check_drawing_no,
        make=make_drawing_no,
    ),
    Check(
        name="tender_no",
        label=Bilingual("招标编号", "Tender number"),
        source="The agents' own numbering",
        check=check_tender_no,
        make=make_tender_no,
    ),
    Check(
        name="warehouse_receipt_no",
        label=Bilingual("仓单号", "Warehouse receipt number"),
        source="GB/T 30332: a receipt has a number",
        check=check_receipt_no,
        make=make_receipt_no,
    ),
    Check(
        name="hs_code",
        label=Bilingual("商品编码", "HS code"),
        source="WCO Harmonized System 2022; China customs tariff",
        check=check_hs_code,
        make=make_hs_code,
    ),
    Check(
        name="unspsc",
        label=Bilingual("UNSPSC 分类代码", "UNSPSC code"),
        source="UNSPSC, United Nations Development Programme",
        check=check_unspsc,
        make=make_unspsc,
    ),
    Check(name="uuid", label=Bilingual("UUID", "UUID"), source="RFC 9562", check=check_uuid, make=make_uuid),
)
