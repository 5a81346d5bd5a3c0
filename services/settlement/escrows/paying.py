"""Takes the buyer's payment of a deal, or of a part of it, out of its balance and, where it counts, its deposit."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get, see
from chassis.problems import NotYetKnown
from chassis.values import Money
from services.settlement.escrows.commands import is_open, say_payment
from services.settlement.escrows.model import Escrow, EscrowPayment, Portion
from services.settlement.escrows.moving import SYSTEM, DealMoney, stand
from services.settlement.escrows.queries import Paid, find_payments
from services.settlement.escrows.standing import convert
from services.settlement.holds.commands import draw_converted, lock_deposits
from services.settlement.holds.model import Deposits, Hold, Side
from services.settlement.ledger.commands import post
from services.settlement.ledger.model import Kind, Lacking, Leg


def pay_escrow(session: Session, caller: Caller, deal_id: str, portion: Portion) -> Paid:
    """Move the price of a portion into escrow, out of the buyer's balance and its deposit, if that counts.

    Raises NotThePayer, PaymentOverdue, NotDivisible, NotToBePaid, IllegalMove, InsufficientFunds with what is
    ``missing``, or NotYetKnown between the signing of the agreement and the news of it.
    """
    if not is_open(session, deal_id):
        see(session, Deposits, deal_id, caller)
        raise NotYetKnown(f"the payment of the deal {deal_id!r} has not been asked for yet")
    escrow = get(session, Escrow, deal_id, caller)
    escrow.check_payable_by(caller.party_id)
    amount = escrow.price(portion)
    paid = find_payments(session, [deal_id])[deal_id]
    escrow.check_count(portion, len(paid))
    payment = _note(escrow, portion, amount, number=len(paid) + 1)
    converted, hold = _convert(session, escrow, amount)
    escrow.pay_in(portion, amount)
    payment.converted, payment.is_whole = converted.amount, escrow.due_at is None
    if amount:
        payment.journal_id = _move(session, escrow, payment, converted)
        draw_converted(session, hold, payment.journal_id, converted)
    session.add(payment)
    say_payment(session, escrow, payment)
    return escrow, [*paid, payment]


def _convert(session: Session, escrow: Escrow, amount: Money) -> tuple[Money, Hold | None]:
    """What of the buyer's deposit pays, and the hold that it is drawn from."""
    if escrow.deposit_use == "held":
        return Money.zero(amount.currency), None
    deal = DealMoney(escrow, *lock_deposits(session, SYSTEM, escrow.id))
    return convert(stand(escrow, deal), amount), deal.holds.get(Side.BUYER)


def _note(escrow: Escrow, portion: Portion, amount: Money, *, number: int) -> EscrowPayment:
    return EscrowPayment(
        id=clock.new_id("payment"),
        deal_id=escrow.id,
        number=number,
        piece_ids=sorted(set(portion.piece_ids)) if portion.piece_ids is not None else None,
        quantity=portion.quantity,
        amount=amount.amount,
        currency=amount.currency,
        paid_at=clock.now(),
    )


def _move(session: Session, escrow: Escrow, payment: EscrowPayment, converted: Money) -> str:
    amount = Money(payment.amount, payment.currency)
    legs = [
        Leg(escrow.buyer_id, Kind.AVAILABLE, converted - amount),
        Leg(escrow.buyer_id, Kind.FROZEN, -converted),
        Leg(escrow.buyer_id, Kind.ESCROW, amount),
    ]
    key = f"escrow:{escrow.id}:{payment.number}"
    answer = post(session, key=key, kind="escrow_payment", subject=escrow.id, legs=legs)
    if isinstance(answer, Lacking):
        raise answer.problem()
    return answer.journal_id
