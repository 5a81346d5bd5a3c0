"""The distributed engine: Elasticsearch behind an alias.

Each document carries its version from outside, so that a late one is refused there; a rebuild fills a new index and
swaps the alias in one step. Words come ready from ``words.py``: the server only splits at spaces. No scripts, no
server-side re-index: any server of version 9 will do.
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from elasticsearch import ApiError, Elasticsearch, NotFoundError, TransportError

from services.catalog.search.engine import (
    LAYOUT,
    Change,
    Document,
    Found,
    Hit,
    Position,
    Question,
    SearchUnavailable,
    newest,
)
from services.catalog.search.words import Clause

ALIAS = "haihe-offers"
TIMEOUT_S = 10
REFUSED_ATTEMPTS = 5
READY_S = 5.0
_ABSENT, _OLDER, _TOO_MANY = 404, 409, 429

# What stands for an offer that is gone. A deletion would be forgotten after a minute, and makes an index where none is.
_GONE = {"until": 0}

_SETTINGS = {
    "number_of_shards": 1,
    "auto_expand_replicas": "0-1",
    "refresh_interval": "1s",
    "analysis": {
        "analyzer": {"spaces": {"type": "custom", "tokenizer": "spaces"}},
        "tokenizer": {"spaces": {"type": "whitespace"}},
    },
}
_MAPPINGS = {
    "dynamic": "strict",
    "_meta": {"layout": LAYOUT},
    "properties": {
        "offer_id": {"type": "keyword"},
        "phrases": {"type": "text", "analyzer": "spaces", "norms": False},
        "parts": {"type": "text", "analyzer": "spaces", "norms": False, "index_options": "docs"},
        "places": {"type": "text", "analyzer": "spaces", "norms": False},
        "labels": {"type": "keyword", "doc_values": False},
        "numbers": {"type": "long"},
        "rank": {"type": "long"},
        "price": {"type": "long"},
        "until": {"type": "long"},
        "body": {"type": "binary"},
    },
}


class ElasticEngine:
    """The index behind an alias. Made after fork; threads may share it."""

    def __init__(self, url: str, alias: str = ALIAS) -> None:
        self.alias = alias
        self._ready_until = 0.0
        self._client = Elasticsearch(
            url, request_timeout=TIMEOUT_S, max_retries=2, retry_on_timeout=True, retry_on_status=(429, 502, 503, 504)
        )

    def is_ready(self) -> bool:
        """Whether the alias stands for one index of the present layout; yes is believed for a few seconds."""
        if time.monotonic() < self._ready_until:
            return True
        if is_ready := self._has_index():
            self._ready_until = time.monotonic() + READY_S
        return is_ready

    def _has_index(self) -> bool:
        with _unavailable():
            try:
                indices = self._client.indices.get_mapping(index=self.alias).body
            except NotFoundError:
                return False
        layouts = [index["mappings"].get("_meta", {}).get("layout") for index in indices.values()]
        return layouts == [LAYOUT]

    def search(self, question: Question) -> Found:
        """A page of what is found. Raises SearchUnavailable when the server cannot be reached or has no index."""
        direction = "desc" if question.sort.descending else "asc"
        asked: dict[str, Any] = {
            "index": self.alias,
            "query": {"bool": {"filter": _filters_of(question)}},
            "sort": [{question.sort.key: direction}, {"offer_id": direction}],
            "size": question.limit,
            "source": ["body"],
            "track_total_hits": True,
        }
        if question.after is not None:
            asked["search_after"] = [question.after.key, question.after.offer_id]
        with _unavailable():
            answer = self._client.search(**asked)["hits"]
        return Found(answer["total"]["value"], [_hit_of(hit) for hit in answer["hits"]])

    def write(self, changes: Sequence[Change]) -> None:
        """Take changes in, durably. Raises SearchUnavailable, also when the alias is gone."""
        self._write(self.alias, newest(changes))

    def _write(self, alias: str, changes: list[Change]) -> None:
        """Write to an alias: a plain index that was deleted would be made again by the server, without its mappings."""
        left = changes
        for attempt in range(REFUSED_ATTEMPTS):
            if not left:
                return
            if attempt:
                time.sleep(0.1 * 2**attempt)
            with _unavailable():
                answer = self._client.bulk(index=alias, operations=_operations(left), require_alias=True)
            left = self._refused(left, answer["items"])
        if left:
            raise SearchUnavailable(f"the search engine refused {len(left)} documents: it is busy")

    def _refused(self, changes: list[Change], items: list[dict[str, Any]]) -> list[Change]:
        """What must be sent again. A document that is older than what is there is done; any other error is a bug."""
        again = []
        for change, item in zip(changes, items, strict=True):
            answer = item["index"]
            status = answer["status"]
            if status == _TOO_MANY or status >= 500:
                again.append(change)
            elif status == _ABSENT:
                self._ready_until = 0.0
                raise SearchUnavailable("the search index is gone")
            elif status >= 400 and status != _OLDER:
                raise RuntimeError(f"Elasticsearch refused {change.offer_id}: {answer.get('error')}")
        return again

    @contextmanager
    def rebuilt(self) -> Iterator[Callable[[Sequence[Change]], None]]:
        """A new index; the alias turns to it when the block ends well, and it is deleted when it does not."""
        index = f"{self.alias}_{secrets.token_hex(8)}"
        filling = f"{index}_filling"
        with _unavailable():
            self._client.indices.create(index=index, settings=_SETTINGS, mappings=_MAPPINGS, aliases={filling: {}})
        try:
            self._ready_until = 0.0
            yield lambda changes: self._write(filling, newest(changes))
            with _unavailable():
                self._client.indices.refresh(index=index)
                old = [name for name in self._indices() if name != index]
                self._client.indices.update_aliases(actions=self._swap(index, filling))
        except BaseException:
            with _unavailable():
                self._client.indices.delete(index=index, ignore_unavailable=True)
            raise
        if old:
            with _unavailable():
                self._client.indices.delete(index=old, ignore_unavailable=True)

    def _swap(self, index: str, filling: str) -> list[dict[str, Any]]:
        return [
            {"remove": {"index": f"{self.alias}_*", "alias": self.alias, "must_exist": False}},
            {"remove": {"index": index, "alias": filling}},
            {"add": {"index": index, "alias": self.alias, "is_write_index": True}},
        ]

    def refresh(self) -> None:
        """Make what was written findable at once."""
        with _unavailable():
            self._client.indices.refresh(index=self.alias)

    def drop(self) -> None:
        """Throw the index away; the next rebuild makes it again."""
        with _unavailable():
            for index in self._indices():
                self._client.indices.delete(index=index, ignore_unavailable=True)

    def _indices(self) -> list[str]:
        return sorted(self._client.indices.get(index=f"{self.alias}_*").body)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


@contextmanager
def _unavailable() -> Iterator[None]:
    """A server that cannot be reached, or has no index yet, is SearchUnavailable.

    Any other answer that is an error is a bug.
    """
    try:
        yield
    except TransportError as error:
        raise SearchUnavailable(f"the search engine does not answer: {type(error).__name__}") from error
    except ApiError as error:
        if error.status_code in (404, 429, 502, 503, 504):
            raise SearchUnavailable(f"the search engine answers {error.status_code}") from error
        raise


def _operations(changes: list[Change]) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    for change in changes:
        about = {"_id": change.offer_id, "version": change.version, "version_type": "external_gte"}
        lines += [{"index": about}, _source_of(change) if isinstance(change, Document) else _GONE]
    return lines


def _source_of(document: Document) -> dict[str, Any]:
    return {
        "offer_id": document.offer_id,
        "phrases": document.phrases,
        "parts": document.parts,
        "places": document.places,
        "labels": list(document.labels),
        "numbers": list(document.numbers),
        "rank": document.rank,
        "price": document.price,
        "until": document.until,
        "body": base64.b64encode(document.body).decode(),
    }


def _filters_of(question: Question) -> list[dict[str, Any]]:
    filters: list[dict[str, Any]] = [{"range": {"until": {"gt": question.now}}}]
    filters += [_words(clause) for clause in question.clauses]
    filters += [_phrase("places", clause) for clause in question.places]
    filters += [{"term": {"labels": label}} for label in question.labels]
    filters += [{"range": {"numbers": {"gte": numbers.least, "lte": numbers.most}}} for numbers in question.numbers]
    return filters


def _words(clause: Clause) -> dict[str, Any]:
    return {"term": {"parts": clause[0]}} if len(clause) == 1 else _phrase("phrases", clause)


def _phrase(field: str, clause: Clause) -> dict[str, Any]:
    return {"match_phrase": {field: " ".join(clause)}}


def _hit_of(hit: dict[str, Any]) -> Hit:
    key, offer_id = hit["sort"]
    return Hit(Position(key, offer_id), base64.b64decode(hit["_source"]["body"]))
