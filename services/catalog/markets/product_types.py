"""The product types of a market, as its pack states them, and its rules for rows of totals and certificates."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chassis.values import Exact, UnitCode
from services.catalog.markets.theory import Theory
from services.catalog.markets.words import Bilingual, Name


class TypeUnits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What goods of a type are counted in: ``base`` is kept, ``trade`` are those that prices and quantities may be stated in.

    Quantities are multiples of ``step`` and at least ``minimum``, both in the first unit of ``trade``.
    """

    base: UnitCode
    trade: Annotated[list[UnitCode], Meta(min_length=1)]
    step: Exact
    minimum: Exact


class ProductType(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A product type: the goods whose choice ``attribute`` has one of ``codes``.

    They must have what it ``requires`` and may have what else it ``has`` besides what all goods of the market have
    (the attributes that are required there); a type that says nothing of that may have every attribute. ``tracked``
    says how single goods are told apart: each one (piece), by batch (lot), or not at all. ``offered_as`` says what is
    promised: goods, carrying or storage capacity, a place that is booked, or a service. Products of one kind that
    differ in ``variants`` only are variants of each other. ``title`` is what they are called, ``theoretical`` what a
    piece weighs by formula. ``documents``, ``licences``, ``carriage`` and ``deductions`` name rules of the market.
    ``examples`` are typical goods, each as attributes that go together (a grade and its standard), for samples.
    """

    name: Name
    label: Bilingual
    attribute: str
    codes: Annotated[list[str], Meta(min_length=1)]
    requires: list[str] = []
    has: list[str] = []
    title: Bilingual
    tracked: Literal["piece", "lot", "none"] = "none"
    offered_as: Literal["goods", "capacity", "booking", "service"] = "goods"
    unspsc: Annotated[str, Meta(pattern=r"^[0-9]{8}$")] | None = None
    hs: list[Annotated[str, Meta(pattern=r"^[0-9]{4}([0-9]{2}){0,3}$")]] = []
    units: TypeUnits | None = None
    variants: list[str] = []
    documents: list[str] = []
    licences: list[str] = []
    carriage: list[str] = []
    deductions: list[str] = []
    theoretical: Theory | None = None
    examples: list[dict[str, str]] = []


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
