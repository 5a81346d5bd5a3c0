"""Checks of what names companies and their accounts: credit code, VAT number, LEI, IBAN, BIC."""

from __future__ import annotations

from random import Random

import stdnum.bic
import stdnum.cn.uscc
import stdnum.eu.vat
import stdnum.iban
import stdnum.lei
from stdnum.iso7064 import mod_97_10

from services.catalog.markets.checks.check import CAPITALS, DIGITS, Check, ask_stdnum, pick, squeeze
from services.catalog.markets.words import Bilingual

_USCC_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_PROVINCES = ("110000", "120000", "130200", "310000", "320500", "330100", "370200", "440300", "500000", "510100")
_BANKS = ("DEUT", "COBA", "ICBK", "BKCH", "ABOC", "HSBC", "CHAS", "BNPA")


def check_uscc(text: str) -> str:
    """A unified social credit code of 18 signs."""
    return ask_stdnum(stdnum.cn.uscc.validate, squeeze(text))


def make_uscc(random: Random) -> str:
    """A company's code: registered with the market authority, a place, nine signs, the check sign."""
    body = "91" + random.choice(_PROVINCES) + pick(random, _USCC_SIGNS, 9)
    return body + stdnum.cn.uscc.calc_check_digit(body)


def check_eu_vat(text: str) -> str:
    """A VAT number of a member state, with its country."""
    return ask_stdnum(stdnum.eu.vat.validate, squeeze(text, " -."))


def make_eu_vat(random: Random) -> str:
    """A German number: eight digits and the check digit of ISO 7064 modulo 11, 10."""
    body = random.choice("123456789") + pick(random, DIGITS, 7)
    product = 10
    for digit in body:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return f"DE{body}{(11 - product) % 10}"


def check_lei(text: str) -> str:
    """A legal entity identifier of 20 signs."""
    return ask_stdnum(stdnum.lei.validate, squeeze(text))


def make_lei(random: Random) -> str:
    """An identifier with its two check digits."""
    body = "300300" + pick(random, DIGITS + CAPITALS, 12)
    return body + mod_97_10.calc_check_digits(body)


def check_iban(text: str) -> str:
    """An international bank account number without spaces."""
    return ask_stdnum(stdnum.iban.validate, squeeze(text))


def make_iban(random: Random) -> str:
    """A German account."""
    account = pick(random, DIGITS, 18)
    return "DE" + mod_97_10.calc_check_digits(account + "DE") + account


def check_bic(text: str) -> str:
    """A bank's identifier of 8 or 11 signs."""
    return ask_stdnum(stdnum.bic.validate, squeeze(text))


def make_bic(random: Random) -> str:
    """A bank in one of three countries."""
    return random.choice(_BANKS) + random.choice(("CN", "DE", "FR")) + pick(random, CAPITALS, 2)


CHECKS = (
    Check(
        name="uscc",
        label=Bilingual("统一社会信用代码", "Unified social credit code"),
        source="GB 32100-2015",
        check=check_uscc,
        make=make_uscc,
    ),
    Check(
        name="eu_vat",
        label=Bilingual("欧盟增值税号", "EU VAT number"),
        source="Directive 2006/112/EC, article 214; each state's own digits as VIES publishes them",
        check=check_eu_vat,
        make=make_eu_vat,
    ),
    Check(
        name="lei",
        label=Bilingual("法人机构识别编码", "Legal entity identifier"),
        source="ISO 17442-1:2020",
        check=check_lei,
        make=make_lei,
    ),
    Check(
        name="iban",
        label=Bilingual("国际银行账号", "IBAN"),
        source="ISO 13616-1:2020",
        check=check_iban,
        make=make_iban,
    ),
    Check(name="bic", label=Bilingual("银行识别代码", "BIC"), source="ISO 9362:2022", check=check_bic, make=make_bic),
)
