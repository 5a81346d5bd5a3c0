"""Moves a deal on by news of its payment: of all of it, of some of it, or of none in time.

Whether a part was paid settlement alone decides: orders ends an unpaid part only when it says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get
from chassis.messages import emit
from chassis.values import Money, Quantity
from events.orders import PaymentCalled
from services.orders.deals.endings import end_part, go_on
from services.orders.deals.model import Deal
from services.orders.deals.parts import Part
from services.orders.deals.progress import Progress
from services.orders.deals.queries import find_progress
from services.orders.deals.states import Reason, State
from services.orders.measures import in_price_unit

PAYABLE = frozenset({State.SIGNED, State.DELIVERING})


def await_payment(session: Session, caller: Caller, deal_id: str, due_at: datetime) -> None:
    """Settlement says until when what is unpaid of the deal can be paid: that is its deadline."""
    deal = get(session, Deal, deal_id, caller)
    if deal.state in PAYABLE and _progress_of(session, deal).unpaid:
        deal.await_payment(due_at, clock.now())


def pay(
    session: Session,
    caller: Caller,
    deal_id: str,
    amount: Money,
    *,
    piece_ids: Sequence[str] | None,
    quantity: Quantity | None,
) -> None:
    """A part of the deal is in escrow, or all that was left of it: those goods may go. Raises EscrowMismatch.

    What is paid already or can no longer be paid changes nothing.
    """
    deal = get(session, Deal, deal_id, caller)
    if deal.state not in PAYABLE:
        return
    told, progress = deal.version, _progress_of(session, deal)
    if part := _choose(deal, progress.unpaid, piece_ids, quantity):
        deal.fund(part, amount, clock.now())
        go_on(session, progress, told=told)


def _progress_of(session: Session, deal: Deal) -> Progress:
    """How far it has come; nothing of a deal is delivered or ended before the first payment."""
    return Progress(deal, [], []) if deal.state == State.SIGNED else find_progress(session, deal)


def _choose(deal: Deal, unpaid: Part, piece_ids: Sequence[str] | None, quantity: Quantity | None) -> Part:
    if deal.pieces and piece_ids:
        return deal.carried(Part([id for id in unpaid.piece_ids if id in piece_ids], unpaid.quantity))
    if quantity is None or deal.pieces:
        return unpaid
    wanted = in_price_unit(quantity, deal.quantity.unit, field="$.quantity")
    return Part([], min(wanted, unpaid.quantity))


def miss_payment(session: Session, caller: Caller, deal_id: str) -> None:
    """Settlement says that what is unpaid can no longer be paid: the buyer has defaulted on it, and the rest goes on."""
    deal = get(session, Deal, deal_id, caller)
    if deal.state not in PAYABLE:
        return
    told, progress = deal.version, _progress_of(session, deal)
    if unpaid := progress.unpaid:
        end_part(session, progress, unpaid, by="buyer", reason=Reason.NOT_PAID, paid=False)
        go_on(session, progress, told=told)


def call_payment(session: Session, deal: Deal) -> None:
    """Ask settlement to say whether the deal was paid, and again in a while if no answer comes."""
    deal.ask_again(clock.now())
    emit(session, PaymentCalled(deal_id=deal.id), of=deal)
