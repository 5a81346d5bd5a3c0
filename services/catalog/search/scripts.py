"""Chinese as it is written and spoken: traditional characters as simplified ones, and the first letters of pinyin."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache

from opencc import OpenCC


@cache
def _converter() -> OpenCC:
    return OpenCC("t2s")


def simplify(text: str) -> str:
    """Simplified characters for traditional ones (OpenCC's tables); other text is left alone."""
    return text if text.isascii() else _converter().convert(text)


@cache
def _letters() -> Callable[[str], list[str]]:
    """The dictionary of readings, loaded by the process that makes documents: those that only ask do without."""
    from pypinyin import Style, lazy_pinyin, load_phrases_dict, load_single_dict

    # 轧 is read zhá wherever metal is rolled, and only elsewhere yà.
    load_single_dict({ord("轧"): "zhá"})
    load_phrases_dict({"热轧": [["rè"], ["zhá"]], "冷轧": [["lěng"], ["zhá"]]})
    return lambda text: lazy_pinyin(text, style=Style.FIRST_LETTER, errors=lambda _: [""])


@lru_cache(maxsize=20_000)
def initials_of(characters: str) -> str:
    """The first letter of each character's pinyin (天津钢铁 → tjgt); empty where one of them has none."""
    joined = "".join(_letters()(characters)).lower()
    return joined if len(joined) == len(characters) and joined.isascii() and joined.isalpha() else ""
