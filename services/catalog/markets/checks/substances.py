"""Checks of what names substances and their dangers: CAS and EC numbers, UN numbers, hazard statements."""

from __future__ import annotations

import re
from random import Random

import stdnum.casrn

from services.catalog.markets.checks.check import DIGITS, Check, CheckFailed, ask_stdnum, pick, read_digits, squeeze
from services.catalog.markets.data.ghs import H_STATEMENTS, P_STATEMENTS
from services.catalog.markets.data.un_numbers import UN_NUMBERS
from services.catalog.markets.words import Bilingual

# The least and the greatest number of the dangerous goods list: UN Model Regulations, 23rd revised edition (2023).
_FIRST_UN, _LAST_UN = 4, 3560
_ec = re.compile(r"[2-9][0-9]{2}-[0-9]{3}-[0-9]")
_reach = re.compile(r"0[1-9]-[0-9]{10}-[0-9]{2}(?:-[0-9]{4})?")


def check_cas(text: str) -> str:
    """A CAS registry number with its hyphens: 64-17-5."""
    return ask_stdnum(stdnum.casrn.validate, re.sub(r"^CAS(RN|NO)?[.:#]*", "", squeeze(text, " ")))


def make_cas(random: Random) -> str:
    """A number with the right check digit."""
    body = random.choice("123456789") + pick(random, DIGITS, random.randint(3, 6))
    return f"{body[:-2]}-{body[-2:]}-{stdnum.casrn.calc_check_digit(body)}"


def check_ec(text: str) -> str:
    """An EC number of a substance with its hyphens: 200-578-6; the last digit is the sum of place by digit modulo 11."""
    digits = squeeze(text).removeprefix("EC").removeprefix("NO.")
    read_digits(digits, 7)
    rest = sum(place * int(digit) for place, digit in enumerate(digits[:6], 1)) % 11
    number = f"{digits[:3]}-{digits[3:6]}-{digits[6]}"
    if not _ec.fullmatch(number):
        raise CheckFailed("is of no inventory: EC numbers begin with 2 to 9", "不属于任何名录：EC 号以2至9开头")
    if rest == 10 or int(digits[6]) != rest:
        raise CheckFailed("has a wrong check digit", "校验码不正确")
    return number


def make_ec(random: Random) -> str:
    """A number of the inventory of existing substances."""
    while True:
        body = "2" + pick(random, DIGITS, 5)
        rest = sum(place * int(digit) for place, digit in enumerate(body, 1)) % 11
        if rest < 10:
            return f"{body[:3]}-{body[3:]}-{rest}"


def check_un_number(text: str) -> str:
    """A UN number, kept as UN and four digits: UN1203."""
    digits = read_digits(squeeze(text).removeprefix("UN").removeprefix("NO."), 4)
    if not _FIRST_UN <= int(digits) <= _LAST_UN:
        raise CheckFailed("is not in the list of dangerous goods (0004 to 3560)", "不在危险货物一览表内（0004至3560）")
    return f"UN{digits}"


def make_un_number(random: Random) -> str:
    """A number whose goods are known here."""
    return "UN" + random.choice(sorted(UN_NUMBERS))


def check_ghs_statement(text: str) -> str:
    """The code of a hazard or precautionary statement, alone or joined: H225, P305+P351+P338."""
    code = squeeze(text, " ")
    if code not in H_STATEMENTS and code not in P_STATEMENTS:
        raise CheckFailed("is no hazard or precautionary statement of the GHS", "不是 GHS 危险性说明或防范说明代码")
    return code


def make_ghs_statement(random: Random) -> str:
    """One of the hazard statements."""
    return random.choice(sorted(H_STATEMENTS))


def check_reach(text: str) -> str:
    """A REACH registration number: 01-2119457610-43-0000, the last part may be missing."""
    number = squeeze(text, " ")
    if not _reach.fullmatch(number):
        raise CheckFailed("is not written as 01-2119457610-43-0000", "格式应如 01-2119457610-43-0000")
    return number


def make_reach(random: Random) -> str:
    """A registration of a substance."""
    return f"01-2119{pick(random, DIGITS, 6)}-{pick(random, DIGITS, 2)}-{pick(random, DIGITS, 4)}"


def check_hazard_class(text: str) -> str:
    """A class or division of dangerous goods: 3, 2.1, 6.1, for explosives with the group of compatibility (1.1D)."""
    value = squeeze(text, " ").removeprefix("CLASS").removesuffix("类").removesuffix("项").removeprefix("第")
    if not re.fullmatch(r"1\.[1-6][A-HJKLNS]?|2(?:\.[123])?|3|4\.[123]|5\.[12]|6\.[12]|7|8|9", value):
        raise CheckFailed("is no class or division of dangerous goods", "不是危险货物类别或项别")
    return value


def make_hazard_class(random: Random) -> str:
    """One of the classes that chemicals often have."""
    return random.choice(("2.1", "2.2", "2.3", "3", "4.1", "4.2", "4.3", "5.1", "5.2", "6.1", "8", "9"))


CHECKS = (
    Check(
        name="cas",
        label=Bilingual("CAS 号", "CAS number"),
        source="CAS Registry, check digit by the Chemical Abstracts Service",
        check=check_cas,
        make=make_cas,
    ),
    Check(
        name="ec_number",
        label=Bilingual("EC 号", "EC number"),
        source="EC inventory (EINECS, ELINCS, NLP), ECHA",
        check=check_ec,
        make=make_ec,
    ),
    Check(
        name="un_number",
        label=Bilingual("联合国编号", "UN number"),
        source="UN Model Regulations on the Transport of Dangerous Goods, Rev. 23; GB 12268",
        check=check_un_number,
        make=make_un_number,
    ),
    Check(
        name="ghs_statement",
        label=Bilingual("GHS 说明代码", "GHS statement"),
        source="UN GHS, 9th revised edition, annex 3; GB 30000",
        check=check_ghs_statement,
        make=make_ghs_statement,
    ),
    Check(
        name="reach_number",
        label=Bilingual("REACH 注册号", "REACH registration number"),
        source="Regulation (EC) 1907/2006, article 20(3)",
        check=check_reach,
        make=make_reach,
    ),
    Check(
        name="hazard_class",
        label=Bilingual("危险货物类别", "Hazard class"),
        source="UN Model Regulations, part 2; GB 6944",
        check=check_hazard_class,
        make=make_hazard_class,
    ),
)
