"""The plainest engine that there can be: compares every document with the question in Python. The others are held to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from events.identity import Licence
from services.catalog.search.access import OPERATOR, Viewer, viewer_of
from services.catalog.search.asking import Wanted
from services.catalog.search.engine import (
    Change,
    Document,
    Found,
    Hit,
    Position,
    Question,
    SearchEngine,
    newest,
    without,
)
from services.catalog.search.finding import Results, find_things
from services.catalog.search.knowledge import Knowledge
from services.catalog.search.matcher import fits
from services.catalog.search.spelling import Vocabulary
from tests.golden.markets import make_packs
from tests.golden.things import NOW, make_catalog, number_of


class Oracle:
    """A list of documents that answers as an engine does."""

    def __init__(self) -> None:
        self.documents: dict[str, Change] = {}

    def is_ready(self) -> bool:
        return True

    def write(self, changes: Sequence[Change]) -> None:
        for change in newest(changes):
            known = self.documents.get(change.thing_id)
            if known is None or known.version <= change.version:
                self.documents[change.thing_id] = change

    @contextmanager
    def rebuilt(self) -> Iterator[Any]:
        self.documents = {}
        yield self.write

    def search(self, question: Question) -> Found:
        found = self._fitting(question)
        facets = {name: dict(self._count(without(question, name), name)) for name in question.facets}
        order = question.order
        hits = [Hit(Position(each.keys[order.key], each.thing_id), each.body) for each in found]
        hits.sort(key=lambda hit: (hit.position.key, hit.position.thing_id), reverse=order.descending)
        if (after := question.after) is not None:
            there = (after.key, after.thing_id)
            hits = [
                hit for hit in hits if _is_beyond((hit.position.key, hit.position.thing_id), there, order.descending)
            ]
        return Found(len(found), hits[: question.limit], facets)

    def complete(self, question: Question, beginning: str, limit: int) -> dict[str, int]:
        counted = Counter(
            term for each in self._fitting(question) for term in each.completions if term.startswith(beginning)
        )
        return {term: counted[term] for term in sorted(counted, key=lambda term: (-counted[term], term))[:limit]}

    def refresh(self) -> None:
        pass

    def close(self) -> None:
        pass

    def _fitting(self, question: Question) -> list[Document]:
        return [each for each in self.documents.values() if isinstance(each, Document) and fits(each, question)]

    def _count(self, question: Question, name: str) -> Counter[str]:
        return Counter(value for each in self._fitting(question) for value in each.facets.get(name, ()))


def _is_beyond(here: tuple[int, str], there: tuple[int, str], descending: bool) -> bool:
    return here < there if descending else here > there


@dataclass
class Shop:
    """The fixed catalog in an engine, and those who look into it."""

    engine: SearchEngine
    knowledge: Knowledge = field(default_factory=lambda: Knowledge(tuple(make_packs().values())))
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    locks: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        made = make_catalog()
        self.vocabulary.add(self.knowledge.dictionary.latin_words)
        self.vocabulary.add(word for each in made for word in each.document.words)
        self.locks = {lock.id: lock for each in made for lock in each.locks if lock.needs}

    def viewer(self, name: str) -> Viewer:
        """A company by the last part of its id; ``licensed`` holds every licence."""
        if name == "operator":
            return OPERATOR
        until = NOW + timedelta(days=1)
        held = [Licence(scheme=need.scheme, number="1", scope=["3", "8"], valid_until=until)
                for lock in self.locks.values() for need in lock.needs] if name == "licensed" else []  # fmt: skip
        return viewer_of(f"party_{name}", held, self.locks, NOW)

    def results(self, wanted: Wanted, viewer: Viewer, **page: Any) -> Results:
        """A page of what is found."""
        return find_things(
            self.engine, self.knowledge, viewer, wanted, now=NOW, find_spell=lambda: self.vocabulary.meant_by, **page
        )

    def find(self, wanted: Wanted, viewer: Viewer) -> list[int]:
        """The numbers of all that is found, in order."""
        found = self.results(wanted, viewer, limit=100)
        assert found.total == len(found.items) and found.next is None
        return [number_of(item.id) for item in found.items]


def fill(engine: SearchEngine) -> None:
    """Put the fixed catalog into an engine: half at once, half singly and late, as events come."""
    documents = [each.document for each in make_catalog()]
    with engine.rebuilt() as put:
        put(documents[::2])
    for document in documents[1::2]:
        engine.write([document])
    engine.write([replace(documents[0], version=documents[0].version - 1, words=frozenset())])
    engine.refresh()


def make_oracle() -> Shop:
    """The fixed catalog in plain Python."""
    oracle = Oracle()
    fill(oracle)
    return Shop(oracle)
