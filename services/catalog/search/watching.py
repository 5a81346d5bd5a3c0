"""Shows what was indexed to the saved searches, with no transaction open while it compares.

Every saved search is kept in memory under one word or label that whatever fits it must have, so that a document is only
compared with the few that it may fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import msgspec
from sqlalchemy.orm import Session

from chassis import clock
from chassis.database import Database
from chassis.problems import Invalid
from services.catalog.search import saved
from services.catalog.search.access import OPERATOR, Viewer
from services.catalog.search.asking import Wanted, question_of
from services.catalog.search.describing import make_label
from services.catalog.search.documents import Made
from services.catalog.search.engine import Document, Question, SearchEngine
from services.catalog.search.hits import read_hit
from services.catalog.search.keys import milliseconds
from services.catalog.search.knowledge import find_knowledge, find_viewers
from services.catalog.search.matcher import fits
from services.catalog.search.saved import SavedSearch

PAGE = 1_000
KNOWN_AT_MOST = 1_000
"""What fits a search when it is saved is noted up to so many things; of a wider one only what came later is new."""
BEGUN_AT_ONCE = 10
COMMON = ("market=", "kind=", "currency=", "stock=", "buy=")


@dataclass(frozen=True)
class Watcher:
    """A saved search as a question that everybody may ask."""

    search_id: str
    party_id: str
    wanted: Wanted
    question: Question


@dataclass
class Watchers:
    """Saved searches under what a fitting document must have."""

    by_mark: dict[str, list[Watcher]] = field(default_factory=dict)
    others: list[Watcher] = field(default_factory=list)

    def add(self, watcher: Watcher) -> None:
        """Keep a search."""
        mark = mark_of(watcher.question)
        (self.others if mark is None else self.by_mark.setdefault(mark, [])).append(watcher)

    def may_fit(self, document: Document) -> Iterator[Watcher]:
        """The searches that a document may fit."""
        for marks in (document.words, document.labels):
            for mark in self.by_mark.keys() & marks:
                yield from self.by_mark[mark]
        yield from self.others


def mark_of(question: Question) -> str | None:
    """A word or label that whatever fits must have; the longest word, else a label that few things have."""
    words = [word for clause in question.clauses if len(clause) == 1 for word in clause[0]]
    labels = [asked[0] for asked in question.labels.values() if len(asked) == 1]
    rare = [label for label in labels if not label.startswith(COMMON)]
    return next(iter(sorted(rare) or sorted(words, key=len, reverse=True) or sorted(labels)), None)


class Watch:
    """The saved searches as one process knows them. One thread uses it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watchers = Watchers()
        self._last = 0

    def show(self, made: Sequence[Made]) -> int:
        """Tell of documents that fit saved searches; how many were told.

        Searches are looked up after the documents were written: one that is saved later finds them in the index.
        """
        self._database.look(self._look_up)
        candidates = [(watcher, each) for each in made for watcher in self._candidates(each.document)]
        if not candidates:
            return 0
        parties = {watcher.party_id for watcher, _ in candidates}
        viewers = self._database.look(lambda session: find_viewers(session, parties))
        fitting = {
            (watcher.search_id, each.document.thing_id): (read_hit(each.document.body).kind, each.title)
            for watcher, each in candidates
            if _may_see(viewers[watcher.party_id], watcher.wanted, each.document)
        }
        return self._database.run(lambda session: saved.tell(session, fitting)) if fitting else 0

    def _candidates(self, document: Document) -> Iterator[Watcher]:
        now = milliseconds(clock.now())
        for watcher in self._watchers.may_fit(document):
            is_own = make_label("seller", watcher.party_id) in document.labels
            if not is_own and fits(document, replace(watcher.question, now=now)):
                yield watcher

    def _look_up(self, session: Session) -> None:
        while found := saved.list_after(session, self._last, PAGE):
            for search in found:
                if (watcher := _watcher(session, search)) is not None:
                    self._watchers.add(watcher)
                self._last = search.number

    def begin(self, engine: SearchEngine) -> int:
        """Note what fits searches that were just saved, and tell of what came since; how many were begun."""
        new = self._database.look(lambda session: self._list_new(session))
        if not new:
            return 0
        engine.refresh()
        for search_id, watcher, viewer in new:
            if watcher is None:  # A market no longer has what it asks for: nothing is known to fit, and nothing will.
                self._database.run(lambda session, id=search_id: saved.note_known(session, id, (), found=1))
                continue
            asked = replace(watcher.question, access=viewer.marks, now=milliseconds(clock.now()), limit=KNOWN_AT_MOST)
            found = engine.search(asked)
            hits = {hit.position.thing_id: read_hit(hit.body) for hit in found.hits}
            fitting = {
                (watcher.search_id, id): (hit.kind, hit.title)
                for id, hit in hits.items()
                if hit.seller_id != watcher.party_id
            }
            self._database.run(
                lambda session, id=watcher.search_id, hits=hits, found=found, fitting=fitting: _begin(
                    session, id, hits, found.total, fitting
                )
            )
        return len(new)

    def _list_new(self, session: Session) -> list[tuple[str, Watcher | None, Viewer]]:
        if not (new := saved.list_new(session, BEGUN_AT_ONCE)):
            return []
        viewers = find_viewers(session, {search.party_id for search in new})
        return [(search.id, _watcher(session, search), viewers[search.party_id]) for search in new]


def _begin(
    session: Session, search_id: str, hits: Iterable[str], total: int, fitting: dict[tuple[str, str], tuple[str, str]]
) -> None:
    saved.note_known(session, search_id, hits, found=total)
    saved.tell(session, fitting)


def _watcher(session: Session, search: SavedSearch) -> Watcher | None:
    """A saved search as a question; None where a market no longer has what it asks for."""
    wanted = msgspec.structs.replace(saved.read_wanted(search), facets=[])
    try:
        question = question_of(wanted, find_knowledge(session), OPERATOR, clock.now())
    except Invalid:
        return None
    return None if question is None else Watcher(search.id, search.party_id, wanted, question)


def _may_see(viewer: Viewer, wanted: Wanted, document: Document) -> bool:
    """Whether a company sees a thing and, where that is asked, may buy it."""
    is_seen = viewer.marks is None or not document.access.isdisjoint(viewer.marks)
    may_buy = not wanted.allowed or not document.labels.isdisjoint(f"buy={lock}" for lock in viewer.opened)
    return is_seen and may_buy
