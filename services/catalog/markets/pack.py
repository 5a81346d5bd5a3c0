"""A market pack: what an industry's data file says, as types, and what it makes of the texts that a seller writes."""

from __future__ import annotations

import re
import unicodedata
from functools import cached_property
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chassis.values import Exact, read_exact
from events.catalog import MarketFees, MarketTerms

MAX_TEXT = 200
Name = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[a-z][a-z0-9_]*$")]
_placeholder = re.compile(r"\{(?P<name>\w+)(?:\|(?P<absent>[^}]*))?\}")
_exponent_form = re.compile(r"[0-9]+(\.[0-9]+)?[eE]\+?-?[0-9]+")
_sheet_identifier = re.compile(r"[0-9]+(\.[0-9]+)?[eE]\+[0-9]+")
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


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
    """Something that pieces of a market have. ``filter`` is the name by which a search asks for it."""

    name: Name
    label: Bilingual
    headings: list[str]
    type: Literal["text", "number", "choice", "identifier"]
    required: bool
    filter: Name | None = None
    pattern: str | None = None
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


class Pack(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, dict=True):
    """A market as its file states it."""

    market: Name
    name: Bilingual
    terms: MarketTerms
    fees: MarketFees
    conversions: list[Conversion]
    columns: Columns
    attributes: list[Attribute]
    title: Bilingual
    choices: dict[str, list[Choice]]

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
        return text

    def title_of(self, attributes: dict[str, str]) -> dict[str, str]:
        """What people call a piece with these attributes, in both languages."""
        return {language: self._title_in(language, attributes) for language in ("zh", "en")}

    def _title_in(self, language: str, attributes: dict[str, str]) -> str:
        form = getattr(self.title, language)
        return " ".join(_placeholder.sub(lambda found: self._shown(found, attributes, language), form).split())

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


def fold_heading(text: str) -> str:
    """A heading without what people write differently: width, case, spaces, brackets and signs."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return "".join(sign for sign in folded if sign.isalnum())


def fold_name(text: str) -> str:
    """The name of a choice without width, case and spaces."""
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


def read_text(text: str) -> str:
    """A short text. Raises ValueError on hidden signs, too much of it, or what a spreadsheet would run as a formula."""
    if any(unicodedata.category(sign) in _HIDDEN for sign in text):
        raise ValueError("has control characters or other hidden signs")
    if len(text) > MAX_TEXT:
        raise ValueError(f"is longer than {MAX_TEXT} characters")
    if text[0] in "=@+" or (text[0] == "-" and len(text) > 1):
        raise ValueError(f"begins with {text[0]}, which a spreadsheet would run as a formula")
    return text


def read_identifier(text: str) -> str:
    """A number or code that names something. Raises ValueError.

    The exponent form of a spreadsheet is never repaired.
    """
    text = read_text(text)
    if _sheet_identifier.fullmatch(text):
        raise ValueError("is in exponent form: the spreadsheet has lost its digits, format the column as text")
    if len(text) > 64:
        raise ValueError("is longer than 64 characters")
    return text


def read_number(text: str, limits: Attribute | Column) -> Exact:
    """A number in plain digits within its limits, without noughts that do not count. Raises ValueError."""
    if _exponent_form.fullmatch(text):
        raise ValueError("is in exponent form: write plain digits")
    try:
        value = read_exact(text)
    except ValueError:
        raise ValueError("is not a number in plain digits, such as 5.5") from None
    places = -int(value.normalize().as_tuple().exponent)
    if places > limits.decimals:
        raise ValueError(f"has more than {limits.decimals} decimals")
    if not limits.least <= value <= limits.most:
        raise ValueError(f"is not between {limits.least} and {limits.most}")
    return Exact(format(value.normalize(), "f"))
