"""What settlement tells: what became of money that orders asked it to move."""

from datetime import datetime
from typing import ClassVar, Literal

from chassis.envelope import Event
from chassis.values import Money, Quantity
from events.orders import Stage


class DepositsHeld(Event):
    """Both deposits of a deal are held (a deposit of zero counts as held)."""

    type: ClassVar[str] = "settlement.deposits_held.v1"
    deal_id: str


class DepositRefused(Event):
    """A deposit could not be held, so neither is: ``by`` is the side that lacked the money."""

    type: ClassVar[str] = "settlement.deposit_refused.v1"
    deal_id: str
    by: Literal["buyer", "seller"]
    required: Money


class EscrowOpened(Event):
    """A deal can be paid until ``due_at``, whatever was said of that before."""

    type: ClassVar[str] = "settlement.escrow_opened.v1"
    deal_id: str
    due_at: datetime


class EscrowFunded(Event):
    """The buyer has paid into escrow: for the pieces named or the quantity, or for all that was left (``piece_ids`` is None).

    ``amount`` is the value of what was paid for by this payment; ``is_whole`` when nothing of the deal is left to pay.
    """

    type: ClassVar[str] = "settlement.escrow_funded.v1"
    deal_id: str
    amount: Money
    piece_ids: list[str] | None = None
    quantity: Quantity | None = None
    is_whole: bool = True


class PaymentMissed(Event):
    """The time to pay is over: what is named was not paid and can no longer be (all of the deal, where nothing is named)."""

    type: ClassVar[str] = "settlement.payment_missed.v1"
    deal_id: str
    piece_ids: list[str] | None = None
    quantity: Quantity | None = None


class DeliverySettled(Event):
    """A delivery's money has been moved: ``paid`` is what the seller received before the ``fee`` was taken from it."""

    type: ClassVar[str] = "settlement.delivery_settled.v1"
    deal_id: str
    delivery_id: str
    statement_id: str
    paid: Money
    fee: Money
    shortfall: Money
    stage: Stage = "whole"


class SupplementEnded(Event):
    """What a delivery had come to beyond the escrow was paid by the buyer, or was not in time."""

    type: ClassVar[str] = "settlement.supplement_ended.v1"
    deal_id: str
    delivery_id: str
    stage: Stage
    paid: Money
    missed: Money
