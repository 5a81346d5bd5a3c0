"""Asks tantivy: a question as its query, and pages of an exact order."""

from __future__ import annotations

from tantivy import FieldType, Occur, Order, Query, Schema, Searcher

from services.catalog.search.engine import Found, Hit, Position, Question
from services.catalog.search.words import Clause

MOST_SORT_KEY = 2**63 - 1


def find(searcher: Searcher, schema: Schema, question: Question) -> Found:
    """A page of what is found, and how many there are on all pages."""
    asked = _query_of(schema, question)
    total = searcher.search(asked, 1, count=True).count or 0
    return Found(total, _page(searcher, schema, asked, question) if total else [])


def _query_of(schema: Schema, question: Question) -> Query:
    must = [Query.range_query(schema, "until", FieldType.Integer, question.now, None, include_lower=False)]
    must += [_words(schema, clause) for clause in question.clauses]
    must += [_phrase(schema, "places", clause) for clause in question.places]
    must += [Query.term_query(schema, "labels", label) for label in question.labels]
    must += [
        Query.range_query(schema, "numbers", FieldType.Integer, numbers.least, numbers.most)
        for numbers in question.numbers
    ]
    return Query.boolean_query([(Occur.Must, query) for query in must])


def _words(schema: Schema, clause: Clause) -> Query:
    return Query.term_query(schema, "parts", clause[0]) if len(clause) == 1 else _phrase(schema, "phrases", clause)


def _phrase(schema: Schema, field: str, clause: Clause) -> Query:
    if len(clause) == 1:
        return Query.term_query(schema, field, clause[0])
    return Query.phrase_query(schema, field, list(clause))


def _page(searcher: Searcher, schema: Schema, asked: Query, question: Question) -> list[Hit]:
    """The hits after the question's position.

    tantivy sorts by one number and leaves equals in any order: a group of equals is therefore only used when it was
    read to its end, and read further until enough is known.
    """
    sort = question.sort
    if question.after is not None:
        least, most = (0, question.after.key) if sort.descending else (question.after.key, MOST_SORT_KEY)
        here = Query.range_query(schema, sort.key, FieldType.Integer, least, most)
        asked = Query.boolean_query([(Occur.Must, asked), (Occur.Must, here)])
    wanted = question.limit + 1
    while True:
        order = Order.Desc if sort.descending else Order.Asc
        found = searcher.search(asked, wanted, count=True, order_by_field=sort.key, order=order)
        complete = (
            found.hits if (found.count or 0) <= wanted else [hit for hit in found.hits if hit[0] != found.hits[-1][0]]
        )
        rows = [(key, searcher.doc(address)) for key, address in complete]
        hits = [Hit(Position(key, row["offer_id"][0]), bytes(row["body"][0])) for key, row in rows]
        hits.sort(key=lambda hit: (hit.position.key, hit.position.offer_id), reverse=sort.descending)
        hits = [
            hit for hit in hits if question.after is None or _is_after(hit.position, question.after, sort.descending)
        ]
        if len(hits) >= question.limit or (found.count or 0) <= wanted:
            return hits[: question.limit]
        wanted *= 4


def _is_after(position: Position, after: Position, descending: bool) -> bool:
    here, there = (position.key, position.offer_id), (after.key, after.offer_id)
    return here < there if descending else here > there
