"""Opens the engine that the settings name."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from chassis.settings import BadSetting
from services.catalog.search.engine import SearchEngine


def open_engine(address: str) -> SearchEngine:
    """An engine of one's own: tantivy for ``tantivy:FOLDER``, Elasticsearch for a URL. Raises BadSetting.

    Each is imported only when it is used: a process has the packages of its own profile.
    """
    kind, _, rest = address.partition(":")
    if kind == "tantivy" and rest:
        from services.catalog.search.tantivy_engine import TantivyEngine

        return TantivyEngine(Path(rest))
    if kind in ("http", "https"):
        from services.catalog.search.elastic_engine import ElasticEngine

        return ElasticEngine(address)
    raise BadSetting(f"HAIHE_SEARCH must be tantivy:FOLDER or the URL of Elasticsearch, not {address!r}")


@cache
def shared_engine(address: str) -> SearchEngine:
    """The engine that the requests of this process share, opened by the first of them."""
    return open_engine(address)
