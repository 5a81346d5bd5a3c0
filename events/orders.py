"""What orders tells: offers, deals and their agreements."""

from datetime import datetime, timedelta
from typing import ClassVar, Literal

from chassis.envelope import Event
from chassis.values import Exact, Money, Quantity, UnitPrice, Value

TaxBasis = Literal["tax_included", "tax_excluded"]
WeighingRule = Literal[
    "LABEL",
    "THEORETICAL",
    "SELLER_WEIGHT",
    "BUYER_WEIGHT",
    "THIRD_PARTY",
    "WITHIN_TOL_SELLER_ELSE_BUYER",
    "EXCESS_ONLY",
]
DeliveryMode = Literal["self_pickup", "delivered"]
Side = Literal["buyer", "seller"]
DepositKind = Literal["performance_bond", "earnest"]
DepositUse = Literal["counts", "held"]
Release = Literal["settlement", "invoice"]
Stage = Literal["whole", "undisputed", "decided"]


class Periods(Value):
    """How long each waiting state of a deal may last, as ISO 8601 durations.

    ``load`` is how long a truck may stand at the gate, ``receive`` how long after its departure until the seller's
    weight stands, ``supplement`` how long the buyer has to pay what a delivery came to beyond the escrow.
    """

    deposit: timedelta
    sign: timedelta
    pay: timedelta
    inspect: timedelta
    load: timedelta = timedelta(hours=72)
    receive: timedelta = timedelta(days=7)
    supplement: timedelta = timedelta(days=3)


class PriceFormula(Value):
    """What a price was made of: the figure of an index for a day, as it was revised so often, and the premium on it."""

    index: str
    day: str
    revision: int
    premium: Exact


class Terms(Value):
    """The commercial terms that an offer states and a deal freezes.

    Rates, tolerance and dispute limit are fractions (0.13 is 13 %, 0.003 is 3 ‰); deposits are per cent of the gross
    value (0 is allowed). ``deposit_use``: the buyer's deposit ``counts`` toward the price when it pays, or is
    ``held`` until settlement. ``release``: escrow pays the seller at settlement, or when its tax invoice is recorded.
    ``weigher_id`` is the third party whose scale is asked. ``formula`` says what the price was made of, where the
    seller named an index: the price is fixed all the same.
    """

    price: UnitPrice
    tax_basis: TaxBasis
    tax_rate: Exact
    buyer_deposit_percent: Exact
    seller_deposit_percent: Exact
    weighing_rule: WeighingRule
    tolerance: Exact
    place: str
    delivery_mode: DeliveryMode
    deliver_by: datetime
    valid_until: datetime
    periods: Periods
    deposit_kind: DepositKind = "performance_bond"
    deposit_use: DepositUse = "held"
    release: Release = "settlement"
    dispute_limit: Exact | None = None
    weigher_id: str | None = None
    formula: PriceFormula | None = None


class DealPiece(Value):
    """A piece as a deal froze it: its weight is the one the price was worked out on, ``gross`` its share of the deal's gross."""

    piece_id: str
    number: str
    net: Quantity
    gross: Money | None = None


class OfferDescribed(Event):
    """An offer as it stands after a change: ``state`` is listed, partly_taken, taken, withdrawn or expired.

    ``version`` counts every change and orders projections; ``terms_version`` is the one that a taker must have seen.
    ``remaining`` is in the price's unit; ``piece_ids`` are the free pieces and empty for an offer by weight.
    ``taken_piece_ids`` are those in deals that are neither completed nor dead, whatever the offer's state. ``number``
    is the seller's own name for it; ``product_id`` what it is of where it has no pieces; ``audience`` are the
    companies that may see and take it, None means all.
    """

    type: ClassVar[str] = "orders.offer_described.v1"
    offer_id: str
    version: int
    terms_version: int
    market: str
    seller_id: str
    state: str
    title: str
    terms: Terms
    piece_ids: list[str]
    remaining: Quantity
    warehouse_id: str
    minimum: Quantity | None = None
    step: Quantity | None = None
    taken_piece_ids: list[str] = []
    number: str | None = None
    product_id: str | None = None
    audience: list[str] | None = None


class PostingDescribed(Event):
    """Something other than an offer that companies answer to, as it stands after a change.

    ``kind`` is inquiry (a request for quotation), tender, auction, capacity or booking; ``state`` is open or closed.
    ``attributes`` and ``product_id`` say what it is about, ``audience`` who may see it (None: everybody). ``answers``
    are what one may do with it: quote, bid, tender or book.
    """

    type: ClassVar[str] = "orders.posting_described.v1"
    posting_id: str
    version: int
    kind: Literal["inquiry", "tender", "auction", "capacity", "booking"]
    market: str
    owner_id: str
    state: Literal["open", "closed"]
    title: str
    attributes: dict[str, str]
    place: str
    valid_until: datetime
    answers: list[str]
    product_id: str | None = None
    quantity: Quantity | None = None
    price: UnitPrice | None = None
    tax_basis: TaxBasis = "tax_included"
    tax_rate: Exact | None = None
    audience: list[str] | None = None


class DealStruck(Event):
    """A buyer has taken from an offer; both deposits should be held before ``due_at``."""

    type: ClassVar[str] = "orders.deal_struck.v1"
    deal_id: str
    offer_id: str
    buyer_id: str
    seller_id: str
    buyer_deposit: Money
    seller_deposit: Money
    due_at: datetime


