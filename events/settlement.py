"""What settlement tells: what became of money that orders asked it to move."""

from datetime import datetime
from typing import ClassVar, Literal

from chassis.envelope import Event
from chassis.values import Money


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
    """The buyer has paid a deal in full into escrow."""

    type: ClassVar[str] = "settlement.escrow_funded.v1"
    deal_id: str
    amount: Money


class PaymentMissed(Event):
    """The time to pay is over and the escrow was not funded: it can no longer be paid."""

    type: ClassVar[str] = "settlement.payment_missed.v1"
    deal_id: str


class DeliverySettled(Event):
    """A delivery's money has been moved: ``paid`` is what the seller received before the ``fee`` was taken from it."""

    type: ClassVar[str] = "settlement.delivery_settled.v1"
    deal_id: str
    delivery_id: str
    statement_id: str
    paid: Money
    fee: Money
    shortfall: Money
