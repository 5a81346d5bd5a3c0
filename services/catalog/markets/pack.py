"""A market pack: what an industry's data file says, as types, and what it makes of the texts that a seller writes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import msgspec

from chassis.values import Exact, Quantity, write_wire
from events.catalog import Clause, LicenceNeeded, MarketFees, MarketTerms
from services.catalog.markets import needs
from services.catalog.markets.attributes import Attribute, Choice, Column, Columns, Conversion
from services.catalog.markets.index_rules import IndexRule
from services.catalog.markets.product_types import CertificateRule, ProductType, TotalRows, TypeUnits
from services.catalog.markets.reading import Read, make_column_reader, make_reader, split_values
from services.catalog.markets.rules import CarriageRule, Deduction, DocumentRule, LicenceRule, Mode, Moderation
from services.catalog.markets.texts import fold_heading, fold_name
from services.catalog.markets.theory import deviation_of, weigh
from services.catalog.markets.words import Bilingual, Name

__all__ = [
    "Attribute",
    "Bilingual",
    "CertificateRule",
    "Choice",
    "Column",
    "Columns",
    "Conversion",
    "Pack",
    "ProductType",
    "TotalRows",
    "TypeUnits",
]
_placeholder = re.compile(r"\{(?P<name>\w+)(?:\|(?P<absent>[^}]*))?\}")


class Pack(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, dict=True):
    """A market as its file states it.

    ``units`` are the words for units in headings, by code; ``synonyms`` are groups of words that a search takes for
    each other.
    """

    market: Name
    name: Bilingual
    terms: MarketTerms
    fees: MarketFees
    conversions: list[Conversion]
    columns: Columns
    attributes: list[Attribute]
    title: Bilingual
    choices: dict[str, list[Choice]]
    units: dict[str, list[str]] = {}
    totals: TotalRows = TotalRows()
    types: list[ProductType] = []
    certificate: CertificateRule | None = None
    clauses: list[Clause] = []
    documents: list[DocumentRule] = []
    licences: list[LicenceRule] = []
    carriage: list[CarriageRule] = []
    deductions: list[Deduction] = []
    modes: list[Mode] = []
    moderation: Moderation | None = None
    synonyms: list[list[str]] = []
    indices: list[IndexRule] = []

    @cached_property
    def content(self) -> dict[str, Any]:
        """The pack as plain values, as it is kept."""
        return msgspec.to_builtins(self, enc_hook=write_wire)

    @cached_property
    def digest(self) -> str:
        """What tells whether two packs say the same."""
        return hashlib.sha256(msgspec.json.encode(self.content, order="deterministic")).hexdigest()

    @cached_property
    def by_heading(self) -> dict[str, str]:
        """Folded heading to the name of the attribute or column that it stands for."""
        return {fold_heading(heading): name for name, headings in self.headings() for heading in headings}

    def headings(self) -> Iterator[tuple[str, list[str]]]:
        """By the name of a column or attribute, all headings that stand for it: its labels and name do, too."""
        for name in Columns.__struct_fields__:
            column: Column = getattr(self.columns, name)
            yield name, [*column.headings, column.name.zh, column.name.en, name]
        for attribute in self.attributes:
            yield attribute.name, [*attribute.headings, attribute.label.zh, attribute.label.en, attribute.name]

    @cached_property
    def by_name(self) -> dict[str, Attribute]:
        """The attributes by name."""
        return {attribute.name: attribute for attribute in self.attributes}

    @cached_property
    def unit_codes(self) -> dict[str, str]:
        """Folded word of a unit to its code."""
        return {fold_name(word): code for code, words in self.units.items() for word in (code, *words)}

    def unit_of(self, name: str) -> str | None:
        """The unit in which an attribute or column is kept."""
        if name in ("net", "gross"):
            return self.terms.weight_unit
        return self.by_name[name].unit if name in self.by_name else None

    def convert(self, unit: str, into: str) -> Exact | None:
        """How many of one unit make another by the table of conversions; None where it has neither."""
        if unit == into:
            return Exact(1)
        found = (each.factor for each in self.conversions if (each.unit, each.into) == (unit, into))
        return next(found, None)

    @cached_property
    def _types_by_code(self) -> dict[str, dict[str, ProductType]]:
        found: dict[str, dict[str, ProductType]] = {}
        for type in self.types:
            found.setdefault(type.attribute, {}).update(dict.fromkeys(type.codes, type))
        return found

    @cached_property
    def types_by_name(self) -> dict[str, ProductType]:
        """The product types by name."""
        return {type.name: type for type in self.types}

    def type_of(self, attributes: Mapping[str, str]) -> ProductType | None:
        """The product type of goods with these attributes."""
        for name, types in self._types_by_code.items():
            if (type := types.get(attributes.get(name, ""))) is not None:
                return type
        return None

    def weigh(self, attributes: dict[str, str]) -> Quantity | None:
        """What a piece with these attributes weighs in theory, where its type has a formula or a table."""
        type = self.type_of(attributes)
        if type is None or type.theoretical is None:
            return None
        return weigh(type.theoretical, attributes, self.by_name, self.terms.weight_unit)

    def deviation_of(self, attributes: dict[str, str]) -> Exact | None:
        """By how many per cent such a piece may differ from its theoretical weight by its standard, where that says so."""
        type = self.type_of(attributes)
        return deviation_of(type.theoretical, attributes) if type and type.theoretical else None

    @cached_property
    def codes(self) -> dict[tuple[str, str], str]:
        """(List of choices, folded name) to code."""
        return {
            (list_name, fold_name(name)): choice.code
            for list_name, choices in self.choices.items()
            for choice in choices
            for name in choice.names
        }

    @cached_property
    def _by_code(self) -> dict[tuple[str | None, str], Choice]:
        return {(name, choice.code): choice for name, choices in self.choices.items() for choice in choices}

    def choice_of(self, attribute: Attribute, code: str) -> Choice | None:
        """The choice that a code of an attribute stands for."""
        return self._by_code.get((attribute.choices, code))

    @cached_property
    def readers(self) -> dict[str, Read]:
        """By the name of an attribute, what reads its texts: gives what is kept, or raises ValueError."""
        return {attribute.name: make_reader(attribute, self.choices) for attribute in self.attributes}

    @cached_property
    def column_readers(self) -> dict[str, Read]:
        """By the name of a column, what reads its texts: gives what is kept, or raises ValueError."""
        return {name: make_column_reader(name, getattr(self.columns, name)) for name in Columns.__struct_fields__}

    def check(self, attribute: Attribute, text: str) -> str:
        """What is kept of a text that a seller wrote. Raises ValueError with the reason for people."""
        return self.readers[attribute.name](text)

    def read_column(self, name: str, text: str) -> str:
        """What is kept of a text in a column that every piece has. Raises ValueError with the reason for people."""
        return self.column_readers[name](text)

    def title_of(self, attributes: dict[str, str]) -> dict[str, str]:
        """What people call a piece with these attributes, in both languages."""
        return {language: self._title_in(language, attributes) for language in ("zh", "en")}

    def _title_in(self, language: str, attributes: dict[str, str]) -> str:
        type = self.type_of(attributes)
        words = getattr(type.title if type else self.title, language)
        return " ".join(_placeholder.sub(lambda found: self._shown(found, attributes, language), words).split())

    def _shown(self, found: re.Match[str], attributes: dict[str, str], language: str) -> str:
        value = attributes.get(found["name"])
        if value is None:
            return found["absent"] or ""
        return self.show(self.by_name[found["name"]], value, language)

    def show(self, attribute: Attribute, kept: str, language: str) -> str:
        """What is kept of an attribute, for people: its choices by name."""
        shown = []
        for value in split_values(attribute, kept):
            choice = self.choice_of(attribute, value)
            shown.append(getattr(choice.name, language) if choice else value)
        return ("、" if language == "zh" else ", ").join(shown)

    def other_names(self, attributes: dict[str, str]) -> list[str]:
        """What else the choices of a piece are called: words that it is found by."""
        found = []
        for name, value in attributes.items():
            attribute = self.by_name.get(name)
            for single in split_values(attribute, value) if attribute and attribute.type == "choice" else ():
                if attribute and (choice := self.choice_of(attribute, single)):
                    found += choice.also
        return found

    def placeholders(self, form: str) -> list[tuple[str, bool]]:
        """The names in a title's form, and whether each says what to write when the piece has nothing."""
        return [(found["name"], found["absent"] is not None) for found in _placeholder.finditer(form)]

    def licences_of(self, attributes: dict[str, str]) -> list[LicenceNeeded]:
        """What each side must hold to trade in or carry goods with these attributes."""
        return needs.licences_of(self, attributes)

    def documents_of(self, attributes: dict[str, str]) -> list[DocumentRule]:
        """The papers that goods with these attributes, their offers and their deliveries carry."""
        return needs.rules_of(self, self.documents, "documents", attributes)

    def carriage_of(self, attributes: dict[str, str]) -> list[CarriageRule]:
        """How goods with these attributes are carried and kept."""
        return needs.rules_of(self, self.carriage, "carriage", attributes)

    def deductions_of(self, attributes: dict[str, str]) -> list[Deduction]:
        """The tables of deductions for the quality of goods with these attributes."""
        return needs.rules_of(self, self.deductions, "deductions", attributes)

    def units_of(self, attributes: dict[str, str]) -> TypeUnits:
        """What goods with these attributes are counted, priced and sold in."""
        return needs.units_of(self, self.type_of(attributes))

    def variant_of(self, attributes: dict[str, str]) -> str | None:
        """What products that are variants of each other have in common, as a digest; None where the type has no variants."""
        return needs.variant_of(self, attributes)

    def is_moderated(self, attributes: dict[str, str]) -> bool:
        """Whether the operator looks at such products before anybody sees them."""
        type = self.type_of(attributes)
        return self.moderation is not None and (
            not self.moderation.types or (type and type.name) in self.moderation.types
        )
