"""What settlement does on hearing how a deal goes on."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from events.orders import DealCancelled, DealDefaulted, DealSigned, DeliveryAccepted, PaymentCalled
from services.settlement.escrows import commands, settling


def on_deal_signed(session: Session, caller: Caller, event: DealSigned) -> None:
    """Await the payment."""
    commands.open_escrow(session, caller, event)


def on_payment_called(session: Session, caller: Caller, event: PaymentCalled) -> None:
    """Say whether it was paid."""
    commands.answer_call(session, caller, event.deal_id)


def on_delivery_accepted(session: Session, caller: Caller, event: DeliveryAccepted) -> None:
    """Pay the delivery."""
    settling.settle_delivery(session, caller, event)


def on_deal_cancelled(session: Session, caller: Caller, event: DealCancelled) -> None:
    """Give everything back."""
    settling.call_off_deal(session, caller, event.deal_id, event.reason)


def on_deal_defaulted(session: Session, caller: Caller, event: DealDefaulted) -> None:
    """Forfeit the deposit of who broke the deal."""
    settling.break_deal(session, caller, event)


HANDLERS = {
    DealSigned: on_deal_signed,
    PaymentCalled: on_payment_called,
    DeliveryAccepted: on_delivery_accepted,
    DealCancelled: on_deal_cancelled,
    DealDefaulted: on_deal_defaulted,
}
