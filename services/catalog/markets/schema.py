"""What products of a market must look like, as JSON Schema (draft 2020-12) for machines: made from the pack alone."""

from __future__ import annotations

import re
from typing import Any

from chassis.values import Exact
from services.catalog.markets.attributes import LEAST, MOST, Attribute
from services.catalog.markets.needs import LEVELS, may_have, must_have
from services.catalog.markets.pack import Pack, ProductType
from services.catalog.markets.reading import SEPARATOR
from services.catalog.markets.texts import MAX_TEXT

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_IDENTIFIER = 64
Schema = dict[str, Any]


def make_schema(pack: Pack, version: int, level: str, types: list[ProductType]) -> Schema:
    """The JSON Schema of the attributes of goods of these types: of one ``level``, or all that a piece has.

    Values are texts, as in every body. What JSON Schema has no word for stands in ``x-`` annotations: units, limits of
    decimals, named checks, names in Chinese.
    """
    return {
        "$schema": DIALECT,
        "$id": f"urn:haihe:market:{pack.market}:{version}:{level}",
        "title": pack.name.en,
        "x-zh": pack.name.zh,
        "oneOf": [{"$ref": f"#/$defs/{type.name}"} for type in types],
        "$defs": {type.name: _describe_type(pack, type, level) for type in types},
    }


def levels_of(level: str) -> tuple[str, ...]:
    """The levels of the attributes that a product, a lot or a piece is described with: a piece has all."""
    return LEVELS if level == "piece" else (level,)


def _describe_type(pack: Pack, type: ProductType, level: str) -> Schema:
    levels = levels_of(level)
    attributes = [each for each in pack.attributes if each.level in levels and may_have(pack, type, each.name)]
    return {
        "title": type.label.en,
        "x-zh": type.label.zh,
        "type": "object",
        "properties": {each.name: _describe(pack, type, each) for each in attributes},
        "required": must_have(pack, type, levels),
        "additionalProperties": False,
    }


def _describe(pack: Pack, type: ProductType, attribute: Attribute) -> Schema:
    schema: Schema = {"title": attribute.label.en, "x-zh": attribute.label.zh}
    if attribute.help:
        schema |= {"description": attribute.help.en, "x-help-zh": attribute.help.zh}
    if attribute.examples:
        schema["examples"] = attribute.examples
    if attribute.check:
        schema["x-check"] = attribute.check
    value = _describe_value(pack, type, attribute)
    if attribute.many:
        return schema | {"type": "string", "minLength": 1, "x-separator": SEPARATOR, "x-items": value}
    return schema | value


def _describe_value(pack: Pack, type: ProductType, attribute: Attribute) -> Schema:
    if attribute.type == "number":
        return _describe_number(attribute)
    if attribute.type == "choice":
        codes = type.codes if attribute.name == type.attribute else None
        choices = [each for each in pack.choices[attribute.choices or ""] if codes is None or each.code in codes]
        return {
            "type": "string",
            "oneOf": [{"const": each.code, "title": each.name.en, "x-zh": each.name.zh} for each in choices],
        }
    if attribute.type == "date":
        return {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
    most = MAX_IDENTIFIER if attribute.type == "identifier" else MAX_TEXT
    schema: Schema = {"type": "string", "minLength": 1, "maxLength": most}
    patterns = [_anchor(each) for each in attribute.patterns.values()]
    if attribute.pattern:
        schema["pattern"] = _anchor(attribute.pattern)
    if patterns:
        schema["anyOf"] = [{"pattern": each} for each in patterns]
    return schema


def _describe_number(attribute: Attribute) -> Schema:
    places = rf"(\.[0-9]{{1,{attribute.decimals}}})?" if attribute.decimals else ""
    schema: Schema = {"type": "string", "format": "decimal", "pattern": f"^-?[0-9]{{1,12}}{places}$"}
    limits: tuple[tuple[str, Exact, Exact], ...] = (
        ("x-least", attribute.least, LEAST),
        ("x-most", attribute.most, MOST),
    )
    schema |= {key: format(limit, "f") for key, limit, usual in limits if limit != usual}
    return schema | ({"x-unit": attribute.unit} if attribute.unit else {})


def _anchor(pattern: str) -> str:
    """A pattern of the pack, which must match from end to end, as JSON Schema has patterns: without such ends."""
    return f"^(?:{re.sub(r'[(][?]P<[a-z_]+>', '(', pattern)})$"
