"""Turns attributes into functions that read what a seller wrote: compiled once a pack, so that millions of cells are read fast.

A function keeps what it has read: the same grade or thickness stands in thousands of rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from services.catalog.markets.checks import CHECKS, CheckFailed
from services.catalog.markets.texts import fold_name, read_date, read_identifier, read_number, read_text

if TYPE_CHECKING:
    from services.catalog.markets.attributes import Attribute, Choice, Column

Read = Callable[[str], str]
REMEMBERED = 1_024
MOST_VALUES = 50
MOST_NAMED = 40
SEPARATOR = ";"
_separators = re.compile(r"[;；\n]")


def make_reader(attribute: Attribute, choices: Mapping[str, list[Choice]]) -> Read:
    """What reads the texts of an attribute: it gives what is kept or raises CheckFailed with the reason for people."""
    read = _make_one(attribute, choices)
    if attribute.type != "identifier":
        read = lru_cache(REMEMBERED)(read)
    return _read_many(read) if attribute.many else read


def make_column_reader(name: str, column: Column) -> Read:
    """What reads the texts of a column that every piece of every market has."""
    if name in ("net", "gross"):
        return lru_cache(REMEMBERED)(lambda text: format(read_number(text, column), "f"))
    read = read_text if name == "warehouse" else read_identifier
    return _chain([read, CHECKS[column.check].check]) if column.check else read


def split_values(attribute: Attribute, kept: str) -> list[str]:
    """The single values of what is kept of an attribute."""
    return kept.split(SEPARATOR) if attribute.many else [kept]


def _make_one(attribute: Attribute, choices: Mapping[str, list[Choice]]) -> Read:
    if attribute.type == "number":
        return lambda text: format(read_number(text, attribute), "f")
    if attribute.type == "choice":
        return _read_choice(choices[attribute.choices or ""])
    if attribute.type == "date":
        return read_date
    read = read_identifier if attribute.type == "identifier" else read_text
    steps = [read, *_patterns(attribute)]
    if attribute.check:
        steps.append(CHECKS[attribute.check].check)
    return read if len(steps) == 1 else _chain(steps)


def _read_choice(choices: list[Choice]) -> Read:
    codes = {name: choice.code for choice in choices for name in choice.names}
    folded = {fold_name(name): code for name, code in codes.items()}
    names_en = ", ".join(choice.name.en for choice in choices[:MOST_NAMED])
    names_zh = "、".join(choice.name.zh for choice in choices[:MOST_NAMED])

    def read(text: str) -> str:
        code = codes.get(text) or folded.get(fold_name(text))
        if code is None:
            raise CheckFailed(f"not one of: {names_en}", f"不是以下之一：{names_zh}")
        return code

    return read


def _patterns(attribute: Attribute) -> list[Read]:
    steps: list[Read] = []
    if attribute.pattern:
        steps.append(_match([attribute.pattern], "has signs that do not belong there", "含有不应出现的字符"))
    if attribute.patterns:
        en = "is not written as one of: " + ", ".join(attribute.patterns)
        zh = "不符合以下任何一种写法：" + "、".join(attribute.patterns)
        steps.append(_match(attribute.patterns.values(), en, zh))
    return steps


def _match(patterns: Iterable[str], en: str, zh: str) -> Read:
    matches = [re.compile(pattern).fullmatch for pattern in patterns]

    def read(text: str) -> str:
        if not any(match(text) for match in matches):
            raise CheckFailed(en, zh)
        return text

    return read


def _chain(steps: list[Read]) -> Read:
    def read(text: str) -> str:
        for step in steps:
            text = step(text)
        return text

    return read


def _read_many(read: Read) -> Read:
    def read_all(text: str) -> str:
        parts = [part.strip() for part in _separators.split(text)]
        values = list(dict.fromkeys(read(part) for part in parts if part))
        if not values:
            raise CheckFailed("is empty", "为空")
        if len(values) > MOST_VALUES:
            raise CheckFailed(f"has more than {MOST_VALUES} values", f"超过{MOST_VALUES}个值")
        return SEPARATOR.join(values)

    return read_all
