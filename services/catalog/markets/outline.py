"""A market in a page of plain text, for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from services.catalog.markets.attributes import Attribute
from services.catalog.markets.needs import may_have, must_have
from services.catalog.markets.pack import Pack, ProductType


def outline(pack: Pack, version: int) -> str:
    """What a market has, in plain text."""
    return "\n".join(_lines(pack, version))


def _lines(pack: Pack, version: int) -> Iterator[str]:
    terms = pack.terms
    yield f"{pack.market}, version {version}: {pack.name.zh} / {pack.name.en}"
    yield f"prices in {', '.join(terms.currency.allowed)} a {', '.join(terms.price_unit.allowed)}; tax {terms.default_tax_rate}"
    for mode in pack.modes:
        yield f"mode {mode.mode}" + (f" for {', '.join(mode.types)}" if mode.types else "")
    for type in pack.types:
        yield ""
        yield from _type_lines(pack, type)
    for kind, rules in (("document", pack.documents), ("licence", pack.licences), ("deduction", pack.deductions)):
        for rule in rules:
            yield f"{kind} {rule.name}: {rule.label.zh} / {rule.label.en} [{rule.source}]"
    for index in pack.indices:
        yield f"index {index.code}: {index.label.zh} / {index.label.en}"


def _type_lines(pack: Pack, type: ProductType) -> Iterator[str]:
    codes = ", ".join(type.codes)
    yield f"{type.name}: {type.label.zh} / {type.label.en}, {type.offered_as}, tracked by {type.tracked}: {codes}"
    yield f"  UNSPSC {type.unspsc or '-'}, HS {', '.join(type.hs) or '-'}"
    required = must_have(pack, type)
    for attribute in pack.attributes:
        if may_have(pack, type, attribute.name):
            yield f"  {'*' if attribute.name in required else ' '} {_attribute_line(attribute)}"


def _attribute_line(attribute: Attribute) -> str:
    what = attribute.type + (f" of {attribute.choices}" if attribute.choices else "")
    what += f" in {attribute.unit}" if attribute.unit else ""
    what += f", check {attribute.check}" if attribute.check else ""
    level = "" if attribute.level == "product" else f", of a {attribute.level}"
    return f"{attribute.name}: {attribute.label.zh} / {attribute.label.en} ({what}{level})"
