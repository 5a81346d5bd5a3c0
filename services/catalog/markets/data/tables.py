"""The tables of values that replace each other, by the name that an attribute of a market gives in ``equivalents``."""

from __future__ import annotations

from collections.abc import Callable

from services.catalog.markets.data import steel_grades

# Each gives (value, degree: exact, close or similar), the best first.
EQUIVALENTS: dict[str, Callable[[str], list[tuple[str, str]]]] = {
    "steel_grades": lambda text: [(grade.grade, grade.degree) for grade in steel_grades.equivalents_of(text)],
}

# What people write differently of one value, by the same names.
FOLDS: dict[str, Callable[[str], str]] = {"steel_grades": steel_grades.fold_grade}
