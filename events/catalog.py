"""What the catalog tells: the markets with their rules, and the things that can be traded."""

from datetime import timedelta
from typing import ClassVar

import msgspec

from chassis.envelope import Event
from chassis.values import Exact, Quantity, UnitPrice, Value


class NumberRange(Value):
    """What a number of the terms may be: ``least`` and ``most`` are allowed too; ``default`` is meant when nothing is said."""

    least: Exact
    default: Exact
    most: Exact


class PeriodRange(Value):
    """How long a wait may be, as ISO 8601 durations; ``default`` is meant when nothing is said."""

    least: timedelta
    default: timedelta
    most: timedelta


def _supplement() -> PeriodRange:
    return PeriodRange(least=timedelta(seconds=1), default=timedelta(days=3), most=timedelta(days=30))


class MarketPeriods(Value):
    """The waits of a trade: for deposits, signatures, payment and inspection, for a truck to load and to be weighed at its end
    after it left, how long an offer may stay listed, and for the payment of what a delivery comes to above its
    escrow."""

    deposit: PeriodRange
    sign: PeriodRange
    pay: PeriodRange
    inspect: PeriodRange
    load: PeriodRange
    receive: PeriodRange
    validity: PeriodRange
    supplement: PeriodRange = msgspec.field(default_factory=_supplement)


class TextChoice(Value):
    """The words that a term may be; ``default`` is one of ``allowed`` and meant when nothing is said."""

    allowed: list[str]
    default: str


def _deposit_use() -> TextChoice:
    return TextChoice(allowed=["counts", "held"], default="counts")


def _deposit_kind() -> TextChoice:
    return TextChoice(allowed=["performance_bond", "earnest"], default="performance_bond")


def _release() -> TextChoice:
    return TextChoice(allowed=["settlement", "invoice"], default="settlement")


class MarketTerms(Value):
    """What the terms of an offer in a market may be, and what they are when the seller does not say.

    Rates and tolerance are fractions (0.13 is 13 %, 0.003 is 3 ‰); deposits are per cent of the gross value.
    ``price_unit`` and ``currency`` say what a price may be for and in; ``weight_unit`` is what pieces are weighed in.
    ``deposit_use``: the buyer's deposit counts toward the price or stays held until settlement. ``deposit_kind`` is
    performance_bond or earnest, which is refused above ``earnest_cap_percent``. ``release``: escrow is paid out at
    settlement or when the seller's invoice is recorded. ``most_dispute_limit`` is the highest fraction that an
    offer's dispute limit may be.
    """

    currency: TextChoice
    price_unit: TextChoice
    weight_unit: str
    tax_basis: TextChoice
    tax_rates: list[Exact]
    default_tax_rate: Exact
    buyer_deposit_percent: NumberRange
    seller_deposit_percent: NumberRange
    weighing_rule: TextChoice
    tolerance: NumberRange
    delivery_mode: TextChoice
    periods: MarketPeriods
    deposit_use: TextChoice = msgspec.field(default_factory=_deposit_use)
    deposit_kind: TextChoice = msgspec.field(default_factory=_deposit_kind)
    earnest_cap_percent: Exact = msgspec.field(default_factory=lambda: Exact("20"))
    release: TextChoice = msgspec.field(default_factory=_release)
    most_dispute_limit: Exact = msgspec.field(default_factory=lambda: Exact("0.05"))


class MarketFees(Value):
    """What the platform takes: a share of what a seller is paid, and of a forfeit before it goes to the injured side.

    ``penalty_rate`` is the share of the part not performed that its breaker forfeits, never more than what is held of
    it. ``fee_tax_rate`` is the tax that is included in the platform's fee. All four are fractions.
    """

    fee_rate: Exact
    forfeit_fee_rate: Exact
    penalty_rate: Exact
    fee_tax_rate: Exact = msgspec.field(default_factory=lambda: Exact("0.06"))


class Clause(Value):
    """A clause of a market's agreement, by language (zh, en): ``text`` has placeholders in braces that a deal fills in."""

    heading: dict[str, str]
    text: dict[str, str]


