"""Asks Elasticsearch: a question as its query, pages of an exact order, and counts."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import Any

from elasticsearch import Elasticsearch

from services.catalog.search.dictionary import Alternative, Clause
from services.catalog.search.engine import MOST_BUCKETS, Found, Hit, Position, Question, Range, pair_range, without
from services.catalog.search.matcher import MIXED, labels_beside

Asked = dict[str, Any]
_special = re.compile(r"""[.?+*|{}\[\]()"\\#@&<>~^$-]""")


def find(client: Elasticsearch, index: str, question: Question) -> Found:
    """A page of what is found, how many there are on all pages, and the counts of the facets."""
    direction = "desc" if question.order.descending else "asc"
    asked: Asked = {
        "index": index,
        "query": _query(question),
        "sort": [{question.order.key.value: direction}, {"thing_id": direction}],
        "size": question.limit,
        "source": ["body"],
        "track_total_hits": True,
    }
    bound = {*question.labels, *(each.name for each in question.ranges)}.intersection(question.facets)
    if free := [name for name in question.facets if name not in bound]:
        asked["aggs"] = _counts(free)
    if question.after is not None:
        asked["search_after"] = [question.after.key, question.after.thing_id]
    answer = client.search(**asked)
    counted = _read_counts(answer, free)
    for name in bound:
        other = client.search(index=index, query=_query(without(question, name)), size=0, aggs=_counts([name]))
        counted |= _read_counts(other, [name])
    hits = [_hit_of(hit) for hit in answer["hits"]["hits"]]
    return Found(answer["hits"]["total"]["value"], hits, {name: counted[name] for name in question.facets})


def complete(client: Elasticsearch, index: str, question: Question, beginning: str, limit: int) -> dict[str, int]:
    """Completions with a beginning, most often had first."""
    terms = {"field": "completions", "include": _special.sub(r"\\\g<0>", beginning) + ".*", "size": MOST_BUCKETS}
    answer = client.search(index=index, query=_query(question), size=0, aggs={"completions": {"terms": terms}})
    found = {each["key"]: each["doc_count"] for each in answer["aggregations"]["completions"]["buckets"]}
    return {term: found[term] for term in sorted(found, key=lambda term: (-found[term], term))[:limit]}


def _counts(names: Iterable[str]) -> Asked:
    return {name: {"terms": {"field": f"facets.{name}", "size": MOST_BUCKETS}} for name in names}


def _read_counts(answer: Any, names: Iterable[str]) -> dict[str, dict[str, int]]:
    return {
        name: {each["key"]: each["doc_count"] for each in answer["aggregations"][name]["buckets"]} for name in names
    }


def _query(question: Question) -> Asked:
    must: list[Asked] = [{"range": {"until": {"gt": question.now}}}]
    must += [_clause("words", clause) for clause in question.clauses]
    must += [_clause("heading", clause) for clause in question.heading]
    must += [{"terms": {"labels": list(labels)}} for labels in question.labels.values()]
    must += [_number(question, asked) for asked in question.ranges]
    if question.access is not None:
        must.append({"terms": {"access": list(question.access)}})
    no = [{"terms": {"labels": sorted(question.excluded)}}] if question.excluded else []
    if question.not_heading:
        no.append({"bool": {"filter": [_clause("heading", clause) for clause in question.not_heading]}})
    return {"bool": {"filter": must, "must_not": no}}


def _clause(field: str, clause: Clause) -> Asked:
    return _any([_alternative(field, alternative) for alternative in clause])


def _alternative(field: str, alternative: Alternative) -> Asked:
    terms = [{"term": {field: word}} for word in alternative]
    return terms[0] if len(terms) == 1 else {"bool": {"filter": terms}}


def _any(some: list[Asked]) -> Asked:
    return some[0] if len(some) == 1 else {"bool": {"should": some, "minimum_should_match": 1}}


def _number(question: Question, asked: Range) -> Asked:
    """A number of its field; where pieces differ, one that stands beside each label that is asked for."""
    field = {"range": {f"numbers.{asked.name}": {"gte": asked.least, "lte": asked.most}}}
    if not (beside := labels_beside(question)):
        return field
    mixed = {"term": {"labels": MIXED}}
    pairs = [_any([_pair(label, asked) for label in labels]) for labels in beside]
    return _any([{"bool": {"filter": [field], "must_not": [mixed]}}, {"bool": {"filter": [mixed, *pairs]}}])


def _pair(label: str, asked: Range) -> Asked:
    least, most = pair_range(label, asked)
    return {"range": {"pairs": {"gte": least, "lte": most}}}


def _hit_of(hit: Any) -> Hit:
    key, thing_id = hit["sort"]
    return Hit(Position(key, thing_id), base64.b64decode(hit["_source"]["body"]))
