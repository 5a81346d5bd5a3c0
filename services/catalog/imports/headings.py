"""Finds the columns of an uploaded table by its headings, with the units that they name: 净重(t), 长度/m."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

from chassis.values import Exact, read_exact
from services.catalog.imports.cells import Cell
from services.catalog.markets.pack import Pack
from services.catalog.markets.texts import fold_heading, fold_name

MAX_HEADING = 100
# Wide brackets are narrow ones by then.
_with_unit = re.compile(
    r"(?P<name>.+?)\s*(?:[(\[【]\s*(?P<inside>[^()\[\]【】]+?)\s*[)\]】]|[/,]\s*(?P<behind>[^/,]+?))\s*", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a column stands, and how many of the unit in which it is kept make one of that in its heading."""

    index: int
    factor: Exact


class UnknownUnit(ValueError):
    """A heading names a unit that its column cannot be read in."""


def find_column(pack: Pack, heading: str, index: int) -> tuple[str, Place] | None:
    """The attribute or column that a heading stands for, and its place. Raises UnknownUnit.

    A heading without a unit is in the unit that the market states for it.
    """
    if (name := pack.by_heading.get(fold_heading(heading))) is not None:
        return name, Place(index, Exact(1))
    found = _with_unit.fullmatch(unicodedata.normalize("NFKC", heading[:MAX_HEADING]))
    name = pack.by_heading.get(fold_heading(found["name"])) if found else None
    kept_in = pack.unit_of(name) if name else None
    if found is None or name is None or kept_in is None:
        return None
    word = found["inside"] or found["behind"]
    unit = pack.unit_codes.get(fold_name(word))
    factor = pack.convert(unit, kept_in) if unit else None
    if factor is None:
        raise UnknownUnit(f"no unit of this column is called {word!r}")
    return name, Place(index, factor)


def convert(text: str, place: Place) -> str:
    """A number's text in the unit in which its column is kept, exactly; what is no number is left as it is."""
    if place.factor == 1:
        return text
    try:
        value = read_exact(text)
    except ValueError:
        return text
    return format((value * place.factor).normalize(), "f")


def read_figure(cell: Cell, place: Place) -> Decimal | None:
    """The number in a cell as the file has it, in the unit of its heading; None where there is none."""
    if cell.kind not in ("text", "digits", "number", "formula"):
        return None
    try:
        return read_exact(cell.text.strip())
    except ValueError:
        return None
