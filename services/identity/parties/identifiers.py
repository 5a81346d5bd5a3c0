"""Numbers that name companies and accounts, held to their check digits; no register is asked.

Unified social credit code: GB 32100-2015. LEI: ISO 17442. EU VAT: each state's own digits (VIES). IBAN: ISO 13616.
Country codes: ISO 3166-1. GLN and company prefix: GS1 General Specifications 3.4 and 1.4.4; a GLN names a company or one of its
places, a company prefix all the numbers that begin with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import pycountry
import stdnum.cn.uscc
import stdnum.ean
import stdnum.eu.vat
import stdnum.iban
import stdnum.lei

from chassis.problems import Invalid


def _validate_gln(text: str) -> str:
    compact = stdnum.ean.validate(text)
    if len(compact) != 13:
        raise ValueError("a GLN has 13 digits")
    return compact


def _validate_gs1_prefix(text: str) -> str:
    compact = "".join(text.split())
    if not _looks_like_prefix(compact):
        raise ValueError("a company prefix has 6 to 12 digits")
    return compact


_looks_like_prefix = re.compile(r"[0-9]{6,12}").fullmatch
SCHEMES: dict[str, Callable[[str], str]] = {
    "uscc": stdnum.cn.uscc.validate,
    "eu_vat": stdnum.eu.vat.validate,
    "lei": stdnum.lei.validate,
    "gln": _validate_gln,
    "gs1_prefix": _validate_gs1_prefix,
}
_looks_like_iban = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{8,30}").fullmatch
_domestic_account = re.compile(r"[A-Z0-9\-]{4,34}").fullmatch


class IdentifierInvalid(Invalid):
    """An identifier of a company is not one of its scheme."""


class AccountNumberInvalid(Invalid):
    """A bank account number is neither a valid IBAN nor a domestic number of 4 to 34 characters."""


class CountryUnknown(Invalid):
    """A country is given by its ISO 3166-1 code of two letters."""


def read_identifier(scheme: str, value: str, *, field: str) -> str:
    """An identifier in its compact form. Raises IdentifierInvalid, naming ``field``."""
    try:
        return SCHEMES[scheme](value)
    except (ValueError, KeyError):
        raise IdentifierInvalid(f"{value!r} fails the check of {scheme}", field=field) from None


def read_account_number(number: str, *, field: str) -> str:
    """An account number without spaces; what looks like an IBAN must be a valid one. Raises AccountNumberInvalid."""
    compact = "".join(number.split()).upper()
    if _looks_like_iban(compact) and compact[:2] in country_codes():
        try:
            return stdnum.iban.validate(compact)
        except ValueError:
            raise AccountNumberInvalid(f"{number!r} looks like an IBAN and fails its check", field=field) from None
    if not _domestic_account(compact):
        raise AccountNumberInvalid(field=field)
    return compact


def read_country(code: str, *, field: str) -> str:
    """A country code that exists. Raises CountryUnknown."""
    if code not in country_codes():
        raise CountryUnknown(f"there is no country {code!r}", field=field)
    return code


@cache
def country_codes() -> frozenset[str]:
    """All codes of ISO 3166-1 alpha-2."""
    return frozenset(country.alpha_2 for country in pycountry.countries)
