"""What orders does on hearing of money and of trucks."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.service import together
from events.logistics import DeliveriesClosed, DeliveryCancelled, DeliveryDeparted, DeliveryStarted, DeliveryWeighed
from events.settlement import (
    DeliverySettled,
    DepositRefused,
    DepositsHeld,
    EscrowFunded,
    EscrowOpened,
    PaymentMissed,
    SupplementEnded,
)
from services.orders.deals import acceptance, commands, deliveries, lines, payments


@together
def on_deposits_held(session: Session, caller: Caller, events: Sequence[DepositsHeld]) -> None:
    """The deals are in force."""
    commands.make_effective(session, caller, [event.deal_id for event in events])


def on_deposit_refused(session: Session, caller: Caller, event: DepositRefused) -> None:
    """The deal comes to nothing."""
    commands.refuse_deposit(session, caller, event.deal_id, event.by)


def on_escrow_opened(session: Session, caller: Caller, event: EscrowOpened) -> None:
    """The buyer can pay."""
    payments.await_payment(session, caller, event.deal_id, event.due_at)


def on_escrow_funded(session: Session, caller: Caller, event: EscrowFunded) -> None:
    """The goods that were paid for may go."""
    payments.pay(session, caller, event.deal_id, event.amount, piece_ids=event.piece_ids, quantity=event.quantity)


def on_payment_missed(session: Session, caller: Caller, event: PaymentMissed) -> None:
    """The buyer has defaulted on what is not paid."""
    payments.miss_payment(session, caller, event.deal_id)


def on_delivery_started(session: Session, caller: Caller, event: DeliveryStarted) -> None:
    """Part of the deal is on a truck."""
    deliveries.start_delivery(
        session, caller, event.deal_id, event.delivery_id, piece_ids=event.piece_ids, quantity=event.quantity
    )


def on_delivery_departed(session: Session, caller: Caller, event: DeliveryDeparted) -> None:
    """The truck has left."""
    deliveries.depart(session, caller, event.deal_id, event.delivery_id)


def on_delivery_weighed(session: Session, caller: Caller, event: DeliveryWeighed) -> None:
    """The buyer may inspect what came, or a dispute is decided."""
    acceptance.weigh(
        session,
        caller,
        event.deal_id,
        event.delivery_id,
        loaded=event.loaded,
        received=event.received,
        third_party=event.third_party,
        version=event.version,
    )


def on_delivery_cancelled(session: Session, caller: Caller, event: DeliveryCancelled) -> None:
    """The truck will not come."""
    deliveries.call_off(session, caller, event.deal_id, event.delivery_id)


def on_deliveries_closed(session: Session, caller: Caller, event: DeliveriesClosed) -> None:
    """No more trucks will come."""
    deliveries.close_deliveries(
        session, caller, event.deal_id, unfetched_piece_ids=event.unfetched_piece_ids, unfetched=event.unfetched
    )


def on_delivery_settled(session: Session, caller: Caller, event: DeliverySettled) -> None:
    """The delivery is paid, or a stage of it; with the last one the deal is completed."""
    lines.settle_line(
        session,
        caller,
        event.deal_id,
        event.delivery_id,
        event.stage,
        statement_id=event.statement_id,
        shortfall=event.shortfall,
    )


def on_supplement_ended(session: Session, caller: Caller, event: SupplementEnded) -> None:
    """What a delivery came to beyond the escrow is paid, or will not be."""
    lines.end_supplement(session, caller, event.deal_id, event.delivery_id, event.stage, missed=event.missed)


HANDLERS = {
    DepositsHeld: on_deposits_held,
    DepositRefused: on_deposit_refused,
    EscrowOpened: on_escrow_opened,
    EscrowFunded: on_escrow_funded,
    PaymentMissed: on_payment_missed,
    DeliveryStarted: on_delivery_started,
    DeliveryDeparted: on_delivery_departed,
    DeliveryWeighed: on_delivery_weighed,
    DeliveryCancelled: on_delivery_cancelled,
    DeliveriesClosed: on_deliveries_closed,
    DeliverySettled: on_delivery_settled,
    SupplementEnded: on_supplement_ended,
}
