"""What settlement does on hearing how a deal goes on."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from events.orders import (
    DealCancelled,
    DealCompleted,
    DealDefaulted,
    DealSigned,
    DeliveryAccepted,
    PartEnded,
    PaymentCalled,
)
from services.settlement.escrows import commands, ending, settling


def on_deal_signed(session: Session, caller: Caller, event: DealSigned) -> None:
    """Await the payment."""
    commands.open_escrow(session, caller, event)


def on_payment_called(session: Session, caller: Caller, event: PaymentCalled) -> None:
    """Say whether it was paid."""
    commands.answer_call(session, caller, event.deal_id)


def on_delivery_accepted(session: Session, caller: Caller, event: DeliveryAccepted) -> None:
    """Pay the delivery, or await its invoice."""
    settling.settle_delivery(session, event)


def on_part_ended(session: Session, caller: Caller, event: PartEnded) -> None:
    """Settle what will not be delivered."""
    ending.end_part(session, event)


def on_deal_cancelled(session: Session, caller: Caller, event: DealCancelled) -> None:
    """Give everything back."""
    ending.call_off_deal(session, event.deal_id, event.reason)


def on_deal_defaulted(session: Session, caller: Caller, event: DealDefaulted) -> None:
    """Forfeit the deposit of who broke the deal, if its parts have not."""
    ending.break_deal(session, event)


def on_deal_completed(session: Session, caller: Caller, event: DealCompleted) -> None:
    """Let nothing of it stay held."""
    ending.complete_deal(session, event.deal_id)


HANDLERS = {
    DealSigned: on_deal_signed,
    PaymentCalled: on_payment_called,
    DeliveryAccepted: on_delivery_accepted,
    PartEnded: on_part_ended,
    DealCancelled: on_deal_cancelled,
    DealDefaulted: on_deal_defaulted,
    DealCompleted: on_deal_completed,
}
