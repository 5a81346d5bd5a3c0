"""How a market's price indices are made: what they are of, where, and how other goods are brought to the reference."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chassis.values import CurrencyCode, Exact, UnitCode
from services.catalog.markets.words import Bilingual, Name, Source


class Differential(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What goods with such a value cost more (or less, below zero) than the reference, in the index's currency a unit.

    A text or choice is compared with ``value``; a number lies between ``least`` and ``most``, both included.
    """

    attribute: Name
    add: Exact
    value: str | None = None
    least: Exact | None = None
    most: Exact | None = None


class IndexPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A place whose deals count: its names as deals write them, and what the place costs more than the reference place."""

    name: Bilingual
    also: list[str] = []
    add: Exact = msgspec.field(default_factory=lambda: Exact(0))


class IndexRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A price index of a market: the reference goods (``goods``: attribute to value), places, unit, currency and tax basis.

    Deals of a day are those taken until ``cutoff`` (local time of ``timezone``) since the cut-off of the working day
    before. Goods that differ from the reference in an attribute of ``differentials`` are brought to it; other goods
    do not count. Of the prices ``trim_percent`` are left out at each end by volume; fewer than ``least_deals`` deals,
    or ``least_parties`` independent parties on either side, publish nothing. ``method`` rises whenever the rule
    changes. ``tax_rate`` brings a price to the tax basis.
    """

    code: Annotated[str, Meta(min_length=2, max_length=40, pattern=r"^[A-Z][A-Z0-9-]*$")]
    label: Bilingual
    goods: dict[str, str]
    places: Annotated[list[IndexPlace], Meta(min_length=1)]
    unit: UnitCode
    currency: CurrencyCode
    tax_basis: Literal["tax_included", "tax_excluded"]
    delivery_mode: Literal["self_pickup", "delivered"]
    delivered_costs: Exact = msgspec.field(default_factory=lambda: Exact(0))
    cutoff: Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    timezone: str
    calendar: Literal["cn", "every_day", "weekdays"]
    trim_percent: Exact
    least_deals: Annotated[int, Meta(ge=1)]
    least_parties: Annotated[int, Meta(ge=2)]
    method: Annotated[int, Meta(ge=1)]
    source: Source
    differentials: list[Differential] = []
