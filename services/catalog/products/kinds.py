"""A market's product types made ready for many products: what the market says of one, kept for all that are like it.

What a market says is in its pack; here is only what spares a million rows from asking it each time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from chassis.values import Quantity
from events.catalog import LicenceNeeded
from services.catalog.markets import needs
from services.catalog.markets.data.tables import FOLDS
from services.catalog.markets.pack import Attribute, Pack, ProductType
from services.catalog.markets.reading import split_values
from services.catalog.markets.rules import DocumentRule
from services.catalog.markets.texts import fold_name

Attributes = Mapping[str, str]
STATED = ("product", "lot")
MISSING, STRANGE = "is missing", "is not stated for goods of this type"
_REMEMBERED = 4_096


class Facts(msgspec.Struct, frozen=True):
    """What a market makes of a product: what people call it, which are its variants, who sees it, what it may replace."""

    title: dict[str, str]
    group_id: str | None
    hidden_by: list[dict[str, Any]] | None
    equal_keys: list[str] | None


class Kind:
    """A product type of a pack, as its products, their lots and pieces are described by it."""

    def __init__(self, pack: Pack, type: ProductType) -> None:
        self.pack, self.type, self.name = pack, type, type.name
        self.units = needs.units_of(pack, type)
        self.is_moderated = pack.moderation is not None and type.name in (pack.moderation.types or [type.name])
        self._required = {level: frozenset(needs.must_have(pack, type, (level,))) for level in STATED}
        self._allowed = {
            level: frozenset(
                each.name for each in pack.attributes if each.level == level and needs.may_have(pack, type, each.name)
            )
            for level in STATED
        }
        self._documents = [rule for rule in pack.documents if rule.name in type.documents]
        self._carriers = {rule.carried_by for rule in self._documents}
        rules = [rule for rule in pack.licences if rule.name in type.licences]
        deciding = [each.attribute for each in pack.types]
        conditions = [
            name for rule in rules for name in (rule.scope, rule.when.attribute if rule.when else None) if name
        ]
        titles = [name for form in (type.title.zh, type.title.en) for name, _ in pack.placeholders(form)]
        self.title: Callable[[Attributes], dict[str, str]] = _remember(pack.title_of, [*deciding, *titles])
        cases = [rule.when.attribute for rule in self._documents if rule.when]
        self._find_documents = _remember(pack.documents_of, [*deciding, *cases])
        measures = type.theoretical.names if type.theoretical else ()
        self.weigh: Callable[[Attributes], Quantity | None] = _remember(pack.weigh, [*deciding, *measures])
        self.licences: Callable[[Attributes], list[LicenceNeeded]] = _remember(
            pack.licences_of, [*deciding, *conditions]
        )
        self._find_hidden = _remember(lambda said: _hidden_by(pack.licences_of(said)), [*deciding, *conditions])
        equal = [each for name in sorted(self._allowed["product"]) if (each := pack.by_name[name]).equivalents]
        self._find_equal = _remember(lambda said: _keys_of(equal, said), [each.name for each in equal])
        common = sorted(self._allowed["product"].difference(type.variants))
        self._find_common = _remember(pack.variant_of, [*deciding, *common])

    def find_mistakes(self, attributes: Attributes, level: str = "product") -> list[tuple[str, str]]:
        """What is missing and what such goods do not have, by attribute; ``level`` is product or lot."""
        names = attributes.keys()
        if self._required[level] <= names and names <= self._allowed[level]:
            return []
        return self._say_mistakes(attributes, level)

    def _say_mistakes(self, attributes: Attributes, level: str) -> list[tuple[str, str]]:
        missing = sorted(self._required[level] - attributes.keys())
        strange = sorted(attributes.keys() - self._allowed[level])
        return [(name, MISSING) for name in missing] + [(name, STRANGE) for name in strange]

    def find_facts(self, owner_id: str, attributes: dict[str, str]) -> Facts:
        """What the market makes of a product of a company."""
        return Facts(
            title=self.title(attributes),
            group_id=self._find_group(owner_id, attributes) if self.type.variants else None,
            hidden_by=self._find_hidden(attributes),
            equal_keys=self._find_equal(attributes),
        )

    def documents_of(self, carrier: str, attributes: dict[str, str]) -> list[DocumentRule]:
        """The documents that a product, a lot or a piece with these attributes should carry."""
        if not self.has_documents(carrier):
            return []
        return [rule for rule in self._find_documents(attributes) if rule.carried_by == carrier]

    def has_documents(self, carrier: str) -> bool:
        """Whether goods of this type may have to carry documents there."""
        return carrier in self._carriers

    def _find_group(self, owner_id: str, attributes: dict[str, str]) -> str:
        said = f"{owner_id} {self._find_common(attributes)}"
        return f"group_{hashlib.sha256(said.encode()).hexdigest()[:26]}"


class Kinds:
    """The product types of a pack, found by attributes."""

    def __init__(self, pack: Pack) -> None:
        self.by_name = {type.name: Kind(pack, type) for type in pack.types}
        self._type_of = _remember(pack.type_of, [type.attribute for type in pack.types])

    def find(self, attributes: Attributes) -> Kind | None:
        """The product type of goods with these attributes."""
        type = self._type_of(attributes)
        return self.by_name[type.name] if type else None


def kinds_of(pack: Pack) -> Kinds:
    """The product types of a pack, made ready once and kept with it."""
    kept = pack.__dict__
    if (kinds := kept.get("kinds")) is None:
        kinds = kept["kinds"] = Kinds(pack)
    return kinds


def equal_keys(attribute: Attribute, kept: str) -> list[str]:
    """What stands for the values of an attribute where products that replace each other are looked for."""
    table = attribute.equivalents or ""
    return [equal_key(table, value) for value in split_values(attribute, kept)]


@lru_cache(_REMEMBERED)
def equal_key(table: str, value: str) -> str:
    """What stands for a value of a table of values that replace each other, however it is written."""
    return f"{table}:{FOLDS.get(table, fold_name)(value)}"


def _keys_of(attributes: Iterable[Attribute], said: Attributes) -> list[str] | None:
    return [key for each in attributes if each.name in said for key in equal_keys(each, said[each.name])] or None


def _hidden_by(licences: Iterable[LicenceNeeded]) -> list[dict[str, Any]] | None:
    hiding = (each for each in licences if each.hides and "buyer" in each.held_by)
    return [{"scheme": each.scheme, "scope": each.scope} for each in hiding] or None


def _remember(make: Callable[[dict[str, str]], Any], names: Iterable[str]) -> Callable[[Attributes], Any]:
    """The same function, which looks at these names alone and is asked once for each of their values."""
    wanted = list(dict.fromkeys(names))

    @lru_cache(_REMEMBERED)
    def make_of(*values: str | None) -> Any:
        return make({name: value for name, value in zip(wanted, values, strict=True) if value is not None})

    return lambda attributes: make_of(*map(attributes.get, wanted))
