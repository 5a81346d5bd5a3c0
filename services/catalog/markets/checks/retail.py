"""Checks of numbers of articles: GTIN, SSCC, GLN, ISBN, device identifiers, batches and serials."""

from __future__ import annotations

import re
import unicodedata
from random import Random

import stdnum.ean
import stdnum.imei
import stdnum.isbn
import stdnum.issn
import stdnum.luhn

from services.catalog.markets.checks.check import (
    CAPITALS,
    DIGITS,
    Check,
    CheckFailed,
    ask_stdnum,
    fold,
    pick,
    read_digits,
    read_shape,
    squeeze,
)
from services.catalog.markets.words import Bilingual

_HIBC_SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"
_hibc = re.compile(r"\+?[A-Z][A-Z0-9]{3}[A-Z0-9]{1,18}[0-9][0-9A-Z. $/+%-]")
_ma = re.compile(r"MA\.[0-9]{3}\.[A-Z0-9]{1,4}(?:\.[A-Z0-9]{1,20}){1,5}")
# GS1 General Specifications, figure 7.11-1: the 82 signs that a batch or a serial may have.
_batch = re.compile(r"""[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]{1,20}""")


def find_gs1_digit(body: str) -> str:
    """The check digit of a GS1 number: from the right by 3 and 1 in turn (GS1 General Specifications, 7.9)."""
    return str(-sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body))) % 10)


def _read_gs1(text: str, *lengths: int) -> str:
    number = read_digits(squeeze(text), *lengths)
    if (wanted := find_gs1_digit(number[:-1])) != number[-1]:
        raise CheckFailed(
            f"has the check digit {number[-1]}, which should be {wanted}", f"校验码为{number[-1]}，应为{wanted}"
        )
    return number


def check_gtin(text: str) -> str:
    """A GTIN of 8, 12, 13 or 14 digits as it stands; a number for use inside one company names nothing outside."""
    number = _read_gs1(text, 8, 12, 13, 14)
    prefix = number.zfill(14)[1:4]
    if len(number) > 8 and (prefix[0] == "2" or prefix[:2] in ("02", "04", "98", "99")):
        raise CheckFailed("is a number for use inside a shop or a coupon", "为店内码或优惠券代码，不能在企业间使用")
    return number


def check_gtin14(text: str) -> str:
    """A GTIN of 8 to 14 digits, kept with noughts before it as 14."""
    return check_gtin(text).zfill(14)


def make_gtin(random: Random) -> str:
    """A number of 13 digits from the range of GS1 China."""
    body = f"{random.randint(690, 699)}{pick(random, DIGITS, 9)}"
    return body + find_gs1_digit(body)


def make_gtin14(random: Random) -> str:
    """The same with a nought before it."""
    return make_gtin(random).zfill(14)


def check_sscc(text: str) -> str:
    """A serial shipping container code of 18 digits; the application identifier (00) may stand before it."""
    return _read_gs1(fold(text).removeprefix("(00)"), 18)


def make_sscc(random: Random) -> str:
    """A code of a company in China."""
    body = f"{random.randint(0, 9)}{random.randint(690, 699)}{pick(random, DIGITS, 13)}"
    return body + find_gs1_digit(body)


def check_gln(text: str) -> str:
    """A global location number of 13 digits."""
    return _read_gs1(text, 13)


def check_isbn(text: str) -> str:
    """A book's number, kept as 13 digits."""
    number = ask_stdnum(stdnum.isbn.validate, squeeze(text).removeprefix("ISBN").lstrip(":"))
    return stdnum.isbn.to_isbn13(number).replace("-", "")


def make_isbn(random: Random) -> str:
    """A book of a publisher in China."""
    body = f"9787{pick(random, DIGITS, 8)}"
    return body + find_gs1_digit(body)


def check_issn(text: str) -> str:
    """A serial's number with its hyphen."""
    return stdnum.issn.format(ask_stdnum(stdnum.issn.validate, squeeze(text).removeprefix("ISSN")))


def make_issn(random: Random) -> str:
    """A serial of eight signs."""
    body = pick(random, DIGITS, 7)
    return f"{body[:4]}-{body[4:]}{stdnum.issn.calc_check_digit(body)}"


def check_imei(text: str) -> str:
    """A mobile device's number of 15 digits."""
    number = read_digits(squeeze(text, " -/."), 15)
    return ask_stdnum(stdnum.imei.validate, number)


