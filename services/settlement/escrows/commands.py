"""Opens the escrow of a signed deal, takes the buyer's payment, and says once and for all whether it came."""

from __future__ import annotations

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get, see
from chassis.messages import emit
from chassis.problems import NotYetKnown
from chassis.values import Money
from events.orders import DealSigned
from events.settlement import EscrowFunded, EscrowOpened, PaymentMissed
from services.settlement.escrows.model import Escrow, State
from services.settlement.holds.commands import lock_deposits
from services.settlement.holds.model import Deposits
from services.settlement.ledger.commands import post
from services.settlement.ledger.model import Kind, Lacking, Leg
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
        paid_out=0,
        returned=0,
        shortfall=0,
        fee_rate=market.fee_rate,
        forfeit_fee_rate=market.forfeit_fee_rate,
        pay_by=due_at,
        due_at=due_at,
        state=State.AWAITING,
    )
    session.add(escrow)
    _say_state(session, escrow)


def pay_escrow(session: Session, caller: Caller, deal_id: str) -> Escrow:
    """Move the gross of a deal from the buyer's balance into escrow.

    Raises NotThePayer, PaymentOverdue, IllegalMove, InsufficientFunds with what is ``missing``, or NotYetKnown between the
    signing of the agreement and the news of it.
    """
    if not is_open(session, deal_id):
        see(session, Deposits, deal_id, caller)
        raise NotYetKnown(f"the payment of the deal {deal_id!r} has not been asked for yet")
    escrow = get(session, Escrow, deal_id, caller)
    escrow.check_payable_by(caller.party_id)
    escrow.fund()
    if escrow.gross:
        legs = [Leg(escrow.buyer_id, Kind.AVAILABLE, -escrow.gross), Leg(escrow.buyer_id, Kind.ESCROW, escrow.gross)]
        answer = post(session, key=f"escrow:{deal_id}", kind="escrow_payment", subject=deal_id, legs=legs)
        if isinstance(answer, Lacking):
            raise answer.problem()
    _say_state(session, escrow)
    return escrow


def answer_call(session: Session, caller: Caller, deal_id: str) -> None:
    """Say whether a deal was paid: if not, it can no longer be, or until when it still can. Raises NotYetKnown."""
    escrow = lock_escrow(session, caller, deal_id)
    if escrow is None:
        raise NotYetKnown(f"the payment of the deal {deal_id!r} has not been asked for yet")
    if escrow.is_overdue(clock.now()):
        escrow.lapse()
    _say_state(session, escrow)


def lapse_overdue(session: Session, caller: Caller, deal_id: str) -> None:
    """Let an escrow that is still unpaid at its deadline lapse."""
    escrow = get(session, Escrow, deal_id, caller)
    if escrow.is_overdue(clock.now()):
        escrow.lapse()
        _say_state(session, escrow)


def _say_state(session: Session, escrow: Escrow) -> None:
    if escrow.state is State.AWAITING:
        emit(session, EscrowOpened(deal_id=escrow.id, due_at=escrow.pay_by), of=escrow)
    elif escrow.state is State.LAPSED:
        emit(session, PaymentMissed(deal_id=escrow.id), of=escrow)
    elif escrow.funded or escrow.state is State.FUNDED:
        emit(session, EscrowFunded(deal_id=escrow.id, amount=Money(escrow.funded, escrow.gross.currency)), of=escrow)


def is_open(session: Session, deal_id: str) -> bool:
    """Whether the payment of a deal has been asked for."""
    return bool(session.scalar(select(exists().where(Escrow.id == deal_id))))


def lock_escrow(session: Session, caller: Caller, deal_id: str) -> Escrow | None:
    """The escrow of a deal, locked, or None before the deal was signed."""
    return get(session, Escrow, deal_id, caller) if is_open(session, deal_id) else None
