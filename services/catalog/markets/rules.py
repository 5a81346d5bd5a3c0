"""What a market asks for around its goods: papers, licences, carriage, deductions for quality, moderation."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chassis.values import Exact
from services.catalog.markets.words import Bilingual, Name, NumberLimits, Source, When

Side = Literal["seller", "buyer", "carrier"]
Carrier = Literal["product", "lot", "piece", "offer", "delivery"]


class DocumentRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A paper that something carries: a certificate, a safety data sheet, a vehicle's title.

    ``carried_by`` says what it is attached to. Without a ``required`` one that is in force a product or a piece cannot be
    listed and a lot is shown as blocked; what an offer or a delivery should carry is told to its sides and not looked
    for. ``languages`` it must be had in; ``most_age_days`` since its date of issue; ``expires`` says that it states an
    end of validity. ``types`` is the list of choices of its types, if there are several.
    """

    name: Name
    label: Bilingual
    carried_by: Carrier
    required: bool
    source: Source
    when: When | None = None
    languages: list[Literal["zh", "en"]] = []
    most_age_days: Annotated[int, Meta(ge=1, le=36_500)] | None = None
    expires: bool = False
    types: str | None = None


class LicenceRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A licence that a side must hold before it may trade or carry such goods.

    ``scheme`` is what the operator records it under for a company; where ``scope`` names an attribute, the licence
    must list its value. Goods for which a buyer lacks a licence are not even seen by it where ``hides`` is said.
    """

    name: Name
    label: Bilingual
    scheme: Name
    held_by: Annotated[list[Side], Meta(min_length=1)]
    source: Source
    when: When | None = None
    scope: Name | None = None
    hides: bool = False


class Temperature(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What goods may be carried and kept at, in degrees Celsius, and how long they may be outside of it."""

    least: Exact
    most: Exact
    excursion_minutes: Annotated[int, Meta(ge=0, le=100_000)] = 0


class CarriageRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How goods are carried and kept.

    ``hazard`` names the attribute that has the UN number: class and packing group follow from it. ``fefo``: what
    expires first leaves first; ``expiry_floor_days`` is the least time to expiry (the attribute ``expiry``) when
    goods are handed over.
    """

    name: Name
    label: Bilingual
    source: Source
    when: When | None = None
    hazard: Name | None = None
    temperature: Temperature | None = None
    fefo: bool = False
    expiry: Name | None = None
    expiry_floor_days: Annotated[int, Meta(ge=0, le=36_500)] | None = None
    text: Bilingual | None = None


class DeductionStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is deducted for the measured value beyond ``beyond`` and up to ``up_to``: ``percent`` for each ``each``
    begun or, without ``each``, at once.
    """

    beyond: Exact
    percent: Exact
    up_to: Exact | None = None
    each: Exact | None = None


class Deduction(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of deductions for quality: by the value of ``attribute`` a share of the quantity or of the price.

    ``direction`` says on which side of the base the goods are worse. Beyond ``reject`` the buyer may refuse them.
    """

    name: Name
    label: Bilingual
    attribute: Name
    of: Literal["quantity", "price"]
    direction: Literal["above", "below"]
    steps: Annotated[list[DeductionStep], Meta(min_length=1)]
    source: Source
    reject: Exact | None = None
    when: When | None = None


class Stage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A stage of payment: its share of the price, and what it falls due by."""

    label: Bilingual
    percent: Exact
    due: Literal["signed", "designed", "shipped", "delivered", "accepted", "warranty_ended"]
    days: Annotated[int, Meta(ge=0, le=3_650)] = 0


class Band(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A more-or-less clause: within ``base_percent`` at the contract's price, within ``outer_percent`` beyond it at
    the market's.
    """

    base_percent: Exact
    outer_percent: Exact = msgspec.field(default_factory=lambda: Exact(0))
    option: Literal["seller", "buyer"]
    scope: Literal["lot", "contract", "last_lot"]
    source: Source


class Refund(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who cancels at least ``hours_before`` the beginning gets ``percent`` of the price back."""

    hours_before: Annotated[int, Meta(ge=0, le=87_600)]
    percent: Exact


class CancellationPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much of a booking's price comes back, by when it is cancelled; what no row covers comes back not at all."""

    name: Name
    label: Bilingual
    refunds: list[Refund]


class Mode(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A way to trade that a market allows, with what may be agreed in it.

    Which parameters a mode has: listing: none besides the terms. inquiry (requests for quotation): validity_hours,
    suppliers. english_auction, reverse_auction: deposit_percent, step_percent (the least step of a bid),
    extend_minutes (a bid that late prolongs), bidders (fewer make it void), duration_hours. tender: deposit_percent
    (bid bond), duration_hours (least time to bid), bidders, price_weight (per cent of the score), stages. forward:
    deposit_percent, bands, stages, validity_hours. booking: hold_minutes, cutoff_hours, cancellation. cart:
    return_days. freight: validity_hours, deposit_percent.
    """

    mode: Literal[
        "listing", "inquiry", "english_auction", "reverse_auction", "tender", "forward", "booking", "cart", "freight"
    ]
    types: list[Name] = []
    validity_hours: NumberLimits | None = None
    suppliers: NumberLimits | None = None
    deposit_percent: NumberLimits | None = None
    step_percent: NumberLimits | None = None
    extend_minutes: NumberLimits | None = None
    bidders: NumberLimits | None = None
    duration_hours: NumberLimits | None = None
    price_weight: NumberLimits | None = None
    hold_minutes: NumberLimits | None = None
    cutoff_hours: NumberLimits | None = None
    return_days: NumberLimits | None = None
    stages: list[Stage] = []
    bands: list[Band] = []
    cancellation: list[CancellationPolicy] = []


class Moderation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which products the operator looks at before anybody sees them: those of ``types``, or all of a market where
    none are named.
    """

    types: list[Name] = []
    reason: Bilingual
