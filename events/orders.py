"""What orders tells: offers, deals and their agreements."""

from datetime import datetime, timedelta
from typing import ClassVar, Literal

from chassis.envelope import Event
from chassis.values import Exact, Money, Quantity, UnitPrice, Value

TaxBasis = Literal["tax_included", "tax_excluded"]
WeighingRule = Literal["LABEL", "SELLER_WEIGHT", "BUYER_WEIGHT", "WITHIN_TOL_SELLER_ELSE_BUYER"]
DeliveryMode = Literal["self_pickup", "delivered"]
Side = Literal["buyer", "seller"]


class Periods(Value):
    """How long each waiting state of a deal may last, as ISO 8601 durations.

    ``load`` is how long a truck may stand at the gate, ``receive`` how long after its departure until the seller's weight stands.
    """

    deposit: timedelta
    sign: timedelta
    pay: timedelta
    inspect: timedelta
    load: timedelta = timedelta(hours=72)
    receive: timedelta = timedelta(days=7)


class Terms(Value):
    """The commercial terms that an offer states and a deal freezes.

    Rates and tolerance are fractions (0.13 is 13 %, 0.003 is 3 ‰); deposits are per cent of the gross value (0 is allowed).
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


class DealPiece(Value):
    """A piece as a deal froze it: its weight is the one the price was worked out on."""

    piece_id: str
    number: str
    net: Quantity


class OfferDescribed(Event):
    """An offer as it stands after a change: ``state`` is listed, partly_taken, taken, withdrawn or expired.

    ``version`` counts every change and orders projections; ``terms_version`` is the one that a taker must have seen.
    ``remaining`` is in the price's unit; ``piece_ids`` are the free pieces and empty for an offer by weight.
    ``taken_piece_ids`` are those in deals that are neither completed nor dead, whatever the offer's state.
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

    ``pay`` is how long it has from when it can pay: when settlement hears of this late, its date is the later one.
    """

    type: ClassVar[str] = "orders.deal_signed.v1"
    deal_id: str
    market: str
    buyer_id: str
    seller_id: str
    gross: Money
    due_at: datetime
    pay: timedelta | None = None


class PaymentCalled(Event):
    """The time to pay a deal is over: settlement should say whether it was paid, or until when it still may be."""

    type: ClassVar[str] = "orders.payment_called.v1"
    deal_id: str


class DealDescribed(Event):
    """A deal as it stands from its payment on, for those who carry the goods out.

    ``state`` is delivering, settling, completed or defaulted: only while it is delivering may a delivery be started.
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


class DeliveriesCalled(Event):
    """The time to deliver a deal is over: logistics should set up no more trucks for it, and say when that is so."""

    type: ClassVar[str] = "orders.deliveries_called.v1"
    deal_id: str


class DeliveryAccepted(Event):
    """A delivery's settlement quantity stands, accepted by the buyer or by the end of inspection: escrow should pay ``gross``.

    ``is_last`` says that nothing of the deal is left to deliver: the rest of the escrow goes back and the deposits are released.
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
