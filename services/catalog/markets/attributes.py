"""What goods of a market have, as its pack states it: columns, attributes, lists of choices, conversions of units."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chassis.values import Exact
from services.catalog.markets.words import Bilingual, Name

# Defaults made by a factory: a schema cannot state a default that is a decimal.
LEAST, MOST = Exact(0), Exact("999999999999")


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A column of an upload that every piece of every market has.

    What is meant where a file has nothing is ``default`` (a car is one piece); ``check`` is a named check of what is
    written.
    """

    name: Bilingual
    headings: list[str]
    default: str | None = None
    check: Name | None = None
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
    """Something that goods of a market have.

    ``level`` says what has it: a product (a grade), a lot of it (a batch, a heat), or a single piece (a mileage).
    ``filter`` is the name by which a search asks for it; ``searchable`` values are words that it is found by;
    ``comparable`` ones stand in a comparison. A text has the form of ``pattern`` and of one of ``patterns``, which
    are named after who issues what is so written. ``check`` names a check of the registry. ``many``: several values,
    separated by semicolons. ``equivalents`` names the table of values that replace each other. ``examples`` are
    values as sellers of such goods write them, for templates and samples.
    """

    name: Name
    label: Bilingual
    headings: list[str]
    type: Literal["text", "number", "choice", "date", "identifier"]
    required: bool
    level: Literal["product", "lot", "piece"] = "product"
    filter: Name | None = None
    searchable: bool = True
    comparable: bool = True
    many: bool = False
    check: Name | None = None
    equivalents: Name | None = None
    examples: list[str] = []
    help: Bilingual | None = None
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
