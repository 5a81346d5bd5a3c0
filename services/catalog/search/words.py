"""Turns text into words, the same for every engine: what is indexed and what is asked go through here, and engines only
ask whether a document has a word.

Chinese has no spaces: a run of characters has every sequence of one to four of them as a word, so that two characters
inside a longer word are found, and a longer run is asked as its overlapping fours. Latin words, grades and numbers keep
together (q235b, 5.5); a dimension (5.5*1250*c) has each pair of neighbours as a word too. Full and half width, upper and
lower case, traditional characters and the trade's signs (×, Φ) are folded first. Two marks, which nobody can type, begin
words of another sort: INITIALS those made of pinyin, PLACE those of where things are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from services.catalog.search.scripts import initials_of, simplify

MAX_WORD = 64
LONGEST_GRAM = 4
INITIALS, PLACE = "~", "@"
MOST_INITIALS = 12
PLACE_CHARACTERS = 2
"""Names begin with a town of so many characters: the initials of what follows are found as well."""

_CJK = "\u3005-\u3007\u3400-\u9fff\uf900-\ufaff"
_LATIN = "0-9a-z\u00df-\u00f6\u00f8-\u024f\u03b1-\u03c9\u0430-\u045f"
_run = re.compile(rf"(?P<cjk>[{_CJK}]+)|(?P<latin>[{_LATIN}]+(?:[.*+/_-][{_LATIN}]+)*)")
_times = re.compile(r"(?<=[0-9])\s*[x*]\s*(?=[0-9]|c(?![0-9a-z]))")
_thousands = re.compile(r"(?<![0-9.])([0-9]{1,3}),(?=[0-9]{3}(?![0-9]))")
_inner = re.compile(r"[+/_-]|\.(?![0-9])|(?<![0-9])\.")
_with_unit = re.compile(r"([0-9]+(?:\.[0-9]+)?)(?:mm|cm|kg|t)")
_decimal = re.compile(r"[0-9]+\.[0-9]+")
_plural = re.compile(r"[a-z]{3,}[a-rt-z]s")
_letters_then_digits = re.compile(r"[0-9]+|[^0-9]+")
_SIGNS = str.maketrans({"×": "*", "✕": "*", "╳": "*", "∗": "*", "✖": "*", "ф": "φ", "ø": "φ", "⌀": "φ", "∅": "φ"})


class Run(NamedTuple):
    """Signs of one kind without a gap: ``words`` of a Chinese run is the run itself."""

    text: str
    is_chinese: bool
    words: tuple[str, ...]


def fold(text: str) -> str:
    """Half width, lower case, simplified, and one form for signs that traders write in several."""
    folded = simplify(unicodedata.normalize("NFKC", text).lower().translate(_SIGNS))
    return _thousands.sub(r"\1", _times.sub("*", folded))


@lru_cache(maxsize=50_000)
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


def _latin_words(run: str) -> tuple[str, ...]:
    words = []
    for part in _inner.split(run):
        sizes = [size for size in part.split("*") if size]
        words.append("*".join(_word(size) for size in sizes))
    return tuple(word for word in words if word)


def _word(part: str) -> str:
    if unit := _with_unit.fullmatch(part):
        part = unit[1]
    elif _plural.fullmatch(part):
        part = part[:-1]
    return _number(part)[:MAX_WORD]


@lru_cache(maxsize=50_000)
def runs_of(text: str) -> tuple[Run, ...]:
    """The runs of a text, kept because titles and grades come again and again."""
    return _find_runs(text)


def _find_runs(text: str) -> tuple[Run, ...]:
    found = (match for match in _run.finditer(fold(text)))
    runs = (
        Run(match[0], True, (match[0],)) if match["cjk"] else Run(match[0], False, _latin_words(match[0]))
        for match in found
    )
    return tuple(run for run in runs if run.words)


def words_of(*texts: str) -> set[str]:
    """Everything that texts are found by."""
    return set().union(*map(_indexed, texts))


def words_of_number(number: str) -> frozenset[str]:
    """What a number that hardly comes twice is found by: it is not remembered."""
    return _index(_find_runs(number))


@lru_cache(maxsize=100_000)
def _indexed(text: str) -> frozenset[str]:
    return _index(runs_of(text))


def _index(runs: Iterable[Run]) -> frozenset[str]:
    words: set[str] = set()
    for run in runs:
        if run.is_chinese:
            words.update(_grams(run.text))
        for word in () if run.is_chinese else run.words:
            words.update(_sizes(word) if "*" in word else (word, *_beginnings(word)))
    return frozenset(words)


def _grams(run: str) -> Iterable[str]:
    return (run[i : i + size] for size in range(1, LONGEST_GRAM + 1) for i in range(len(run) - size + 1))


def _sizes(word: str) -> list[str]:
    """A dimension's numbers, each with what stands for it, and each pair of neighbours."""
    sizes = word.split("*")
    found = [each for size in sizes for each in (size, *_beginnings(size))]
    return found + [f"{one}*{other}" for one, other in zip(sizes, sizes[1:], strict=False)]


def _beginnings(word: str) -> list[str]:
    """What stands for a mixed word: q235b is found by q235 and 235, dx51d by dx51, 304l by 304."""
    pieces = _letters_then_digits.findall(word)
    if len(pieces) < 2 or "." in word:
        return []
    beginnings = ["".join(pieces[: i + 1]) for i in range(len(pieces) - 1)]
    found = [beginning for beginning in beginnings if any(sign.isdigit() for sign in beginning)]
    return found + [piece for piece in pieces if piece.isdigit() and len(piece) > 1]


def asked_words(run: Run) -> tuple[str, ...]:
    """The words that a document must have when a run is asked for."""
    if run.is_chinese:
        return ask_chinese(run.text)
    return tuple(dict.fromkeys(asked for word in run.words for asked in _asked_sizes(word)))


def ask_chinese(run: str) -> tuple[str, ...]:
    """The words of a run of characters: itself, or its overlapping fours."""
    if len(run) <= LONGEST_GRAM:
        return (run,)
    return tuple(dict.fromkeys(run[i : i + LONGEST_GRAM] for i in range(len(run) - LONGEST_GRAM + 1)))


def _asked_sizes(word: str) -> list[str]:
    sizes = word.split("*")
    pairs = [f"{one}*{other}" for one, other in zip(sizes, sizes[1:], strict=False)]
    return pairs or sizes


@lru_cache(maxsize=50_000)
def initials_in(name: str) -> frozenset[str]:
    """The beginnings, of two letters and more, of a name's pinyin initials, marked: 天津钢铁 is found by tj, tjg, gt."""
    found: set[str] = set()
    for run in runs_of(name):
        if run.is_chinese and len(run.text) > 1 and (letters := initials_of(run.text)):
            for start in (0, PLACE_CHARACTERS) if len(letters) > PLACE_CHARACTERS + 1 else (0,):
                tail = letters[start : start + MOST_INITIALS]
                found.update(INITIALS + tail[:size] for size in range(2, len(tail) + 1))
    return frozenset(found)


@lru_cache(maxsize=20_000)
def place_words_of(name: str) -> frozenset[str]:
    """What a place of a document is found by when a place is asked for."""
    return frozenset(PLACE + word for word in words_of(name))
