"""Takes money out of a balance to a registered bank account, and puts it back when the bank returns it."""

from __future__ import annotations

import structlog
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get
from chassis.problems import NotYetKnown
from chassis.values import Money
from services.settlement.ledger.commands import post, post_certain
from services.settlement.ledger.model import PLATFORM, Kind, Lacking, Leg, check_amount
from services.settlement.parties.queries import find_account
from services.settlement.payouts.model import REMINDED_AFTER, Payout, State, check_currency

log = structlog.get_logger(__name__)


def request_payout(session: Session, caller: Caller, amount: Money, bank_account_id: str) -> Payout:
    """Ask for money of the caller's company to be sent to a bank account that it has registered.

    Raises AmountRefused, CurrencyMismatch, NotYetKnown of the bank account, or InsufficientFunds with what is
    ``missing``.
    """
    check_amount(amount)
    account = find_account(session, caller.party_id, bank_account_id)
    if account is None:
        raise NotYetKnown("no such registered bank account of the company has been heard of", field="$.bank_account_id")
    check_currency(amount, account.currency)
    payout = Payout(
        id=clock.new_id("payout"),
        party_id=caller.party_id,
        amount=amount,
        bank_account_id=account.id,
        holder=account.holder,
        number=account.number,
        bank=account.bank,
        requested_by=caller.user_id,
        requested_at=clock.now(),
        reminders=0,
        due_at=clock.now() + REMINDED_AFTER[State.REQUESTED],
        state=State.REQUESTED,
    )
    session.add(payout)
    legs = [Leg(payout.party_id, Kind.AVAILABLE, -amount), Leg(PLATFORM, Kind.PAYOUT_TRANSIT, amount)]
    answer = post(session, key=f"payout:{payout.id}", kind="payout", subject=payout.id, legs=legs)
    if isinstance(answer, Lacking):
        raise answer.problem()
    return payout


def send_payout(session: Session, caller: Caller, payout_id: str, bank_reference: str) -> Payout:
    """The bank was told to pay it. Raises NotFound, IllegalMove or PayoutReferenceReused."""
    payout = get(session, Payout, payout_id, caller)
    payout.send(bank_reference)
    return payout


def confirm_payout(session: Session, caller: Caller, payout_id: str) -> Payout:
    """The bank has paid it. Raises NotFound or IllegalMove."""
    payout = get(session, Payout, payout_id, caller)
    payout.confirm()
    _leave_transit(session, payout, "payout_paid", Leg(PLATFORM, Kind.CLEARING_BANK, payout.amount))
    return payout


def return_payout(session: Session, caller: Caller, payout_id: str, reason: str) -> Payout:
    """It was not paid: the company has its money back. Raises NotFound or IllegalMove."""
    payout = get(session, Payout, payout_id, caller)
    payout.give_back(reason)
    _leave_transit(session, payout, "payout_returned", Leg(payout.party_id, Kind.AVAILABLE, payout.amount))
    return payout


def remind_of_payout(session: Session, caller: Caller, payout_id: str) -> None:
    """Say in the log that a payout still waits for the bank."""
    payout = get(session, Payout, payout_id, caller)
    if payout.state in Payout.waits:
        payout.remind()
        log.warning("payout waits", payout=payout.id, state=payout.state, since=payout.requested_at.isoformat())


def _leave_transit(session: Session, payout: Payout, kind: str, to: Leg) -> None:
    legs = [Leg(PLATFORM, Kind.PAYOUT_TRANSIT, -payout.amount), to]
    post_certain(session, key=f"{kind}:{payout.id}", kind=kind, subject=payout.id, legs=legs)
