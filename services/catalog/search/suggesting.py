"""Completes what somebody is typing: only to what it could find."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from services.catalog.search.access import Viewer
from services.catalog.search.asking import Wanted, question_of
from services.catalog.search.describing import BETWEEN
from services.catalog.search.documents import complete_key
from services.catalog.search.engine import Question, SearchEngine
from services.catalog.search.knowledge import Knowledge

CANDIDATES = 4
"""For one completion so many are looked at: a name may be found by its words and by its initials."""


@dataclass(frozen=True)
class Suggestion:
    """A text that what was typed may be completed to, and how many things it finds."""

    text: str
    count: int


def suggest(
    engine: SearchEngine, knowledge: Knowledge, viewer: Viewer, wanted: Wanted, *, now: datetime, limit: int
) -> list[Suggestion]:
    """Completions of a text, the most often found first: of all of it, else of its last word under those before it."""
    typed = " ".join((wanted.text or "").split())
    head, _, tail = typed.rpartition(" ")
    for before, beginning in (("", complete_key(typed)), (head, complete_key(tail))):
        question = question_of(_of(wanted, before), knowledge, viewer, now) if beginning else None
        if question is not None and (found := _complete(engine, question, beginning, limit)):
            return [Suggestion(f"{before} {each.text}".strip(), each.count) for each in found]
        if not head:
            break
    return []


def _of(wanted: Wanted, text: str) -> Wanted:
    return Wanted(text=text or None, market=wanted.market, kinds=wanted.kinds)


def _complete(engine: SearchEngine, question: Question, beginning: str, limit: int) -> list[Suggestion]:
    found = engine.complete(replace(question, facets=(), limit=0), beginning, limit * CANDIDATES)
    shown: dict[str, int] = {}
    for term, count in found.items():
        text = term.partition(BETWEEN)[2]
        shown[text] = max(count, shown.get(text, 0))
    ranked = sorted(shown, key=lambda text: (-shown[text], text))
    return [Suggestion(text, shown[text]) for text in ranked[:limit]]
