"""Fills the clauses of a market's agreement in with the words of a deal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from events.catalog import Clause

_placeholder = re.compile(r"\{(\w+)\}")


def fill_in(clauses: Iterable[Clause], words: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """Headings and texts by language, each placeholder replaced by its word; one without a word stays as it stands."""
    return [{"heading": _fill_all(clause.heading, words), "text": _fill_all(clause.text, words)} for clause in clauses]


def _fill_all(texts: Mapping[str, str], words: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {language: _fill(text, words.get(language, {})) for language, text in texts.items()}


def _fill(text: str, words: Mapping[str, str]) -> str:
    return _placeholder.sub(lambda found: words.get(found[1], found[0]), text.strip())
