"""What it means that a document fits a question, in plain Python.

Saved searches are matched by it, and the golden suite holds both engines to it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from services.catalog.search.dictionary import Clause
from services.catalog.search.engine import Document, Question, Range, pair_range

MIXED = "mixed=1"
"""The label of a thing whose pieces differ: its numbers are looked up among its pairs."""
ATTRIBUTE = "a_"
"""How the names of labels and numbers begin that come from attributes."""


def fits(document: Document, question: Question) -> bool:
    """Whether a document is found by a question, its position set aside."""
    return (
        document.until > question.now
        and (question.access is None or not document.access.isdisjoint(question.access))
        and all(not document.labels.isdisjoint(asked) for asked in question.labels.values())
        and document.labels.isdisjoint(question.excluded)
        and has_all(document.words, question.clauses)
        and has_all(document.heading, question.heading)
        and not (question.not_heading and has_all(document.heading, question.not_heading))
        and all(_has_number(document, question, asked) for asked in question.ranges)
    )


def has_all(words: Collection[str], clauses: Iterable[Clause]) -> bool:
    """Whether of every clause one alternative is among some words."""
    return all(any(all(word in words for word in alternative) for alternative in clause) for clause in clauses)


def _has_number(document: Document, question: Question, asked: Range) -> bool:
    beside = labels_beside(question)
    if MIXED not in document.labels or not beside:
        return any(asked.least <= number <= asked.most for number in document.numbers.get(asked.name, ()))
    return all(any(_has_pair(document, label, asked) for label in labels) for labels in beside)


def _has_pair(document: Document, label: str, asked: Range) -> bool:
    least, most = pair_range(label, asked)
    return any(least <= pair <= most for pair in document.pairs)


def labels_beside(question: Question) -> list[tuple[str, ...]]:
    """The labels of attributes that are asked for: a number must be of a piece that has them."""
    return [labels for name, labels in question.labels.items() if name.startswith(ATTRIBUTE)]
