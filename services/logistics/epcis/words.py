"""Where in an event the words of the CBV stand, and how to rewrite all of them at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.logistics.epcis.vocabulary import (
    BIZ_STEP,
    COMPONENT,
    DISPOSITION,
    ERROR_REASON,
    EXCEPTION,
    MEASUREMENT,
    SOURCE_DEST,
    TRANSACTION,
    Vocabulary,
    read_word,
)

Rewrite = Callable[[Vocabulary, str], str]

TOP = {"bizStep": BIZ_STEP, "disposition": DISPOSITION}
PAIR_TYPES = {"bizTransactionList": TRANSACTION, "sourceList": SOURCE_DEST, "destinationList": SOURCE_DEST}
REPORT_WORDS = {"type": MEASUREMENT, "exception": EXCEPTION, "component": COMPONENT}


def rewrite_words(fields: dict[str, Any], rewrite: Rewrite) -> None:
    """Puts ``rewrite(vocabulary, word)`` in place of every word of an event's fields; what is misshapen is left alone."""
    for name, vocabulary in TOP.items():
        _rewrite_at(fields, name, vocabulary, rewrite)
    for name, vocabulary in PAIR_TYPES.items():
        for pair in mappings(fields.get(name)):
            _rewrite_at(pair, "type", vocabulary, rewrite)
    for element in mappings(fields.get("sensorElementList")):
        for report in mappings(element.get("sensorReport")):
            for name, vocabulary in REPORT_WORDS.items():
                _rewrite_at(report, name, vocabulary, rewrite)
    if isinstance(lasting := fields.get("persistentDisposition"), dict):
        for name in ("set", "unset"):
            _rewrite_at(lasting, name, DISPOSITION, rewrite)
    if isinstance(declared := fields.get("errorDeclaration"), dict):
        _rewrite_at(declared, "reason", ERROR_REASON, rewrite)


def read_words(fields: dict[str, Any]) -> None:
    """Makes every word of the CBV in an event bare, in whichever form it was written."""
    rewrite_words(fields, read_word)


def mappings(value: Any) -> list[dict[str, Any]]:
    """The mappings in a list; none where it is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _rewrite_at(owner: dict[str, Any], name: str, vocabulary: Vocabulary, rewrite: Rewrite) -> None:
    value = owner.get(name)
    if isinstance(value, str):
        owner[name] = rewrite(vocabulary, value)
    elif isinstance(value, list):
        owner[name] = [rewrite(vocabulary, one) if isinstance(one, str) else one for one in value]
