"""The mistakes that a market pack makes in its price indices and in the words that a search takes for each other."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chassis.units import UNITS
from chassis.values import CURRENCY_EXPONENTS
from services.catalog.markets.index_rules import Differential, IndexRule
from services.catalog.markets.pack import Pack
from services.catalog.markets.texts import fold_name

Mistakes = Iterator[tuple[str, str]]


def find_bad_indices(pack: Pack) -> Mistakes:
    """What is wrong in price indices: key and reason."""
    if len({rule.code for rule in pack.indices}) < len(pack.indices):
        yield "indices", "a code stands twice"
    for i, rule in enumerate(pack.indices):
        yield from ((f"indices[{i}].{key}", reason) for key, reason in _find_bad_index(pack, rule))


def _find_bad_index(pack: Pack, rule: IndexRule) -> Mistakes:
    yield from _find_bad_goods(pack, rule)
    if rule.unit not in UNITS:
        yield "unit", f"{rule.unit!r} is not known"
    if rule.currency not in CURRENCY_EXPONENTS:
        yield "currency", f"{rule.currency!r} is not known"
    if not 0 <= rule.trim_percent < 50:
        yield "trim_percent", "is not at least 0 and less than 50 per cent"
    try:
        ZoneInfo(rule.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        yield "timezone", f"there is no time zone {rule.timezone!r}"
    owners: dict[str, int] = {}
    for i, place in enumerate(rule.places):
        for name in (place.name.zh, place.name.en, *place.also):
            if owners.setdefault(fold_name(name), i) != i:
                yield f"places[{i}]", f"{name!r} is another place already"
    for i, differential in enumerate(rule.differentials):
        yield from (
            (f"differentials[{i}].{k}", reason) for k, reason in _find_bad_differential(pack, rule, differential)
        )


def _find_bad_goods(pack: Pack, rule: IndexRule) -> Mistakes:
    if not rule.goods:
        yield "goods", "name at least one attribute"
    for name, value in rule.goods.items():
        if name not in pack.by_name:
            yield f"goods.{name}", f"there is no attribute {name!r}"
        else:
            yield from _find_unkept(pack, name, value, f"goods.{name}")
    if pack.types and pack.type_of(rule.goods) is None:
        yield "goods", "is of no product type"


def _find_bad_differential(pack: Pack, rule: IndexRule, differential: Differential) -> Mistakes:
    name = differential.attribute
    if name not in pack.by_name:
        yield "attribute", f"there is no attribute {name!r}"
        return
    if name not in rule.goods:
        yield "attribute", f"the reference goods do not state {name!r}"
    has_range = differential.least is not None or differential.most is not None
    if pack.by_name[name].type == "number":
        if not has_range or differential.value is not None:
            yield "least", "a number lies between least and most"
        elif (
            differential.least is not None and differential.most is not None and differential.least > differential.most
        ):
            yield "least", "is more than most"
    elif differential.value is None or has_range:
        yield "value", f"{name!r} is compared with a value"
    else:
        yield from _find_unkept(pack, name, differential.value, "value")


def _find_unkept(pack: Pack, name: str, value: str, key: str) -> Mistakes:
    """A value that is not what is kept of it: no product would have it."""
    try:
        kept = pack.check(pack.by_name[name], value)
    except ValueError as error:
        yield key, f"{value!r} {error}"
    else:
        if kept != value:
            yield key, f"{value!r} is kept as {kept!r}: write that"


def find_bad_synonyms(pack: Pack) -> Mistakes:
    """What is wrong in synonyms: key and reason. A word is in one group."""
    owners: dict[str, int] = {}
    for i, group in enumerate(pack.synonyms):
        if len({fold_name(word) for word in group}) < 2:
            yield f"synonyms[{i}]", "a group has at least two different words"
        for word in group:
            if not fold_name(word):
                yield f"synonyms[{i}]", "a word is empty"
            elif owners.setdefault(fold_name(word), i) != i:
                yield f"synonyms[{i}]", f"{word!r} is in the group {owners[fold_name(word)]} already"
