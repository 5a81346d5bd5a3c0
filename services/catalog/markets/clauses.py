"""The clauses of a market's agreement: which placeholders they may have, and the mistakes that a pack makes in them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from events.catalog import Clause

LANGUAGES = ("zh", "en")
PLACEHOLDERS = frozenset({
    "buyer", "seller", "buyer_code", "seller_code", "offer", "deal", "goods", "quantity", "price", "tax_basis", "tax_rate",
    "net", "tax", "gross", "buyer_deposit", "seller_deposit", "deposit_kind", "deposit_use", "weighing_rule", "tolerance",
    "dispute_limit", "place", "warehouse", "delivery_mode", "deliver_by", "pay_period", "inspect_period", "receive_period",
    "supplement_period", "release", "penalty_rate", "fee_rate",
})  # fmt: skip
SHARED = Path(__file__).parent / "shared_clauses.toml"
_braces = re.compile(r"\{([^{}]*)\}")


@cache
def load_shared() -> dict[str, Any]:
    """The clauses that any pack may use, by name."""
    return tomllib.loads(SHARED.read_text("utf-8"))


def fill_in_shared(clauses: list[Any]) -> list[Any]:
    """Clauses of a pack's file, with those that only name a shared one (``use``) replaced by it. An unknown name is left."""
    return [
        load_shared().get(each["use"], each) if isinstance(each, dict) and set(each) == {"use"} else each
        for each in clauses
    ]


def find_bad_clauses(clauses: Iterable[Clause]) -> Iterator[tuple[str, str]]:
    """What is wrong in clauses: key and reason."""
    for i, clause in enumerate(clauses):
        for part, texts in (("heading", clause.heading), ("text", clause.text)):
            for reason_key, reason in _find_bad_texts(texts):
                yield f"clauses[{i}].{part}{reason_key}", reason


def _find_bad_texts(texts: dict[str, str]) -> Iterator[tuple[str, str]]:
    if set(texts) != set(LANGUAGES):
        yield "", f"stands in each of {', '.join(LANGUAGES)} and in no other language"
        return
    for language, text in texts.items():
        if not text.strip():
            yield f".{language}", "is empty"
        for name in _braces.findall(text):
            if name not in PLACEHOLDERS:
                yield f".{language}", f"there is no placeholder {{{name}}}"
        if set("{}") & set(_braces.sub("", text)):
            yield f".{language}", "a brace stands alone"
    if set(_braces.findall(texts["zh"])) != set(_braces.findall(texts["en"])):
        yield "", "does not have the same placeholders in both languages"