class MarketDescribed(Event):
    """An industry's market as it stands after its pack was read: names, what terms may be, what the platform takes.

    The version rises by one whenever the pack's content changes. A deal keeps the terms that it froze. ``clauses``
    are those of the agreement that both sides of a deal sign, in their order.
    """

    type: ClassVar[str] = "catalog.market_described.v1"
    market: str
    version: int
    name: dict[str, str]
    terms: MarketTerms
    fees: MarketFees
    clauses: list[Clause] = []


class LicenceNeeded(Value):
    """What a side (seller, buyer or carrier) must hold to trade in something: one licence of ``scheme`` for all of ``scope``.

    ``hides``: who lacks it as a buyer does not even see the goods.
    """

    scheme: str
    held_by: list[str]
    scope: list[str] = []
    hides: bool = False


class ProductDescribed(Event):
    """A product of a company as it stands after a change: what it is, not what it costs or how many there are.

    ``number`` is its owner's own and names it for ever; ``state`` is draft, submitted, published, rejected or
    retired, and only a published one may be offered. ``product_type`` is the market's, ``offered_as`` goods,
    capacity, booking or service. ``attributes`` are the market's own, by name, as text. Quantities are in one of
    ``trade_units``, multiples of ``step`` and at least ``minimum``, both in the first of them. ``blocked`` says why
    it may not be listed, or is None. Products with one ``group_id`` are variants of each other. ``gtin`` has 14
    digits or is None. ``texts`` are its owner's free descriptions by language (zh, en).
    """

    type: ClassVar[str] = "catalog.product_described.v1"
    product_id: str
    version: int
    market: str
    market_version: int
    product_type: str
    offered_as: str
    owner_id: str
    number: str
    state: str
    title: dict[str, str]
    attributes: dict[str, str]
    base_unit: str
    trade_units: list[str]
    step: Exact
    minimum: Exact
    licences: list[LicenceNeeded] = []
    blocked: str | None = None
    group_id: str | None = None
    gtin: str | None = None
    texts: dict[str, str] = {}


class SearchMatched(Event):
    """Something new fits a search that a user has saved: ``kind`` and ``thing_id`` say what, ``title`` names it for people."""

    type: ClassVar[str] = "catalog.search_matched.v1"
    saved_search_id: str
    party_id: str
    user_id: str
    name: str
    kind: str
    thing_id: str
    title: str


class IndexDescribed(Event):
    """A price index of a day as it stands: ``state`` is provisional, final or withheld (then there is no price).

    ``revision`` rises with each correction, which ``reason`` explains. ``deals`` and ``volume`` are what it was made
    of, by ``method`` of the market's pack.
    """

    type: ClassVar[str] = "catalog.index_described.v1"
    index_day_id: str
    version: int
    code: str
    market: str
    day: str
    revision: int
    method: int
    state: str
    deals: int
    volume: Quantity
    price: UnitPrice | None = None
    tax_basis: str = "tax_included"
    reason: str | None = None


class PieceDescribed(Event):
    """A single tracked piece (a coil, a bundle) as it stands after a change.

    ``maker_id`` uploaded it first and with ``number`` names it for ever; ``owner_id`` is who may sell it.
    ``attributes`` are the market's own, by name, as text (grade, thickness_mm, …); ``title`` is made for people.
    ``epc`` is the 24 hex digits of a 96-bit tag or None. ``warehouse_id`` is the party that keeps it. ``theoretical``
    is what it weighs by the market's formula or table, where there is one. ``blocked`` says why it may not be listed:
    certificate_missing, certificate_names_other_heat, or None. ``product_id`` is the product that it is one of, if
    any; ``licences`` are what its market asks for.
    """

    type: ClassVar[str] = "catalog.piece_described.v1"
    piece_id: str
    version: int
    market: str
    maker_id: str
    owner_id: str
    number: str
    title: dict[str, str]
    attributes: dict[str, str]
    net: Quantity
    gross: Quantity
    warehouse_id: str
    state: str
    epc: str | None = None
    theoretical: Quantity | None = None
    blocked: str | None = None
    product_id: str | None = None
    market_version: int | None = None
    licences: list[LicenceNeeded] = []
