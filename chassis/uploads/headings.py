"""Finds the columns of an uploaded table by its headings, with the units that they name: 净重(t), 长度/m."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from chassis.uploads.fields import Field
from chassis.values import Exact

MAX_HEADING = 100
# Wide brackets are narrow ones by then.
_with_unit = re.compile(
    r"(?P<name>.+?)\s*(?:[(\[【]\s*(?P<inside>[^()\[\]【】]+?)\s*[)\]】]|[/,]\s*(?P<behind>[^/,]+?))\s*", re.DOTALL
)
Source = Literal["guessed", "kept", "chosen", "unknown"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file: where it stands, what it is called there, what it is of, and the unit that it is in if that is
    another than the one that is kept.

    ``source`` says how that is known. ``reason`` says why it is not read.
    """

    index: int
    heading: str
    field: str | None
    unit: str | None = None
    source: Source = "guessed"
    reason: str | None = None


def fold_heading(text: str) -> str:
    """A heading without what people write differently: width, case, spaces, brackets and signs."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return "".join(sign for sign in folded if sign.isalnum())


def fold_word(text: str) -> str:
    """A word without width, case and blanks."""
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


def guess_columns(fields: Sequence[Field], headings: Sequence[str]) -> list[Column]:
    """What each column of a file is, as far as its headings tell."""
    by_heading = {
        fold_heading(heading): each for each in fields for heading in (*each.headings, *each.label.values(), each.name)
    }
    columns: list[Column] = []
    taken: dict[str, str] = {}
    for index, heading in enumerate(headings):
        column = _guess(by_heading, index, heading)
        if column.field in taken:
            column = Column(index, heading, None, None, "unknown", f"the same column as {taken[column.field]!r}")
        elif column.field is not None:
            taken[column.field] = heading
        columns.append(column)
    return columns


def _guess(by_heading: Mapping[str, Field], index: int, heading: str) -> Column:
    if (found := by_heading.get(fold_heading(heading))) is not None:
        return Column(index, heading, found.name)
    parts = _with_unit.fullmatch(unicodedata.normalize("NFKC", heading[:MAX_HEADING]))
    named = by_heading.get(fold_heading(parts["name"])) if parts else None
    if parts is None or named is None or not named.factors:
        return Column(index, heading, None, None, "unknown")
    word = parts["inside"] or parts["behind"]
    if fold_word(word) not in named.factors:
        return Column(index, heading, None, None, "unknown", f"no unit of this column is called {word!r}")
    return Column(index, heading, named.name, word)


def factor_of(field: Field, unit: str | None) -> Exact | None:
    """How many of the unit that is kept make one of a column's; None when it has no such unit."""
    return Exact(1) if unit is None else field.factors.get(fold_word(unit))
