"""Opens the escrow of a signed deal, and says once and for all what of it was paid."""

from __future__ import annotations

from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get, get_if_any
from chassis.messages import emit
from chassis.problems import NotYetKnown
from chassis.values import Money, Quantity, total
from events.orders import DealPiece, DealSigned
from events.settlement import EscrowFunded, EscrowOpened, PaymentMissed
from services.settlement.escrows.model import Escrow, EscrowPayment, State
from services.settlement.escrows.queries import find_payments
from services.settlement.holds.commands import lock_deposits
from services.settlement.markets.queries import find_market


def open_escrow(session: Session, caller: Caller, signed: DealSigned) -> None:
    """Await the payment of a deal and say until when; nothing happens when it is awaited already.

    The buyer has the whole of the deal's time to pay from now on, however late the news of the signatures is.
    Raises NotYetKnown of the deal or its market, or DepositsNotHeld.
    """
    if is_open(session, signed.deal_id):
        return
    deposits, _ = lock_deposits(session, caller, signed.deal_id)
    deposits.check_held()
    due_at = signed.due_at if signed.pay is None else max(signed.due_at, clock.now() + signed.pay)
    market = find_market(session, signed.market)
    escrow = Escrow(
        id=signed.deal_id,
        buyer_id=signed.buyer_id,
        seller_id=signed.seller_id,
        gross=signed.gross,
        funded=0,
        missed=0,
        resolved=0,
        paid_out=0,
        returned=0,
        shortfall=0,
        fee_rate=market.fee_rate,
        forfeit_fee_rate=market.forfeit_fee_rate,
        fee_tax_rate=market.fee_tax_rate,
        deposit_use=signed.deposit_use,
        release=signed.release,
        supplement_within=signed.supplement,
        pay_by=due_at,
        due_at=due_at,
        state=State.AWAITING,
        **_say_divisible(signed),
    )
    session.add(escrow)
    say_state(session, escrow)


def _say_divisible(signed: DealSigned) -> dict[str, Any]:
    """What may be paid apart: the pieces when their prices are told and add up, or the quantity where there are none."""
    priced: list[DealPiece] = [piece for piece in signed.pieces if piece.gross is not None]
    worth = total([piece.gross for piece in priced if piece.gross is not None], signed.gross.currency)
    if signed.pieces:
        return {"unpaid_pieces": priced if len(priced) == len(signed.pieces) and worth == signed.gross else []}
    whole = signed.quantity if signed.quantity else None
    nothing = Quantity.zero(whole.unit) if whole else None
    return {"unpaid_pieces": [], "quantity": whole, "paid": nothing, "unpaid": whole}


def answer_call(session: Session, caller: Caller, deal_id: str) -> None:
    """Say what of a deal was paid: if not all, the rest can no longer be, or until when it still can. Raises NotYetKnown."""
    escrow = lock_escrow(session, caller, deal_id)
    if escrow is None:
        raise NotYetKnown(f"the payment of the deal {deal_id!r} has not been asked for yet")
    if escrow.is_overdue(clock.now()):
        escrow.lapse()
    say_state(session, escrow)


def lapse_overdue(session: Session, caller: Caller, deal_id: str) -> None:
    """Let what is still unpaid at the deadline be missed."""
    escrow = get(session, Escrow, deal_id, caller)
    if escrow.is_overdue(clock.now()):
        escrow.lapse()
        _say_missed(session, escrow)


def say_state(session: Session, escrow: Escrow) -> None:
    """Tell until when it can be paid, or that what is unpaid was missed, or else of the payment that was the last.

    Each payment was told when it was made, before this: a part is not told again, lest it be counted again.
    """
    if escrow.due_at is not None:
        emit(session, EscrowOpened(deal_id=escrow.id, due_at=escrow.pay_by), of=escrow)
    elif escrow.state is State.LAPSED or (escrow.state is State.FUNDED and escrow.payable):
        _say_missed(session, escrow)
    elif payments := find_payments(session, [escrow.id])[escrow.id]:
        say_payment(session, escrow, payments[-1])
    elif escrow.funded or escrow.state is State.FUNDED:
        emit(session, EscrowFunded(deal_id=escrow.id, amount=Money(escrow.funded, escrow.gross.currency)), of=escrow)


def say_payment(session: Session, escrow: Escrow, payment: EscrowPayment) -> None:
    """Tell of one payment."""
    funded = EscrowFunded(
        deal_id=escrow.id,
        amount=Money(payment.amount, payment.currency),
        piece_ids=payment.piece_ids,
        quantity=payment.quantity,
        is_whole=payment.is_whole,
    )
    emit(session, funded, of=escrow)


def _say_missed(session: Session, escrow: Escrow) -> None:
    """All of the deal when nothing was paid, and else what is left."""
    piece_ids = [piece.piece_id for piece in escrow.unpaid_pieces] if escrow.funded else []
    quantity = escrow.unpaid if escrow.funded else None
    missed = PaymentMissed(deal_id=escrow.id, piece_ids=piece_ids or None, quantity=quantity or None)
    emit(session, missed, of=escrow)


def is_open(session: Session, deal_id: str) -> bool:
    """Whether the payment of a deal has been asked for."""
    return bool(session.scalar(select(exists().where(Escrow.id == deal_id))))


def lock_escrow(session: Session, caller: Caller, deal_id: str) -> Escrow | None:
    """The escrow of a deal, locked, or None before the deal was signed."""
    return get_if_any(session, Escrow, deal_id, caller)
