"""Writes conditions on an event's fields as SQL/JSON paths with their variables: what was asked is always bound, never text.

A path is ``$ ? (exists(place ? (test)) || …)``. In lax mode, which is the default, lists are looked through by themselves, and
what cannot be compared is unknown and so not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

import msgspec

from services.logistics.epcis.query.conditions import (
    Compares,
    Flag,
    Holds,
    Instant,
    Measures,
    Number,
    Op,
    Operand,
    Pairs,
    Test,
    Text,
    Written,
)
from services.logistics.epcis.query.names import Name
from services.logistics.epcis.times import read_time
from services.logistics.epcis.units import UNITS

ANY = r"^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?$"
EXACT = r"^-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]{1,3})?$"
STAMP = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$"
"""Texts that stand for numbers, for numbers as JSON writes them, and for times."""
UNDECLARED = '"?"'
"""Stands in a path for a name whose prefix each event declares for itself."""
_SIGNS: dict[Op, str] = {"EQ": "==", "GT": ">", "GE": ">=", "LT": "<", "LE": "<="}
_NEAR, _ROUNDING = Fraction(1, 10**9), Fraction(1, 10**15)
_write = msgspec.json.Encoder(decimal_format="number").encode


class Path(msgspec.Struct, frozen=True):
    """A path that is there when an event fits, and its variables as JSON; ``name`` where a prefix is undeclared."""

    text: str
    variables: str
    name: Name | None = None


class _Variables:
    """Gives each value of a test a name."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def bind(self, value: Any) -> str:
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"${name}"


def write_path(condition: Holds) -> Path:
    """The path of a condition."""
    variables = _Variables()
    test = _write_test(condition.test, variables)
    places = [filled for place in condition.places for filled in fill_name(place, condition.name)]
    text = " || ".join(f"exists({place} ? ({test}))" if test else f"exists({place})" for place in places)
    undeclared = condition.name if condition.name is not None and condition.name.prefix else None
    return Path(f"$ ? ({text})", _write(variables.values).decode(), undeclared)


def fill_name(place: str, name: Name | None) -> list[str]:
    """A place with each name that the field may have."""
    if name is None:
        return [place]
    if name.prefix:
        return [place.replace("%", UNDECLARED)]
    return [place.replace("%", _write(full).decode()) for full in name.full]


def _write_test(test: Test, variables: _Variables) -> str:
    match test:
        case None:
            return ""
        case Compares(op=op, operands=operands):
            return " || ".join(one for operand in operands for one in _write_compared(op, operand, variables))
        case Measures():
            return " || ".join(_write_measured(test, variables))
        case Pairs(type=kind, name=name, values=values):
            equal = " || ".join(f"@.{name} == {variables.bind(value)}" for value in values)
            return f"@.type == {variables.bind(kind)} && ({equal})"


def _write_compared(op: Op, operand: Operand, variables: _Variables) -> Iterator[str]:
    match operand:
        case Flag(value=value):
            yield f"@ == {variables.bind(value)}"
        case Text(spellings=spellings):
            yield from (f"@ == {variables.bind(text)}" for text in spellings)
        case Number(value=value):
            yield from _write_number(op, value, ANY, variables)
        case Instant(at=at):
            yield _write_instant(op, at.isoformat(), variables)
        case Written(spellings=spellings):
            yield from (f"@ == {variables.bind(text)}" for text in spellings)
            yield from _write_meant(spellings[0], variables)


def _write_meant(text: str, variables: _Variables) -> Iterator[str]:
    """What a text may mean besides itself."""
    if re.fullmatch(EXACT, text) and len(text) <= 100:
        yield from _write_number("EQ", Decimal(text), EXACT, variables)
    elif (at := read_time(text)) is not None:
        yield _write_instant("EQ", at.isoformat(), variables)
    elif text in ("true", "false"):
        yield f"@ == {variables.bind(text == 'true')}"


def _write_number(op: Op, value: Decimal, form: str, variables: _Variables) -> Iterator[str]:
    sign, bound = _SIGNS[op], variables.bind(value)
    yield f"@ {sign} {bound}"
    yield f'(@ like_regex "{form}" && @.number() {sign} {bound})'


def _write_instant(op: Op, text: str, variables: _Variables) -> str:
    return f'(@ like_regex "{STAMP}" && @.timestamp_tz() {_SIGNS[op]} {variables.bind(text)}.timestamp_tz())'


def _write_measured(test: Measures, variables: _Variables) -> Iterator[str]:
    sign = _SIGNS[test.op]
    for value in test.values:
        if test.unit is None:
            yield f"@.{test.name} {sign} {variables.bind(value)}"
            continue
        yield f"(@.uom == {variables.bind(test.unit)} && @.{test.name} {sign} {variables.bind(value)})"
        for unit, (factor, offset) in _conversions(test.unit):
            converted = Fraction(value) * factor + (0 if test.is_difference else offset)
            compared = _write_converted(test, converted, variables)
            yield f"(@.uom == {variables.bind(unit)} && {compared})"


def _write_converted(test: Measures, value: Fraction, variables: _Variables) -> str:
    """Converted numbers are equal when they differ by less than what writing them down loses."""
    if test.op != "EQ":
        return f"@.{test.name} {_SIGNS[test.op]} {variables.bind(_decimal(value))}"
    low, high = (variables.bind(_decimal(value + sign * _NEAR * max(abs(value), 1))) for sign in (-1, 1))
    return f"@.{test.name} >= {low} && @.{test.name} <= {high}"


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


@lru_cache(256)
def _conversions(unit: str) -> tuple[tuple[str, tuple[Fraction, Fraction]], ...]:
    """The other units of the same quantity, with factor and offset from ``unit`` to each, exact."""
    if (given := UNITS.get(unit)) is None:
        return ()
    others = [(code, one) for code, one in UNITS.items() if code != unit and one.quantity == given.quantity]
    return tuple(
        (
            code,
            (
                _exact(given.factor) / _exact(one.factor),
                (_exact(given.offset) - _exact(one.offset)) / _exact(one.factor),
            ),
        )
        for code, one in others
    )


def _exact(number: float) -> Fraction:
    """The simplest fraction that a number stands for: 5/9, not what 64 bits make of it."""
    told = Fraction(number)
    for digits in range(3, 13):
        simple = told.limit_denominator(10**digits)
        if abs(simple - told) <= abs(told) * _ROUNDING:
            return simple
    return told
