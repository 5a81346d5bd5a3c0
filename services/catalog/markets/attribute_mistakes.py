"""The mistakes that a market pack makes in its columns, attributes and lists of choices."""

from __future__ import annotations

import re
from collections.abc import Iterator

from chassis.units import UNITS
from services.catalog.markets.checks import CHECKS
from services.catalog.markets.data.tables import EQUIVALENTS
from services.catalog.markets.pack import Attribute, Column, Columns, Pack
from services.catalog.markets.texts import fold_heading, fold_name

_MOST_ATTRIBUTES = 200


def find_bad_headings(pack: Pack) -> Iterator[tuple[str, str]]:
    """What is wrong in the headings of columns and attributes: key and reason. A heading stands for one of them."""
    columns: list[tuple[str, Column | Attribute]] = [
        (f"columns.{name}", getattr(pack.columns, name)) for name in Columns.__struct_fields__
    ]
    columns += [(f"attributes[{i}]", attribute) for i, attribute in enumerate(pack.attributes)]
    owners: dict[str, str] = {}
    for (key, column), (_, headings) in zip(columns, pack.headings(), strict=True):
        if column.least > column.most:
            yield f"{key}.least", "is more than most"
        for heading in headings:
            folded = fold_heading(heading)
            if not folded:
                yield f"{key}.headings", f"{heading!r} has no letters"
            elif owners.setdefault(folded, key) != key:
                yield f"{key}.headings", f"{heading!r} is a heading of {owners[folded]} already"


def find_bad_columns(pack: Pack) -> Iterator[tuple[str, str]]:
    """What is wrong in columns: key and reason."""
    for name in Columns.__struct_fields__:
        column: Column = getattr(pack.columns, name)
        if column.check and column.check not in CHECKS:
            yield f"columns.{name}.check", _no_check(column.check)
        elif column.check and name in ("net", "gross"):
            yield f"columns.{name}.check", "a weight has limits and no check"
        elif column.default is not None:
            try:
                pack.read_column(name, column.default)
            except ValueError as error:
                yield f"columns.{name}.default", f"{column.default!r} {error}"


def find_bad_choices(pack: Pack) -> Iterator[tuple[str, str]]:
    """What is wrong in lists of choices: key and reason. A name means one choice of a list."""
    for list_name, choices in pack.choices.items():
        owners: dict[str, str] = {}
        for i, choice in enumerate(choices):
            if ";" in choice.code or choice.code != choice.code.strip():
                yield f"choices.{list_name}[{i}].code", "has a semicolon or a space at its end"
            for name in choice.names:
                if owners.setdefault(fold_name(name), choice.code) != choice.code or not name:
                    yield f"choices.{list_name}[{i}]", f"{name!r} is {owners[fold_name(name)]} already"
        if len({choice.code for choice in choices}) < len(choices):
            yield f"choices.{list_name}", "a code stands twice"
        if not choices:
            yield f"choices.{list_name}", "has no choices"


def find_bad_attributes(pack: Pack) -> Iterator[tuple[str, str]]:
    """What is wrong in attributes: key and reason."""
    if len(pack.attributes) > _MOST_ATTRIBUTES:
        yield "attributes", f"are more than {_MOST_ATTRIBUTES}"
    for i, attribute in enumerate(pack.attributes):
        for key, reason in _find_bad_attribute(pack, attribute):
            yield f"attributes[{i}].{key}", f"{reason} ({attribute.name})"


def find_bad_examples(pack: Pack) -> Iterator[tuple[str, str]]:
    """Which examples of attributes are not right: key and reason. For attributes in which nothing else is wrong."""
    for i, attribute in enumerate(pack.attributes):
        for example in attribute.examples:
            try:
                pack.check(attribute, example)
            except ValueError as error:
                yield f"attributes[{i}].examples", f"{example!r} {error} ({attribute.name})"


def _find_bad_attribute(pack: Pack, attribute: Attribute) -> Iterator[tuple[str, str]]:
    if attribute.type == "choice" and attribute.choices not in pack.choices:
        yield "choices", f"there is no list {attribute.choices!r}"
    if attribute.type != "choice" and attribute.choices:
        yield "choices", "only a choice has a list"
    yield from _find_bad_patterns(attribute)
    yield from _find_misplaced(attribute)
    if attribute.unit and attribute.unit not in UNITS:
        yield "unit", f"{attribute.unit!r} is not known"
    if attribute.check and attribute.check not in CHECKS:
        yield "check", _no_check(attribute.check)
    is_free = attribute.type == "text" or (attribute.type == "identifier" and (attribute.pattern or attribute.patterns))
    if is_free and not attribute.check and not attribute.examples:
        yield "examples", "state some: nobody knows what is written here"
    if attribute.filter and attribute.type == "number" and attribute.decimals > 3:
        yield "decimals", "a number that is searched by has at most 3"
    if attribute.filter and sum(other.filter == attribute.filter for other in pack.attributes) > 1:
        yield "filter", f"{attribute.filter!r} stands twice"


def _find_bad_patterns(attribute: Attribute) -> Iterator[tuple[str, str]]:
    for key, pattern in (
        ("pattern", attribute.pattern),
        *((f"patterns.{k}", v) for k, v in attribute.patterns.items()),
    ):
        try:
            re.compile(pattern or "")
        except re.error as error:
            yield key, f"is not a regular expression: {error}"


def _find_misplaced(attribute: Attribute) -> Iterator[tuple[str, str]]:
    """What an attribute of its type cannot have."""
    is_written = attribute.type in ("text", "identifier")
    a_such = f"an {attribute.type}" if attribute.type == "identifier" else f"a {attribute.type}"
    if not is_written and (attribute.pattern or attribute.patterns):
        yield "pattern", f"{a_such} has no pattern"
    if not is_written and attribute.check:
        yield "check", f"{a_such} has no check"
    if attribute.type != "number" and attribute.unit:
        yield "unit", f"{a_such} has no unit"
    if attribute.many and attribute.type in ("number", "date"):
        yield "many", f"{a_such} has one value"
    if attribute.equivalents and attribute.type in ("number", "date"):
        yield "equivalents", f"{a_such} has none"
    if attribute.equivalents and attribute.equivalents not in EQUIVALENTS:
        yield "equivalents", f"there is no table {attribute.equivalents!r}; there are: {', '.join(sorted(EQUIVALENTS))}"


def _no_check(name: str) -> str:
    return f"there is no check {name!r}; there are: {', '.join(sorted(CHECKS))}"
