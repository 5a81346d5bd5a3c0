"""What a market's rules come to for given goods: licences, papers, carriage, units, what they must and may have."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import msgspec

from chassis.values import Exact
from events.catalog import LicenceNeeded
from services.catalog.markets.checks.check import CheckFailed
from services.catalog.markets.product_types import ProductType, TypeUnits
from services.catalog.markets.reading import SEPARATOR, split_values
from services.catalog.markets.rules import CarriageRule, Deduction, DocumentRule, LicenceRule
from services.catalog.markets.words import When

if TYPE_CHECKING:
    from services.catalog.markets.pack import Pack

Rule = TypeVar("Rule", DocumentRule, LicenceRule, CarriageRule, Deduction)
LEVELS = ("product", "lot", "piece")
LEVEL_NAMES = {"product": "产品", "lot": "批次", "piece": "单件"}


def rules_of(pack: Pack, rules: Sequence[Rule], kind: str, attributes: Mapping[str, str]) -> list[Rule]:
    """Those of a market's rules of a kind that hold for goods with these attributes, in the market's order."""
    type = pack.type_of(attributes) if rules else None
    names = getattr(type, kind) if type else ()
    return [rule for rule in rules if rule.name in names and _holds(pack, rule.when, attributes)]


def _holds(pack: Pack, when: When | None, attributes: Mapping[str, str]) -> bool:
    if when is None:
        return True
    if (kept := attributes.get(when.attribute)) is None:
        return False
    return not when.codes or any(value in when.codes for value in split_values(pack.by_name[when.attribute], kept))


def licences_of(pack: Pack, attributes: Mapping[str, str]) -> list[LicenceNeeded]:
    """What each side must hold to trade in or carry goods with these attributes."""
    return [
        LicenceNeeded(
            scheme=rule.scheme,
            held_by=list(rule.held_by),
            scope=_scope(rule.scope, attributes),
            hides=rule.hides,
        )
        for rule in rules_of(pack, pack.licences, "licences", attributes)
    ]


def _scope(name: str | None, attributes: Mapping[str, str]) -> list[str]:
    value = attributes.get(name) if name else None
    return sorted(value.split(SEPARATOR)) if value else []


def units_of(pack: Pack, type: ProductType | None) -> TypeUnits:
    """What goods of a type are counted, priced and sold in: what the type says, else what the market's terms do."""
    if type is not None and type.units is not None:
        return type.units
    price = pack.terms.price_unit
    trade = [price.default, *(code for code in price.allowed if code != price.default)]
    small = Exact("0.001")
    return TypeUnits(base=pack.terms.weight_unit, trade=trade, step=small, minimum=small)


def variant_of(pack: Pack, attributes: Mapping[str, str]) -> str | None:
    """What variants of each other have in common, as a digest; None where goods of the type have no variants."""
    type = pack.type_of(attributes)
    if type is None or not type.variants:
        return None
    common = {
        name: value
        for name, value in attributes.items()
        if name not in type.variants and name in pack.by_name and pack.by_name[name].level == "product"
    }
    told = msgspec.json.encode([pack.market, type.name, common], order="deterministic")
    return hashlib.sha256(told).hexdigest()[:32]


def may_have(pack: Pack, type: ProductType, name: str) -> bool:
    """Whether goods of a type may have an attribute. A type that names none it ``has`` may have every one."""
    return (
        not type.has
        or pack.by_name[name].required
        or name in type.requires
        or name in type.has
        or name in type.variants
        or name == type.attribute
    )


def must_have(pack: Pack, type: ProductType | None, levels: Collection[str] = LEVELS) -> list[str]:
    """The attributes of these levels that goods of a type must have, in the market's order.

    Goods that are not told apart by lot or piece have no attributes of these.
    """
    tracked = type.tracked if type else "piece"
    excused = {"none": ("lot", "piece"), "lot": ("piece",), "piece": ()}[tracked]
    requires = type.requires if type else ()
    return [
        attribute.name
        for attribute in pack.attributes
        if attribute.level in levels
        and (attribute.name in requires or (attribute.required and attribute.level not in excused))
    ]


def find_unfit(
    pack: Pack, attributes: Mapping[str, str], levels: Sequence[str] = LEVELS
) -> list[tuple[str, CheckFailed]]:
    """What goods with these attributes lack, or have and may not: names of attributes with the reason for people.

    For goods of which only some ``levels`` are stated: a product has no heat number.
    """
    type = pack.type_of(attributes)
    found = [
        (name, CheckFailed("is missing", "缺失")) for name in must_have(pack, type, levels) if name not in attributes
    ]
    for name in attributes:
        level = pack.by_name[name].level
        if level not in levels:
            reason = CheckFailed(
                f"is stated for a {level}, not for a {levels[0]}",
                f"应在{LEVEL_NAMES[level]}上填写，而非{LEVEL_NAMES[levels[0]]}",
            )
            found.append((name, reason))
        elif type is not None and not may_have(pack, type, name):
            reason = CheckFailed(f"goods of the type {type.label.en} do not have this", f"{type.label.zh}没有此项")
            found.append((name, reason))
    return found
