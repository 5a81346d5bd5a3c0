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

from services.catalog.search.elastic_query import complete, find
from services.catalog.search.engine import LAYOUT, Change, Document, Found, Key, Question, SearchUnavailable, newest

ALIAS = "haihe-things"
TIMEOUT_S = 10
REFUSED_ATTEMPTS = 5
READY_S = 5.0
_ABSENT, _OLDER, _TOO_MANY = 404, 409, 429

# What stands for a thing that is gone. A deletion would be forgotten after a minute, and makes an index where none is.
_GONE = {"until": 0}

_SETTINGS = {
    "number_of_shards": 1,
    "auto_expand_replicas": "0-1",
    "refresh_interval": "1s",
    "mapping": {"total_fields": {"limit": 5_000}},
    "analysis": {
        "analyzer": {"spaces": {"type": "custom", "tokenizer": "spaces"}},
        "tokenizer": {"spaces": {"type": "whitespace"}},
    },
}
_WORDS = {"type": "text", "analyzer": "spaces", "norms": False, "index_options": "docs"}
_LABELS = {"type": "keyword", "doc_values": False}
_MAPPINGS = {
    "dynamic": "strict",
    "_meta": {"layout": LAYOUT},
    # Markets have any number of attributes: each is a field of its own below these two.
    "dynamic_templates": [
        {"facets": {"path_match": "facets.*", "mapping": {"type": "keyword", "index": False}}},
        {"numbers": {"path_match": "numbers.*", "mapping": {"type": "long", "doc_values": False}}},
    ],
    "properties": {
        "thing_id": {"type": "keyword"},
        "words": _WORDS,
        "heading": _WORDS,
        "labels": _LABELS,
        "access": _LABELS,
        "completions": {"type": "keyword"},
        "facets": {"type": "object", "dynamic": True},
        "numbers": {"type": "object", "dynamic": True},
        "pairs": {"type": "long", "doc_values": False},
        **{key.value: {"type": "long"} for key in Key},
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
        with _unavailable():
            return find(self._client, self.alias, question)

    def complete(self, question: Question, beginning: str, limit: int) -> dict[str, int]:
        """Completions with this beginning among what a question finds, with how many things have each."""
        with _unavailable():
            return complete(self._client, self.alias, question, beginning, limit)

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
                raise RuntimeError(f"Elasticsearch refused {change.thing_id}: {answer.get('error')}")
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

    def size_bytes(self) -> int:
        """What the index takes on disk."""
        with _unavailable():
            return self._client.indices.stats(index=self.alias)["_all"]["primaries"]["store"]["size_in_bytes"]

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
        about = {"_id": change.thing_id, "version": change.version, "version_type": "external_gte"}
        lines += [{"index": about}, _source_of(change) if isinstance(change, Document) else _GONE]
    return lines


def _source_of(document: Document) -> dict[str, Any]:
    return {
        "thing_id": document.thing_id,
        "words": " ".join(document.words),
        "heading": " ".join(document.heading),
        "labels": list(document.labels),
        "access": list(document.access),
        "completions": list(document.completions),
        "facets": {name: list(values) for name, values in document.facets.items()},
        "numbers": {name: list(values) for name, values in document.numbers.items()},
        "pairs": list(document.pairs),
        **{key.value: value for key, value in document.keys.items()},
        "until": document.until,
        "body": base64.b64encode(document.body).decode(),
    }