def make_imei(random: Random) -> str:
    """A device with its Luhn digit."""
    body = "86" + pick(random, DIGITS, 12)
    return body + stdnum.luhn.calc_check_digit(body)


def check_udi_di(text: str) -> str:
    """The device identifier of a medical device by GS1 (kept as 14 digits), by MA, or by HIBCC (kept without its plus)."""
    code = squeeze(text, " ")
    if code.startswith("MA."):
        return read_shape(
            code, _ma, "is not a code such as MA.156.M0.100248.1", "不是有效的 MA 码，例如 MA.156.M0.100248.1"
        )
    if code[:4] == "(01)" or code.replace("-", "").isdecimal():
        return check_gtin14(code.removeprefix("(01)"))
    return _check_hibc(code)


def _check_hibc(code: str) -> str:
    read_shape(code, _hibc, "is no device identifier of GS1, MA or HIBCC", "不是 GS1、MA 或 HIBCC 的产品标识")
    code = "+" + code.removeprefix("+")
    if _HIBC_SIGNS[sum(map(_HIBC_SIGNS.index, code[:-1])) % 43] != code[-1]:
        raise CheckFailed("has a wrong check sign", "校验符不正确")
    return code[1:]


def check_batch(text: str) -> str:
    """A batch or serial number of up to 20 signs as GS1 allows them; capitals stay capitals and small letters small."""
    return read_shape(
        unicodedata.normalize("NFKC", text).strip(),
        _batch,
        "is longer than 20 signs or has signs that no batch has",
        "批号超过20个字符或含有不允许的字符",
    )


def make_batch(random: Random) -> str:
    """A batch by year, month and running number."""
    return (
        f"{random.randint(24, 26)}{random.randint(1, 12):02}{random.randint(1, 999):03}{random.choice(('', 'A', 'B'))}"
    )


def make_serial(random: Random) -> str:
    """A serial number as makers of machines write them."""
    return f"SN{random.randint(24, 26)}{pick(random, DIGITS + CAPITALS, 8)}"


_GS1 = "GS1 General Specifications"
CHECKS = (
    Check(
        name="gtin",
        label=Bilingual("商品条码", "GTIN"),
        source=_GS1 + " 2.1; GB 12904",
        check=check_gtin,
        make=make_gtin,
    ),
    Check(
        name="gtin14",
        label=Bilingual("商品条码（14位）", "GTIN of 14 digits"),
        source=_GS1 + " 2.1; GB/T 16830",
        check=check_gtin14,
        make=make_gtin14,
    ),
    Check(
        name="sscc",
        label=Bilingual("系列货运包装箱代码", "SSCC"),
        source=_GS1 + " 2.2; GB/T 18127",
        check=check_sscc,
        make=make_sscc,
    ),
    Check(
        name="gln",
        label=Bilingual("全球位置码", "GLN"),
        source=_GS1 + " 2.4; GB/T 16828",
        check=check_gln,
        make=make_gtin,
    ),
    Check(
        name="isbn",
        label=Bilingual("国际标准书号", "ISBN"),
        source="ISO 2108:2017; GB/T 5795",
        check=check_isbn,
        make=make_isbn,
    ),
    Check(
        name="issn",
        label=Bilingual("国际标准连续出版物号", "ISSN"),
        source="ISO 3297:2022",
        check=check_issn,
        make=make_issn,
    ),
    Check(
        name="imei",
        label=Bilingual("移动设备识别码", "IMEI"),
        source="3GPP TS 23.003, 6.2",
        check=check_imei,
        make=make_imei,
    ),
    Check(
        name="udi_di",
        label=Bilingual("医疗器械产品标识", "UDI-DI"),
        source="NMPA rules for the unique identification of devices (2019 no. 66); GS1, MA and ANSI/HIBC 2.6",
        check=check_udi_di,
        make=make_gtin14,
    ),
    Check(
        name="batch",
        label=Bilingual("批号", "Batch"),
        source=_GS1 + " 3.4, application identifier 10",
        check=check_batch,
        make=make_batch,
    ),
    Check(
        name="serial",
        label=Bilingual("序列号", "Serial number"),
        source=_GS1 + " 3.5, application identifier 21",
        check=check_batch,
        make=make_serial,
    ),
)
