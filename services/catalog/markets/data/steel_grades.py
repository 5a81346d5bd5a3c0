"""Which grade of steel replaces which across GB, EN, ASTM and JIS, and how well.

Sources are named in the table. ``exact`` is one steel, ``close`` nearly so, ``similar`` serves the same purpose but differs:
two members of a group are to each other what the weaker of the two is to the group's first grade.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Literal

import msgspec

from services.catalog.markets.data.table import read_table
from services.catalog.markets.words import Bilingual

SOURCE = "GB/T 700, 1591, 699, 3077, 1222, 20878, 713, 2518, 5213; EN 10025, 10028, 10083, 10088; ASTM and JIS G product standards"

Degree = Literal["exact", "close", "similar"]
_WEAKNESS: dict[Degree, int] = {"exact": 0, "close": 1, "similar": 2}


class Grade(msgspec.Struct, frozen=True, kw_only=True):
    """A grade by a system of standards (GB, EN, ASTM, JIS) and what it is to the grade that was asked about."""

    grade: str
    system: Literal["GB", "EN", "ASTM", "JIS"]
    degree: Degree


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Grades that replace each other."""

    name: Bilingual
    grades: tuple[Grade, ...]


def _read() -> tuple[Group, ...]:
    return tuple(
        Group(
            name=Bilingual(**group["name"]),
            grades=tuple(Grade(grade=grade, system=system, degree=degree) for grade, system, degree in group["grades"]),
        )
        for group in read_table("steel_grades")["groups"]
    )


GROUPS = _read()


def fold_grade(text: str) -> str:
    """A grade without what people write differently: width, case, spaces, points, hyphens, and the words ASTM and Gr."""
    folded = unicodedata.normalize("NFKC", text).upper()
    folded = re.sub(r"^(ASTM|EN|JIS|GB|AISI|DIN)\s+", "", folded)
    return re.sub(r"GRADE|GR\.|[\s.\-+]", "", folded)


@cache
def _by_grade() -> dict[str, list[tuple[Group, Grade]]]:
    found: dict[str, list[tuple[Group, Grade]]] = {}
    for group in GROUPS:
        for grade in group.grades:
            found.setdefault(fold_grade(grade.grade), []).append((group, grade))
    return found


def equivalents_of(text: str) -> list[Grade]:
    """What replaces a grade, the best first, each with its degree to the grade asked about; empty where none is known."""
    asked = fold_grade(text)
    best: dict[str, Grade] = {}
    for group, own in _by_grade().get(asked, []):
        for other in group.grades:
            name = fold_grade(other.grade)
            degree = max(own.degree, other.degree, key=_WEAKNESS.__getitem__)
            if name != asked and (name not in best or _WEAKNESS[degree] < _WEAKNESS[best[name].degree]):
                best[name] = Grade(grade=other.grade, system=other.system, degree=degree)
    return sorted(best.values(), key=lambda grade: _WEAKNESS[grade.degree])
