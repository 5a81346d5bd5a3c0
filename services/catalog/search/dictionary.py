"""What the trade calls the same: groups of names from the market packs and the gazetteer, and the reading of a question by
them.

A question is cut at the names that the dictionary knows, the longest first (天津螺纹钢 is 天津 and 螺纹钢), and each of
them is asked together with what else it is called (螺纹钢, rebar, 钢筋). What is left over is asked as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from services.catalog.search.words import INITIALS, MOST_INITIALS, Run, ask_chinese, asked_words, runs_of

MAX_CLAUSES = 20
MOST_ALTERNATIVES = 24
LEAST_NAME = 2
LONGEST_PHRASE = 6
"""A name of several words has at most so many."""

Alternative = tuple[str, ...]
"""Words that a document must have, all of them."""
Clause = tuple[Alternative, ...]
"""Alternatives of which a document must have one."""
Spell = Callable[[str], Iterable[str]]
"""Words that somebody may have meant by a word."""

NOISE = frozenset(
    [
        "厚",
        "宽",
        "长",
        "厚度",
        "宽度",
        "长度",
        "直径",
        "规格",
        "材质",
        "牌号",
        "型号",
        "毫米",
        "thickness",
        "width",
        "length",
        "grade",
        "size",
        "mm",
        "the",
        "of",
        "and",
    ]
)
"""What people write around a number: asked for only when there is nothing else."""


@dataclass(frozen=True)
class Dictionary:
    """Groups of names; those of one group mean the same."""

    groups: tuple[tuple[str, ...], ...] = ()
    _spelled: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False)

    @cached_property
    def _names(self) -> dict[tuple[str, ...], frozenset[Alternative]]:
        """Each name as its runs' words, to all alternatives of its groups."""
        found: dict[tuple[str, ...], set[Alternative]] = {}
        for group in self.groups:
            keys = {key: alternative for name in group if (key := _key(name)) for alternative in (_alternative(name),)}
            for key in keys:
                found.setdefault(key, set()).update(keys.values())
        return {key: frozenset(alternatives) for key, alternatives in found.items()}

    @cached_property
    def _longest(self) -> int:
        return max((len(key[0]) for key in self._names if len(key) == 1), default=0)

    @cached_property
    def latin_words(self) -> frozenset[str]:
        """The words of Latin letters in its names."""
        return frozenset(word for key in self._names for word in key if word.isascii() and word.isalpha())

    def clauses_of(self, question: str, spell: Spell = lambda _: ()) -> tuple[Clause, ...]:
        """What someone looks for: of every clause one alternative must be had. Empty when there is no word in it.

        ``spell`` says what else each Latin word may have been meant to be.
        """
        clauses: dict[Clause, None] = {}
        noise: dict[Clause, None] = {}
        for words, clause in self._read(question, spell):
            (noise if len(words) == 1 and words[0] in NOISE else clauses)[clause] = None
        return tuple(clauses or noise)[:MAX_CLAUSES]

    def _read(self, question: str, spell: Spell) -> Iterator[tuple[tuple[str, ...], Clause]]:
        runs, at = runs_of(question), 0
        while at < len(runs):
            if runs[at].is_chinese:
                yield from self._cut(runs[at].text)
                at += 1
                continue
            words, taken = self._phrase(runs, at)
            own = tuple(dict.fromkeys(word for run in runs[at : at + taken] for word in asked_words(run)))
            yield words, self._clause(words, own, spell)
            at += taken

    def _phrase(self, runs: tuple[Run, ...], at: int) -> tuple[tuple[str, ...], int]:
        """The longest name of Latin words that begins here, as its words and the number of runs."""
        for taken in range(min(LONGEST_PHRASE, len(runs) - at), 1, -1):
            some = runs[at : at + taken]
            words = tuple(word for run in some for word in run.words)
            if words in self._names:
                return words, taken
        return runs[at].words, 1

    def _cut(self, run: str) -> Iterator[tuple[tuple[str, ...], Clause]]:
        rest, at = "", 0
        while at < len(run):
            sizes = range(min(self._longest, len(run) - at), LEAST_NAME - 1, -1)
            name = next((run[at : at + size] for size in sizes if (run[at : at + size],) in self._names), None)
            if name is None:
                rest, at = rest + run[at], at + 1
                continue
            if rest:
                yield (rest,), (ask_chinese(rest),)
            yield (name,), self._clause((name,), ask_chinese(name), lambda _: ())
            rest, at = "", at + len(name)
        if rest:
            yield (rest,), (ask_chinese(rest),)

    def _clause(self, words: tuple[str, ...], own: Alternative, spell: Spell) -> Clause:
        alternatives = {own: None} | dict.fromkeys(sorted(self._names.get(words, ())))
        if len(own) == 1:
            alternatives |= dict.fromkeys(_other_readings(own[0]))
        for number, word in enumerate(own):
            for meant in spell(word):
                alternatives |= dict.fromkeys([(*own[:number], meant, *own[number + 1 :])])
                if len(own) == 1:
                    alternatives |= dict.fromkeys(sorted(self._names.get((meant,), ())))
        return tuple(alternatives)[:MOST_ALTERNATIVES]


def _other_readings(word: str) -> list[Alternative]:
    """Initials of a name, and a grade that a number follows without a gap (q235b5.5)."""
    if word.isascii() and word.isalpha() and 2 <= len(word) <= MOST_INITIALS:
        return [(INITIALS + word,)]
    first, _, rest = word.partition("*")
    letters = max((i + 1 for i, sign in enumerate(first) if sign.isalpha()), default=0)
    grade, number = first[:letters], first[letters:]
    if number and any(sign.isdigit() for sign in grade) and "." not in grade and ("." in number or rest):
        return [(grade, f"{number}*{rest}" if rest else number)]
    return []


def _key(name: str) -> tuple[str, ...]:
    words = tuple(word for run in runs_of(name) for word in run.words)
    return words if sum(map(len, words)) >= LEAST_NAME else ()


def _alternative(name: str) -> Alternative:
    return tuple(dict.fromkeys(word for run in runs_of(name) for word in asked_words(run)))
