"""A market pack: what an industry's data file says, as types, and what it makes of the texts that a seller writes."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chassis.values import Exact, Quantity
from events.catalog import Clause, MarketFees, MarketTerms
from services.catalog.markets.texts import fold_heading, fold_name, read_identifier, read_number, read_text
from services.catalog.markets.theory import Theory, weigh

Name = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[a-z][a-z0-9_]*$")]
_placeholder = re.compile(r"\{(?P<name>\w+)(?:\|(?P<absent>[^}]*))?\}")


# Defaults made by a factory: a schema cannot state a default that is a decimal.
LEAST, MOST = Exact(0), Exact("999999999999")


class Bilingual(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text in both languages of the platform."""

    zh: str
    en: str


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A column of an upload that every piece of every market has."""

    name: Bilingual
    headings: list[str]
    least: Exact = msgspec.field(default_factory=lambda: LEAST)
    most: Exact = msgspec.field(default_factory=lambda: MOST)
    decimals: Annotated[int, Meta(ge=0, le=6)] = 6


class Columns(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a piece of any market has: who it is, what it weighs, who keeps it, its tag."""

    number: Column
    net: Column
    gross: Column
    warehouse: Column
    epc: Column


class Attribute(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something that pieces of a market have. ``filter`` is the name by which a search asks for it.

    A text has the form of ``pattern`` and of one of ``patterns``, which are named after who issues what is so written.
    """

    name: Name
    label: Bilingual
    headings: list[str]
    type: Literal["text", "number", "choice", "identifier"]
    required: bool
    filter: Name | None = None
    pattern: str | None = None
    patterns: dict[str, str] = {}
    choices: str | None = None
    unit: str | None = None
    least: Exact = msgspec.field(default_factory=lambda: LEAST)
    most: Exact = msgspec.field(default_factory=lambda: MOST)
    decimals: Annotated[int, Meta(ge=0, le=6)] = 6


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One of a list: its code is kept, its names are what people write and read."""

    code: str
    name: Bilingual
    also: list[str] = []

    @property
    def names(self) -> list[str]:
        """Everything that it is called."""
        return [self.code, self.name.zh, self.name.en, *self.also]


class Conversion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``factor`` of ``into`` make one ``unit``."""

    unit: str
    into: str
    factor: Exact


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A product form: the pieces whose choice ``attribute`` has one of ``codes``.

    They must have what it ``requires``, are called by ``title``, and may weigh something by ``theoretical``.
    """

    name: Name
    attribute: str
    codes: Annotated[list[str], Meta(min_length=1)]
    requires: list[str] = []
    title: Bilingual
    theoretical: Theory | None = None


class CertificateRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which attributes of a piece name its certificate, the batch that this must name, and its type.

    ``required`` says that a piece without it may not be listed.
    """

    number: str
    batch: str
    type: str
    required: bool


class TotalRows(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a row begins that sums up all rows above it (``whole``) or those since the last such row (``part``).

    ``counters`` are the words that stand behind a number of pieces.
    """

    whole: list[str] = []
    part: list[str] = []
    counters: list[str] = []


class Pack(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, dict=True):
    """A market as its file states it. ``units`` are the words for units in headings, by code."""

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
    forms: list[Form] = []
    certificate: CertificateRule | None = None
    clauses: list[Clause] = []

    @cached_property
    def by_heading(self) -> dict[str, str]:
        """Folded heading to the name of the attribute or column that it stands for."""
        columns = {name: getattr(self.columns, name) for name in Columns.__struct_fields__}
        columns |= {attribute.name: attribute for attribute in self.attributes}
        return {fold_heading(heading): name for name, column in columns.items() for heading in (*column.headings, name)}

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

    def form_of(self, attributes: dict[str, str]) -> Form | None:
        """The product form of a piece with these attributes."""
        return next((form for form in self.forms if attributes.get(form.attribute) in form.codes), None)

    def weigh(self, attributes: dict[str, str]) -> Quantity | None:
        """What a piece with these attributes weighs in theory, where its form has a formula or a table."""
        form = self.form_of(attributes)
        if form is None or form.theoretical is None:
            return None
        return weigh(form.theoretical, attributes, self.by_name, self.terms.weight_unit)

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

    def check(self, attribute: Attribute, text: str) -> str:
        """What is kept of a text that a seller wrote. Raises ValueError with the reason for people."""
        if attribute.type == "number":
            return format(read_number(text, attribute), "f")
        if attribute.type == "choice":
            if (code := self.codes.get((attribute.choices or "", fold_name(text)))) is None:
                raise ValueError(
                    "not one of: " + ", ".join(choice.name.en for choice in self.choices[attribute.choices or ""])
                )
            return code
        if attribute.type == "identifier":
            return read_identifier(text)
        text = read_text(text)
        if attribute.pattern and not re.fullmatch(attribute.pattern, text):
            raise ValueError("has signs that do not belong there")
        if attribute.patterns and not any(re.fullmatch(each, text) for each in attribute.patterns.values()):
            raise ValueError("is not written as one of: " + ", ".join(attribute.patterns))
        return text

    def title_of(self, attributes: dict[str, str]) -> dict[str, str]:
        """What people call a piece with these attributes, in both languages."""
        return {language: self._title_in(language, attributes) for language in ("zh", "en")}

    def _title_in(self, language: str, attributes: dict[str, str]) -> str:
        form = self.form_of(attributes)
        words = getattr(form.title if form else self.title, language)
        return " ".join(_placeholder.sub(lambda found: self._shown(found, attributes, language), words).split())

    def _shown(self, found: re.Match[str], attributes: dict[str, str], language: str) -> str:
        value = attributes.get(found["name"])
        if value is None:
            return found["absent"] or ""
        choice = self.choice_of(self.by_name[found["name"]], value)
        return getattr(choice.name, language) if choice else value

    def other_names(self, attributes: dict[str, str]) -> list[str]:
        """What else the choices of a piece are called: words that it is found by."""
        found = []
        for name, value in attributes.items():
            attribute = self.by_name.get(name)
            if attribute and attribute.type == "choice" and (choice := self.choice_of(attribute, value)):
                found += choice.also
        return found

    def placeholders(self, form: str) -> list[tuple[str, bool]]:
        """The names in a title's form, and whether each says what to write when the piece has nothing."""
        return [(found["name"], found["absent"] is not None) for found in _placeholder.finditer(form)]