class DealCancelled(Event):
    """A deal came to nothing before it was to be paid: nobody is at fault, everything held for it is released."""

    type: ClassVar[str] = "orders.deal_cancelled.v1"
    deal_id: str
    reason: str


class DealSigned(Event):
    """Both sides have signed the agreement: the buyer should pay ``gross`` into escrow before ``due_at``.

    ``pay`` is how long it has from when it can pay: when settlement hears of this late, its date is the later one. It
    may pay for some of the ``pieces``, whose gross adds up to the whole, or for a part of the ``quantity`` where
    there are none. ``taken_at`` is when the buyer took it, at ``price`` and the other terms that it froze; ``index``
    is the price index that the price was made of, if it was.
    """

    type: ClassVar[str] = "orders.deal_signed.v1"
    deal_id: str
    market: str
    buyer_id: str
    seller_id: str
    gross: Money
    due_at: datetime
    pay: timedelta | None = None
    pieces: list[DealPiece] = []
    quantity: Quantity | None = None
    deposit_use: DepositUse = "held"
    release: Release = "settlement"
    supplement: timedelta = timedelta(days=3)
    offer_id: str | None = None
    product_id: str | None = None
    taken_at: datetime | None = None
    price: UnitPrice | None = None
    tax_basis: TaxBasis | None = None
    tax_rate: Exact | None = None
    place: str | None = None
    delivery_mode: DeliveryMode | None = None
    index: str | None = None


class PaymentCalled(Event):
    """The time to pay a deal is over: settlement should say whether it was paid, or until when it still may be."""

    type: ClassVar[str] = "orders.payment_called.v1"
    deal_id: str


class DealDescribed(Event):
    """A deal as it stands from its payment on, for those who carry the goods out.

    ``state`` is delivering, settling, completed, defaulted or cancelled: only while it is delivering may a delivery
    be started. ``pieces`` and ``quantity`` are what is paid and was not ended: that may be delivered. What may still
    be paid for is ``unpaid``.
    """

    type: ClassVar[str] = "orders.deal_described.v1"
    deal_id: str
    version: int
    market: str
    state: str
    buyer_id: str
    seller_id: str
    weighing_rule: WeighingRule
    pieces: list[DealPiece]
    quantity: Quantity
    deliver_by: datetime
    load: timedelta
    receive: timedelta
    warehouse_id: str
    weigher_id: str | None = None
    delivery_mode: DeliveryMode = "self_pickup"
    unpaid_piece_ids: list[str] = []
    unpaid: Quantity | None = None


class DeliveriesCalled(Event):
    """The time to deliver a deal is over: logistics should set up no more trucks for it, and say when that is so."""

    type: ClassVar[str] = "orders.deliveries_called.v1"
    deal_id: str


class PartRecalled(Event):
    """Both sides want to cancel a part of a deal: logistics should let go of it, unless some of it is on a truck."""

    type: ClassVar[str] = "orders.part_recalled.v1"
    deal_id: str
    recall_id: str
    piece_ids: list[str]
    quantity: Quantity


class DeliveryAccepted(Event):
    """A delivery's settlement quantity stands, accepted by the buyer or by the end of inspection: escrow should pay ``gross``.

    ``is_last`` says that nothing of the deal is left to deliver. ``value`` is the delivery's share of the deal's
    gross, what escrow holds for it. A disputed delivery is accepted in two stages, each with its own amounts and
    value: the ``undisputed`` quantity at once and the rest when the weight is ``decided``. ``reason`` says why the
    quantity is what it is.
    """

    type: ClassVar[str] = "orders.delivery_accepted.v1"
    deal_id: str
    delivery_id: str
    loaded: Quantity
    received: Quantity
    settled: Quantity
    price: UnitPrice
    tax_rate: Exact
    net: Money
    tax: Money
    gross: Money
    is_last: bool
    value: Money | None = None
    stage: Stage = "whole"
    rule: WeighingRule | None = None
    third_party: Quantity | None = None
    reason: str | None = None


class PartEnded(Event):
    """A part of a deal will not be delivered: one side broke it, or both agreed to cancel it (``by`` is None).

    ``value`` is its share of the deal's gross and in escrow when it ``is_paid``; ``forfeit`` of the breaker's deposit
    goes to the other side; what else was held for the part is released or returned.
    """

    type: ClassVar[str] = "orders.part_ended.v1"
    deal_id: str
    part_id: str
    by: Side | None
    piece_ids: list[str]
    quantity: Quantity
    value: Money
    is_paid: bool
    forfeit: Money
    reason: str


class DealDefaulted(Event):
    """One side broke a deal: ``forfeit`` of its deposit goes to the other side, everything else held is released or returned.

    ``passed_piece_ids`` were delivered, accepted and paid before that: they are ``buyer_id``'s.
    """

    type: ClassVar[str] = "orders.deal_defaulted.v1"
    deal_id: str
    by: Side
    forfeit: Money
    reason: str
    buyer_id: str | None = None
    passed_piece_ids: list[str] = []


class DealCompleted(Event):
    """Everything of a deal is delivered, settled and paid: the pieces are the buyer's."""

    type: ClassVar[str] = "orders.deal_completed.v1"
    deal_id: str
    buyer_id: str
    seller_id: str
    piece_ids: list[str]


class PiecesPassed(Event):
    """Pieces of a deal are delivered and what was due for them is settled: they are ``buyer_id``'s from now on."""

    type: ClassVar[str] = "orders.pieces_passed.v1"
    deal_id: str
    buyer_id: str
    seller_id: str
    piece_ids: list[str]
