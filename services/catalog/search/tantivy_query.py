"""Asks tantivy: a question as its query, pages of an exact order, and counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tantivy import FieldType, Index, Occur, Order, Query, Schema, Searcher

from services.catalog.search.access import PUBLIC
from services.catalog.search.dictionary import Alternative, Clause
from services.catalog.search.engine import (
    MOST_BUCKETS,
    MOST_KEY,
    Found,
    Hit,
    Position,
    Question,
    Range,
    pair_range,
    without,
)
from services.catalog.search.matcher import MIXED, labels_beside

MOST_COMPLETIONS = 2_000
PRIVATE = "private=1"
"""The label of what not everybody may see; ``tantivy_engine`` puts it on."""


class Asked:
    """A question put to one searcher."""

    def __init__(self, index: Index, searcher: Searcher, schema: Schema, question: Question) -> None:
        self.searcher = searcher
        self.question = question
        self._index = index
        self._schema = schema

    def find(self) -> Found:
        """A page of what is found, how many there are on all pages, and the counts of the facets."""
        asked = self._query(self.question)
        total, hits = self._page(asked) if self.question.limit else (self._count(asked), [])
        return Found(total, hits, self._facets(asked, total))

    def complete(self, beginning: str, limit: int) -> dict[str, int]:
        """Completions with a beginning, most often had first."""
        asked = self._query(self.question)
        found = dict(self.searcher.terms_with_prefix("completions", beginning, limit=MOST_COMPLETIONS))
        counted = {
            term: self._count(_all([asked, self._term("completions", term)])) for term in self._best(found, 4 * limit)
        }
        return {term: counted[term] for term in self._best(counted, limit) if counted[term]}

    def _best(self, counted: dict[str, int], limit: int) -> list[str]:
        return sorted(counted, key=lambda term: (-counted[term], term))[:limit]

    def _count(self, asked: Query) -> int:
        return self.searcher.search(asked, 1, count=True, order_by_field="newest").count or 0

    def _query(self, question: Question) -> Query:
        must = [self._range("until", question.now + 1, None)]
        must += [self._clause("words", clause) for clause in question.clauses]
        must += [self._clause("heading", clause) for clause in question.heading]
        must += [self._any("labels", labels) for labels in question.labels.values()]
        must += [self._number(question, asked) for asked in question.ranges]
        no = [self._term("labels", label) for label in sorted(question.excluded)] + self._hidden(question)
        if question.not_heading:
            no.append(_all([self._clause("heading", clause) for clause in question.not_heading]))
        return _all(must, no)

    def _hidden(self, question: Question) -> list[Query]:
        """What may not be seen: the few private things less those whose marks are shown.

        To ask for the marks themselves would join a list of nearly everything to every question.
        """
        if question.access is None:
            return []
        marks = [mark for mark in question.access if mark != PUBLIC]
        private = self._term("labels", PRIVATE)
        return [_all([private], [self._term("access", mark) for mark in marks])]

    def _clause(self, field: str, clause: Clause) -> Query:
        return _any([self._alternative(field, alternative) for alternative in clause])

    def _alternative(self, field: str, alternative: Alternative) -> Query:
        return _all([self._term(field, word) for word in alternative])

    def _term(self, field: str, word: str) -> Query:
        return Query.term_query(self._schema, field, word, "basic")

    def _any(self, field: str, words: Iterable[str]) -> Query:
        return _any([self._term(field, word) for word in words])

    def _number(self, question: Question, asked: Range) -> Query:
        """A number of its column; where pieces differ, one that stands beside each label that is asked for."""
        column = self._index.parse_query(f"numbers.{asked.name}:[{asked.least} TO {asked.most}]")
        if not (beside := labels_beside(question)):
            return column
        pairs = [_any([self._pair(label, asked) for label in labels]) for labels in beside]
        mixed = self._term("labels", MIXED)
        return _any([_all([column], [mixed]), _all([mixed, *pairs])])

    def _pair(self, label: str, asked: Range) -> Query:
        least, most = pair_range(label, asked)
        kind = FieldType.Integer
        return Query.range_query(self._schema, "pairs", kind, least, most, use_inverted_index=True)

    def _range(self, field: str, least: int | None, most: int | None) -> Query:
        return Query.range_query(self._schema, field, FieldType.Integer, least, most)

    def _facets(self, asked: Query, total: int) -> dict[str, dict[str, int]]:
        """Facets that nothing is asked of are counted together, each of the others under a question without it."""
        names, question = self.question.facets, self.question
        bound = {*question.labels, *(each.name for each in question.ranges)}.intersection(names)
        free = [name for name in names if name not in bound]
        counts = self._counts(asked, free) if total else {name: {} for name in free}
        for name in bound:
            counts |= self._counts(self._query(without(question, name)), [name])
        return {name: counts[name] for name in names}

    def _counts(self, asked: Query, names: list[str]) -> dict[str, dict[str, int]]:
        if not names:
            return {}
        wanted = {name: {"terms": {"field": f"facets.{name}", "size": MOST_BUCKETS}} for name in names}
        found = self.searcher.aggregate(asked, wanted)
        return {name: {each["key"]: each["doc_count"] for each in found[name]["buckets"]} for name in names}

    def _page(self, asked: Query) -> tuple[int, list[Hit]]:
        """How many there are, and the hits after the question's position.

        tantivy sorts by one number and leaves equals in any order: a group of equals is therefore only used when it was
        read to its end, and read further until enough is known.
        """
        question, order = self.question, self.question.order
        total, after = 0, question.after
        if after is not None:
            total = self._count(asked)
            least, most = (0, after.key) if order.descending else (after.key, MOST_KEY)
            asked = _all([asked, self._range(order.key, least, most)])
        wanted = question.limit + 1
        direction = Order.Desc if order.descending else Order.Asc
        while True:
            found = self.searcher.search(asked, wanted, count=True, order_by_field=order.key.value, order=direction)
            here = found.count or 0
            keys = found.hits if here <= wanted else [hit for hit in found.hits if hit[0] != found.hits[-1][0]]
            hits = self._in_order(keys, _is_after(after, order.descending), order.descending)
            if len(hits) >= question.limit or here <= wanted:
                return (here if after is None else total), hits[: question.limit]
            wanted *= 4

    def _in_order(self, keys: list, is_wanted: Callable[[Position], bool], descending: bool) -> list[Hit]:
        rows = [(key, self.searcher.doc(address)) for key, address in keys]
        hits = [Hit(Position(key, row["thing_id"][0]), bytes(row["body"][0])) for key, row in rows]
        hits = [hit for hit in hits if is_wanted(hit.position)]
        return sorted(hits, key=lambda hit: (hit.position.key, hit.position.thing_id), reverse=descending)


def _is_after(after: Position | None, descending: bool) -> Callable[[Position], bool]:
    if after is None:
        return lambda _: True
    there = (after.key, after.thing_id)
    if descending:
        return lambda position: (position.key, position.thing_id) < there
    return lambda position: (position.key, position.thing_id) > there


def _all(must: list[Query], no: Iterable[Query] = ()) -> Query:
    parts = [(Occur.Must, query) for query in must] + [(Occur.MustNot, query) for query in no]
    return must[0] if len(parts) == 1 else Query.boolean_query(parts)


def _any(some: list[Query]) -> Query:
    if not some:
        return Query.empty_query()
    return some[0] if len(some) == 1 else Query.boolean_query([(Occur.Should, query) for query in some])
