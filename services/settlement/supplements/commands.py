"""Asks the buyer for what a delivery came to beyond its escrow, takes it, or says that it was missed."""

from __future__ import annotations

from typing import get_args

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get, see
from chassis.messages import emit
from chassis.values import Money
from events.orders import DeliveryAccepted, Stage
from events.settlement import SupplementEnded
from services.settlement.escrows.model import Escrow
from services.settlement.escrows.shares import Shares, legs_of, share_nothing, share_supplement
from services.settlement.invoices.commands import issue_fee
from services.settlement.ledger.commands import post
from services.settlement.ledger.model import Lacking
from services.settlement.statements.commands import say_supplement, write_line
from services.settlement.statements.model import LineKind
from services.settlement.supplements.model import State, Supplement

MISSED = "buyer: supplement_not_paid"


def ask_supplement(session: Session, escrow: Escrow, accepted: DeliveryAccepted, amount: Money) -> None:
    """Await the payment of what a delivery lacks, if anything; nothing happens when it was asked for before."""
    its = (Supplement.delivery_id == accepted.delivery_id, Supplement.stage == accepted.stage)
    if not amount or session.scalar(select(exists().where(*its))):
        return
    due_at = clock.now() + escrow.supplement_within
    session.add(
        Supplement(
            id=clock.new_id("supplement"),
            deal_id=escrow.id,
            delivery_id=accepted.delivery_id,
            stage=accepted.stage,
            buyer_id=escrow.buyer_id,
            seller_id=escrow.seller_id,
            amount=amount,
            pay_by=due_at,
            due_at=due_at,
            created_at=clock.now(),
            state=State.AWAITING,
        )
    )


def pay_supplement(session: Session, caller: Caller, supplement_id: str) -> Supplement:
    """Pay the seller out of the buyer's balance.

    Raises NotTheBuyer, SupplementOverdue, IllegalMove, or InsufficientFunds with what is ``missing``.
    """
    escrow = get(session, Escrow, see(session, Supplement, supplement_id, caller).deal_id, caller)
    supplement = get(session, Supplement, supplement_id, caller)
    supplement.check_payable_by(caller.party_id)
    supplement.end("pay")
    shares = share_supplement(supplement.amount, escrow.fee_rate)
    journal_id = _post(session, supplement, shares)
    _write(session, escrow, supplement, LineKind.SUPPLEMENT, journal_id, shares, reason=None)
    _say_ended(session, escrow, supplement)
    return supplement


def miss_overdue(session: Session, caller: Caller, supplement_id: str) -> None:
    """Let a supplement that is still unpaid at its deadline be missed: it is written down and told."""
    escrow = get(session, Escrow, see(session, Supplement, supplement_id, caller).deal_id, caller)
    supplement = get(session, Supplement, supplement_id, caller)
    if supplement.is_overdue(clock.now()):
        supplement.end("miss")
        shares = share_nothing(supplement.amount.currency)
        _write(session, escrow, supplement, LineKind.DEFAULT, None, shares, reason=MISSED)
        _say_ended(session, escrow, supplement)


def _post(session: Session, supplement: Supplement, shares: Shares) -> str:
    legs = legs_of(shares, buyer_id=supplement.buyer_id, seller_id=supplement.seller_id)
    key = f"supplement:{supplement.id}"
    answer = post(session, key=key, kind="supplement", subject=supplement.deal_id, legs=legs)
    if isinstance(answer, Lacking):
        raise answer.problem()
    return answer.journal_id


def _write(
    session: Session,
    escrow: Escrow,
    supplement: Supplement,
    kind: LineKind,
    journal_id: str | None,
    shares: Shares,
    *,
    reason: str | None,
) -> None:
    said = say_supplement(supplement.id, supplement.delivery_id, supplement.stage)
    line = write_line(session, escrow, kind, journal_id, shares, reason=reason, said=said)
    issue_fee(session, escrow, line, escrow.fee_tax_rate)


def _say_ended(session: Session, escrow: Escrow, supplement: Supplement) -> None:
    nothing = Money.zero(supplement.amount.currency)
    is_paid = supplement.state is State.PAID
    ended = SupplementEnded(
        deal_id=escrow.id,
        delivery_id=supplement.delivery_id,
        stage=next(stage for stage in get_args(Stage) if stage == supplement.stage),
        paid=supplement.amount if is_paid else nothing,
        missed=nothing if is_paid else supplement.amount,
    )
    emit(session, ended, of=escrow)
