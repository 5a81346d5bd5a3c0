"""Reads market packs and refuses one with a mistake, naming file, key and reason."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, get_args

import msgspec

from chassis.values import CURRENCY_EXPONENTS, UNITS, Exact, read_wire, write_wire
from events.catalog import NumberRange, PeriodRange, TextChoice
from events.orders import DeliveryMode, TaxBasis, WeighingRule
from services.catalog.markets.clauses import find_bad_clauses
from services.catalog.markets.forms import find_bad_certificate, find_bad_forms, find_bad_titles, find_bad_units
from services.catalog.markets.pack import Attribute, Column, Columns, Pack
from services.catalog.markets.texts import fold_heading, fold_name

FOLDER = Path(__file__).parent / "packs"
_located = re.compile(r"(?P<reason>.*?)(?: - at `\$\.?(?P<key>[^`]*)`)?", re.DOTALL)
_TERM_WORDS = {
    "tax_basis": get_args(TaxBasis),
    "weighing_rule": get_args(WeighingRule),
    "delivery_mode": get_args(DeliveryMode),
    "deposit_use": ("counts", "held"),
    "deposit_kind": ("performance_bond", "earnest"),
    "release": ("settlement", "invoice"),
}


class PackError(Exception):
    """A market pack has a mistake."""

    def __init__(self, file: str, key: str, reason: str) -> None:
        super().__init__(f"{file}: {key}: {reason}" if key else f"{file}: {reason}")
        self.file, self.key, self.reason = file, key, reason


@cache
def load_packs(folder: Path = FOLDER) -> dict[str, Pack]:
    """Every pack of a folder by its market. Raises PackError."""
    packs: dict[str, Pack] = {}
    for path in sorted(folder.glob("*.toml")):
        pack = read_pack(path.name, path.read_bytes())
        if pack.market in packs:
            raise PackError(path.name, "market", f"another file is the market {pack.market!r} already")
        packs[pack.market] = pack
    return packs


def read_pack(file: str, content: bytes) -> Pack:
    """The pack in a file's content. Raises PackError."""
    try:
        data = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PackError(file, "", f"is not TOML in UTF-8: {error}") from None
    try:
        pack = msgspec.convert(data, Pack, dec_hook=read_wire)
    except msgspec.ValidationError as error:
        found = _located.fullmatch(str(error))
        raise PackError(file, (found and found["key"]) or "", found["reason"] if found else str(error)) from None
    for key, reason in _find_mistakes(pack, data):
        raise PackError(file, key, reason)
    return pack


