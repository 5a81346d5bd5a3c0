"""What a named check is: it reads a value, keeps it in one form or says in both languages why not, and can make one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from random import Random

import msgspec
from stdnum.exceptions import InvalidChecksum, InvalidComponent, InvalidLength, ValidationError

from services.catalog.markets.words import Bilingual, Name, Source

DIGITS = "0123456789"
CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# The signs of China's 31 provinces on plates and in numbers of approvals.
PROVINCE_SIGNS = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_dashes = dict.fromkeys(map(ord, "‐‑‒–—―−－"), "-")


class CheckFailed(ValueError):
    """A value is not what its check asks for; the message is English, ``zh`` says the same in Chinese."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.en, self.zh = en, zh


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A named check: ``check`` gives the form that is kept or raises CheckFailed, ``make`` a valid value for samples.

    ``source`` is the standard or the rule that says what is right.
    """

    name: Name
    label: Bilingual
    source: Source
    check: Callable[[str], str]
    make: Callable[[Random], str]


def fold(text: str) -> str:
    """A text in half width and capitals, without spaces around it, every kind of dash a hyphen."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_dashes)
    return text.strip().upper()


def squeeze(text: str, signs: str = " -") -> str:
    """A folded text without spaces of any kind and without other signs that people put between its parts."""
    return "".join(fold(text).split()).translate(_nothing_for(signs))


@cache
def _nothing_for(signs: str) -> dict[int, None]:
    return dict.fromkeys(map(ord, signs))


def read_shape(text: str, pattern: re.Pattern[str], en: str, zh: str) -> str:
    """The text if it has the form of a pattern from end to end. Raises CheckFailed with both reasons."""
    if not pattern.fullmatch(text):
        raise CheckFailed(en, zh)
    return text


def read_digits(text: str, *lengths: int) -> str:
    """A text of digits of one of these lengths. Raises CheckFailed."""
    if not (text.isascii() and text.isdecimal()):
        raise CheckFailed("has signs other than digits", "含有数字以外的字符")
    if len(text) not in lengths:
        wanted = [str(length) for length in lengths]
        raise CheckFailed(
            f"has {len(text)} digits, not {' or '.join(wanted)}", f"应为{'或'.join(wanted)}位数字，实为{len(text)}位"
        )
    return text


def ask_stdnum(validate: Callable[[str], str], text: str) -> str:
    """What python-stdnum keeps of a number. Raises CheckFailed with its reason in both languages."""
    try:
        return validate(text)
    except InvalidChecksum:
        raise CheckFailed("has a wrong check digit", "校验码不正确") from None
    except InvalidLength:
        raise CheckFailed("has a wrong length", "长度不正确") from None
    except InvalidComponent:
        raise CheckFailed("has a part that does not exist", "其中一部分不存在") from None
    except ValidationError:
        raise CheckFailed("has a wrong form", "格式不正确") from None


def pick(random: Random, signs: str, count: int) -> str:
    """So many random signs."""
    return "".join(random.choices(signs, k=count))


def pick_year(random: Random, least: int = 2015, most: int = 2025) -> str:
    """A year of four digits, both ends included."""
    return str(random.randint(least, most))
