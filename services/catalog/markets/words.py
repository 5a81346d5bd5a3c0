"""The words that every part of a market pack is written in: names, texts in both languages, limits of numbers."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from chassis.values import Exact

Name = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[a-z][a-z0-9_]*$")]
Source = Annotated[str, Meta(min_length=1, max_length=300)]


class Bilingual(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text in both languages of the platform."""

    zh: str
    en: str


class When(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A condition on what is traded: its attribute has one of ``codes``, or any value where none are named."""

    attribute: Name
    codes: list[str] = []


class NumberLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a number may be, both ends included, and what is meant when nothing is said."""

    least: Exact
    default: Exact
    most: Exact
