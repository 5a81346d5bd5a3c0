"""The form that a person fills in to describe goods of a market: its fields in their order, with words in both languages."""

from __future__ import annotations

from typing import Literal

import msgspec

from chassis.units import UNITS
from chassis.values import Exact
from services.catalog.markets.attributes import LEAST, MOST, Attribute, Choice
from services.catalog.markets.checks import CHECKS
from services.catalog.markets.needs import may_have, must_have, units_of
from services.catalog.markets.pack import Pack, ProductType
from services.catalog.markets.product_types import TypeUnits
from services.catalog.markets.rules import CarriageRule, Deduction, DocumentRule, LicenceRule, Mode
from services.catalog.markets.words import Bilingual

LEVELS = ("product", "lot", "piece")


class UnitName(msgspec.Struct, frozen=True, kw_only=True):
    """A unit by its code of UN/ECE Recommendation 20, and how people write it."""

    code: str
    name: Bilingual


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a form. ``input`` is what it is filled in with; ``must_match`` says in words what a named check asks for.

    ``level``: it is filled in for a product, for a lot of it, or for a single piece. ``least`` and ``most`` are None
    where anything goes.
    """

    name: str
    label: Bilingual
    help: Bilingual | None
    input: Literal["text", "number", "choice", "date", "identifier"]
    level: str
    required: bool
    many: bool
    unit: UnitName | None
    choices: list[Choice]
    least: Exact | None
    most: Exact | None
    decimals: int | None
    must_match: Bilingual | None
    examples: list[str]


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """The form of a product type: its fields, what its goods are counted in, and which papers, licences and ways to
    trade go with it.
    """

    type: str
    label: Bilingual
    title: Bilingual
    offered_as: str
    tracked: str
    unspsc: str | None
    hs: list[str]
    units: TypeUnits
    unit_names: list[UnitName]
    variants: list[str]
    fields: list[Field]
    documents: list[DocumentRule]
    licences: list[LicenceRule]
    carriage: list[CarriageRule]
    deductions: list[Deduction]
    modes: list[Mode]
    is_moderated: bool


def make_form(pack: Pack, type: ProductType) -> Form:
    """The form of a product type: first what a product has, then a lot, then a single piece, each in the market's order."""
    units = units_of(pack, type)
    required = set(must_have(pack, type))
    attributes = [
        each for level in LEVELS for each in pack.attributes if each.level == level and may_have(pack, type, each.name)
    ]
    return Form(
        type=type.name,
        label=type.label,
        title=type.title,
        offered_as=type.offered_as,
        tracked=type.tracked,
        unspsc=type.unspsc,
        hs=type.hs,
        units=units,
        unit_names=[_name_unit(code) for code in dict.fromkeys((units.base, *units.trade))],
        variants=type.variants,
        fields=[_make_field(pack, type, each, each.name in required) for each in attributes],
        documents=[rule for rule in pack.documents if rule.name in type.documents],
        licences=[rule for rule in pack.licences if rule.name in type.licences],
        carriage=[rule for rule in pack.carriage if rule.name in type.carriage],
        deductions=[rule for rule in pack.deductions if rule.name in type.deductions],
        modes=[mode for mode in pack.modes if not mode.types or type.name in mode.types],
        is_moderated=pack.moderation is not None and (not pack.moderation.types or type.name in pack.moderation.types),
    )


def _make_field(pack: Pack, type: ProductType, attribute: Attribute, required: bool) -> Field:
    choices = pack.choices.get(attribute.choices or "", [])
    if attribute.name == type.attribute:
        choices = [choice for choice in choices if choice.code in type.codes]
    is_number = attribute.type == "number"
    return Field(
        name=attribute.name,
        label=attribute.label,
        help=attribute.help,
        input=attribute.type,
        level=attribute.level,
        required=required,
        many=attribute.many,
        unit=_name_unit(attribute.unit) if attribute.unit else None,
        choices=choices,
        least=attribute.least if is_number and attribute.least != LEAST else None,
        most=attribute.most if is_number and attribute.most != MOST else None,
        decimals=attribute.decimals if is_number else None,
        must_match=CHECKS[attribute.check].label if attribute.check else None,
        examples=attribute.examples,
    )


def _name_unit(code: str) -> UnitName:
    unit = UNITS[code]
    return UnitName(code=code, name=Bilingual(unit.zh or code, unit.en or code))
