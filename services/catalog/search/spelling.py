"""Words that somebody may have meant: those of the vocabulary within one or two slips of the hand.

The vocabulary is ours, made of the documents' Latin words, so that every engine finds the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

LEAST_LETTERS = 4
TWO_SLIPS_FROM = 8
MOST_LETTERS = 24
MOST_MEANT = 5
MOST_WORDS = 200_000


def may_be_misspelled(word: str) -> bool:
    """Whether a word is one that is looked up: Latin letters only, neither short nor endless."""
    return LEAST_LETTERS <= len(word) <= MOST_LETTERS and word.isascii() and word.isalpha()


class Vocabulary:
    """Latin words, by length, each with the set of its letters as bits."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        self._words: set[str] = set()
        self._by_length: dict[int, list[tuple[int, str]]] = {}
        self.add(words)

    def add(self, words: Iterable[str]) -> None:
        """Learn words; at most MOST_WORDS are kept."""
        for word in words:
            if word not in self._words and may_be_misspelled(word) and len(self._words) < MOST_WORDS:
                self._words.add(word)
                self._by_length.setdefault(len(word), []).append((_letters(word), word))

    def meant_by(self, word: str) -> list[str]:
        """The nearest words at most one slip away, two from eight letters on; the word itself is none of them."""
        if not may_be_misspelled(word):
            return []
        most, letters = 2 if len(word) >= TWO_SLIPS_FROM else 1, _letters(word)
        near = []
        for length in range(len(word) - most, len(word) + most + 1):
            for known, other in self._by_length.get(length, ()):
                # A slip changes at most two letters of the set.
                is_near = (known ^ letters).bit_count() <= 2 * most and other != word
                if is_near and (slips := count_slips(word, other, most)) <= most:
                    near.append((slips, other))
        return [other for _, other in sorted(near)[:MOST_MEANT]]


def _letters(word: str) -> int:
    bits = 0
    for letter in word:
        bits |= 1 << (ord(letter) & 31)
    return bits


@lru_cache(maxsize=10_000)
def count_slips(one: str, other: str, most: int) -> int:
    """How many letters must be put in, left out, changed, or swapped with their neighbour (optimal string alignment).

    More than ``most`` is not counted further.
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before, row = [0] * (len(other) + 1), list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        after = [i]
        for j, sign in enumerate(other, 1):
            cost = min(row[j] + 1, after[-1] + 1, row[j - 1] + (letter != sign))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == sign:
                cost = min(cost, before[j - 2] + 1)
            after.append(cost)
        if min(after) > most:
            return most + 1
        before, row = row, after
    return row[-1]
