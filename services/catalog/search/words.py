"""Turns text into words, the same for every engine: what is indexed and what is asked go through here, engines only
compare words.

Chinese has no spaces: a run of characters becomes its overlapping pairs (热轧卷 → 热轧 轧卷), which are asked as a
phrase; a character alone is found too. Latin words, grades and numbers keep together (q235b, 5.5); a dimension such as
5.5*1250 is a phrase of its numbers. Full width and half width, upper and lower case, and the trade's signs (×, Φ) are
folded first.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

MAX_CLAUSES = 20
MAX_WORD = 64
BREAK = "|"
"""Stands between runs, so that no phrase is found across them."""

_CJK = "\u3005-\u3007\u3400-\u9fff\uf900-\ufaff"
_LATIN = "0-9a-z\u00df-\u00f6\u00f8-\u024f\u03b1-\u03c9\u0430-\u045f"
_run = re.compile(rf"(?P<cjk>[{_CJK}]+)|(?P<latin>[{_LATIN}]+(?:[.*+/_-][{_LATIN}]+)*)")
_is_cjk = re.compile(f"[{_CJK}]").match
_times_between_digits = re.compile(r"(?<=[0-9])x(?=[0-9])")
_inner = re.compile(r"[*+/_-]|\.(?![0-9])|(?<![0-9])\.")
_with_unit = re.compile(r"([0-9]+(?:\.[0-9]+)?)(?:mm|cm|kg|t)")
_decimal = re.compile(r"[0-9]+\.[0-9]+")
_plural = re.compile(r"[a-z]{3,}[a-rt-z]s")
_letters_then_digits = re.compile(r"[0-9]+|[^0-9]+")
_SIGNS = str.maketrans({"×": "*", "✕": "*", "╳": "*", "∗": "*", "ф": "φ", "ø": "φ", "⌀": "φ", "∅": "φ"})

Clause = tuple[str, ...]
"""Words that must stand next to each other, in this order."""


def fold(text: str) -> str:
    """Half width, lower case, and one form for signs that traders write in several."""
    folded = unicodedata.normalize("NFKC", text).lower().translate(_SIGNS)
    return _times_between_digits.sub("*", folded)


def fold_label(text: str) -> str:
    """A name to compare as a whole (a grade, a city): folded, without spaces."""
    return "".join(fold(text).split())


def _number(text: str) -> str:
    """A decimal without what does not count: 05.50 is 5.5. Whole numbers may be identifiers and are left alone."""
    if not _decimal.fullmatch(text):
        return text
    whole, _, rest = text.partition(".")
    rest = rest.rstrip("0")
    return f"{whole.lstrip('0') or '0'}.{rest}" if rest else whole.lstrip("0") or "0"


def _latin_words(run: str) -> list[str]:
    words = []
    for part in _inner.split(run):
        if unit := _with_unit.fullmatch(part):
            part = unit[1]
        elif _plural.fullmatch(part):
            part = part[:-1]
        if part:
            words.append(_number(part)[:MAX_WORD])
    return words


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


@lru_cache(maxsize=20_000)
def _runs(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Each run of a text with its words, kept because titles and grades come again and again."""
    return tuple(
        (found[0], tuple(_pairs(found[0]) if found["cjk"] else _latin_words(found[0])))
        for found in _run.finditer(fold(text))
    )


def clauses_of(question: str) -> list[Clause]:
    """What someone looks for: every clause must be found. At most MAX_CLAUSES; empty when there is no word in it."""
    clauses = dict.fromkeys(words for _, words in _runs(question) if words)
    return list(clauses)[:MAX_CLAUSES]


def phrases_of(*texts: str) -> str:
    """The words of texts in order, separated by spaces, for a field in which phrases are found."""
    return f" {BREAK} ".join(" ".join(words) for text in texts for _, words in _runs(text) if words)


def parts_of(*texts: str) -> str:
    """Single words that a text is found by besides its phrases.

    Each word, each character, the beginning of a grade and its number.
    """
    parts: dict[str, None] = {}
    for text in texts:
        parts.update(dict.fromkeys(_parts(text)))
    return " ".join(parts)


@lru_cache(maxsize=20_000)
def _parts(text: str) -> tuple[str, ...]:
    parts: list[str] = []
    for run, words in _runs(text):
        parts += words
        if _is_cjk(run):
            parts += run
        else:
            parts += (beginning for word in words for beginning in _beginnings(word))
    return tuple(parts)


def _beginnings(word: str) -> list[str]:
    """What stands for a mixed word: q235b is found by q235 and 235, dx51d by dx51, 304l by 304."""
    pieces = _letters_then_digits.findall(word)
    if len(pieces) < 2 or "." in word:
        return []
    beginnings = ["".join(pieces[: i + 1]) for i in range(len(pieces) - 1)]
    found = [beginning for beginning in beginnings if any(sign.isdigit() for sign in beginning)]
    return found + [piece for piece in pieces if piece.isdigit() and len(piece) > 1]