def _find_mistakes(pack: Pack, data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    known = msgspec.to_builtins(pack, enc_hook=write_wire)
    yield from _find_unknown_keys(data, known, "")
    yield from _find_bad_terms(pack)
    yield from _find_bad_conversions(pack)
    yield from _find_bad_headings(pack)
    yield from _find_bad_choices(pack)
    for i, attribute in enumerate(pack.attributes):
        for key, reason in _find_bad_attribute(pack, attribute):
            yield f"attributes[{i}].{key}", f"{reason} ({attribute.name})"
    yield from find_bad_titles(pack, "title", pack.title, ())
    yield from find_bad_forms(pack)
    yield from find_bad_units(pack)
    yield from find_bad_certificate(pack)
    yield from find_bad_clauses(pack.clauses)


def _find_unknown_keys(data: Any, known: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(data, dict):
        for key, value in data.items():
            here = f"{path}.{key}" if path else key
            if key not in known:
                yield here, "there is no such key"
            else:
                yield from _find_unknown_keys(value, known[key], here)


def _find_bad_terms(pack: Pack) -> Iterator[tuple[str, str]]:
    terms = pack.terms
    for name in terms.__struct_fields__:
        value = getattr(terms, name)
        if isinstance(value, NumberRange):
            yield from _find_bad_range(f"terms.{name}", value, Exact(0))
        elif isinstance(value, TextChoice) and value.default not in value.allowed:
            yield f"terms.{name}.default", f"{value.default!r} is not one of those allowed"
    for name in terms.periods.__struct_fields__:
        yield from _find_bad_range(f"terms.periods.{name}", getattr(terms.periods, name), timedelta(seconds=1))
    for name, words in _TERM_WORDS.items():
        for word in getattr(terms, name).allowed:
            if word not in words:
                yield f"terms.{name}.allowed", f"{word!r} is not one of {', '.join(words)}"
    yield from _find_unknown_codes(pack)
    if terms.default_tax_rate not in terms.tax_rates:
        yield "terms.default_tax_rate", "is not one of tax_rates"
    for key, rates in (
        ("terms.tax_rates", terms.tax_rates),
        ("fees", [getattr(pack.fees, name) for name in pack.fees.__struct_fields__]),
        ("terms.most_dispute_limit", [terms.most_dispute_limit]),
    ):
        if any(not 0 <= rate < 1 for rate in rates):
            yield key, "a rate is a fraction of at least 0 and less than 1"
    for name in ("buyer_deposit_percent", "seller_deposit_percent"):
        if getattr(terms, name).most > 100:
            yield f"terms.{name}.most", "is more than 100 per cent"
    if not 0 <= terms.earnest_cap_percent <= 100:
        yield "terms.earnest_cap_percent", "is not between 0 and 100 per cent"


def _find_bad_range(key: str, numbers: NumberRange | PeriodRange, floor: Any) -> Iterator[tuple[str, str]]:
    if numbers.least < floor:
        yield f"{key}.least", f"is less than {floor}"
    if not numbers.least <= numbers.default <= numbers.most:
        yield f"{key}.default", "is not between least and most"


def _find_unknown_codes(pack: Pack) -> Iterator[tuple[str, str]]:
    terms = pack.terms
    for key, codes, known in (
        ("terms.currency.allowed", terms.currency.allowed, CURRENCY_EXPONENTS),
        ("terms.price_unit.allowed", terms.price_unit.allowed, UNITS),
        ("terms.weight_unit", [terms.weight_unit], UNITS),
        ("attributes", [attribute.unit for attribute in pack.attributes if attribute.unit], UNITS),
    ):
        for code in codes:
            if code not in known:
                yield key, f"{code!r} is not known"


def _find_bad_conversions(pack: Pack) -> Iterator[tuple[str, str]]:
    convertible = {pack.terms.weight_unit}
    for i, conversion in enumerate(pack.conversions):
        here, there = UNITS.get(conversion.unit), UNITS.get(conversion.into)
        if here is None or there is None or here.dimension != there.dimension:
            yield f"conversions[{i}]", f"{conversion.unit} does not convert into {conversion.into}"
        elif here.factor != conversion.factor * there.factor:
            yield f"conversions[{i}].factor", f"one {conversion.unit} is {here.factor / there.factor} {conversion.into}"
        convertible |= {conversion.unit} if conversion.into in convertible else set()
    for unit in pack.terms.price_unit.allowed:
        if unit not in convertible:
            yield "terms.price_unit.allowed", f"no conversion leads from {unit} to {pack.terms.weight_unit}"


def _find_bad_headings(pack: Pack) -> Iterator[tuple[str, str]]:
    columns: list[tuple[str, str, Column | Attribute]] = [
        (f"columns.{name}", name, getattr(pack.columns, name)) for name in Columns.__struct_fields__
    ]
    columns += [(f"attributes[{i}]", attribute.name, attribute) for i, attribute in enumerate(pack.attributes)]
    owners: dict[str, str] = {}
    for key, name, column in columns:
        if column.least > column.most:
            yield f"{key}.least", "is more than most"
        for heading in (*column.headings, name):
            folded = fold_heading(heading)
            if not folded:
                yield f"{key}.headings", f"{heading!r} has no letters"
            elif owners.setdefault(folded, key) != key:
                yield f"{key}.headings", f"{heading!r} is a heading of {owners[folded]} already"


def _find_bad_choices(pack: Pack) -> Iterator[tuple[str, str]]:
    for list_name, choices in pack.choices.items():
        owners: dict[str, str] = {}
        for i, choice in enumerate(choices):
            for name in choice.names:
                if owners.setdefault(fold_name(name), choice.code) != choice.code or not name:
                    yield f"choices.{list_name}[{i}]", f"{name!r} is {owners[fold_name(name)]} already"
        if len({choice.code for choice in choices}) < len(choices):
            yield f"choices.{list_name}", "a code stands twice"


def _find_bad_attribute(pack: Pack, attribute: Attribute) -> Iterator[tuple[str, str]]:
    if attribute.type == "choice" and attribute.choices not in pack.choices:
        yield "choices", f"there is no list {attribute.choices!r}"
    if attribute.type != "choice" and attribute.choices:
        yield "choices", "only a choice has a list"
    for key, pattern in (
        ("pattern", attribute.pattern),
        *((f"patterns.{k}", v) for k, v in attribute.patterns.items()),
    ):
        try:
            re.compile(pattern or "")
        except re.error as error:
            yield key, f"is not a regular expression: {error}"
    if attribute.filter and attribute.type == "number" and attribute.decimals > 3:
        yield "decimals", "a number that is searched by has at most 3"
    if attribute.filter and sum(other.filter == attribute.filter for other in pack.attributes) > 1:
        yield "filter", f"{attribute.filter!r} stands twice"
