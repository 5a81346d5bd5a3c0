"""Records what came in by bank and credits it, or keeps it in suspense until somebody says whose it is."""

from __future__ import annotations

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis import clock
from chassis.auth import Caller
from chassis.database import get, get_many
from events.identity import PartyDescribed
from services.settlement.banking.model import BankCredit, CardBalanceExceeded, Doubt, Slip, State, judge
from services.settlement.ledger.commands import post_certain
from services.settlement.ledger.model import PLATFORM, Kind, Leg, check_amount
from services.settlement.ledger.queries import balance_of
from services.settlement.parties.commands import describe_party
from services.settlement.parties.model import reference_of, references_in
from services.settlement.parties.queries import find_party, find_referred, has_account

log = structlog.get_logger(__name__)


def record_credit(session: Session, caller: Caller, slip: Slip) -> BankCredit:
    """Record a credit and credit whose it is; the bank's reference again is answered with what it was first.

    Raises AmountRefused, or BankReferenceReused when the same reference comes with another content.
    """
    check_amount(slip.amount)
    _await_hearing(session, references_in(slip.remittance))
    id = clock.new_id("credit")
    is_new = session.scalar(_insert(id, caller, slip)) is not None
    if not is_new:
        id = session.scalars(select(BankCredit.id).where(BankCredit.bank_reference == slip.bank_reference)).one()
    credit = get(session, BankCredit, id, caller)
    if is_new:
        _place(session, credit)
    else:
        credit.check_same(slip)
    return credit


def _await_hearing(session: Session, references: set[str]) -> None:
    """Let credits that quote a company be recorded together, but none while the company is being heard of.

    Otherwise neither would see the other: the credit would stay in suspense although its company is known.
    """
    for reference in sorted(references):
        session.execute(select(func.pg_advisory_xact_lock_shared(_lock_of(reference))))


def _await_recording(session: Session, reference: str) -> None:
    """Let nobody record a credit that quotes this company until it is heard of."""
    session.execute(select(func.pg_advisory_xact_lock(_lock_of(reference))))


def _lock_of(reference: str):
    return func.hashtextextended(f"bank reference {reference}", 0)


def _insert(id: str, caller: Caller, slip: Slip):
    values = {name: getattr(slip, name) for name in Slip.__struct_fields__ if name != "amount"}
    values |= {"amount_amount": slip.amount.amount, "amount_currency": slip.amount.currency}
    values |= {"recorded_by": caller.user_id, "recorded_at": clock.now(), "reminders": 0, "state": State.RECORDED}
    statement = insert(BankCredit).values(id=id, **values).on_conflict_do_nothing(index_elements=["bank_reference"])
    return statement.returning(BankCredit.id)


def _place(session: Session, credit: BankCredit) -> None:
    doubt, party_id = _match(session, credit)
    if doubt is None:
        credit.credit(party_id)
    else:
        credit.suspend(doubt)
    to = Leg(party_id, Kind.AVAILABLE, credit.amount) if doubt is None else Leg(PLATFORM, Kind.SUSPENSE, credit.amount)
    _move(session, credit, "bank_credit", Leg(PLATFORM, Kind.CLEARING_BANK, -credit.amount), to)


def _match(session: Session, credit: BankCredit) -> tuple[Doubt | None, str]:
    parties = find_referred(session, references_in(credit.remittance))
    party_id = parties[0].id if parties else ""
    is_registered = has_account(session, party_id, credit.payer_account, credit.amount.currency)
    return judge([party.id for party in parties], is_registered), party_id


def assign_credit(session: Session, caller: Caller, credit_id: str, party_id: str) -> BankCredit:
    """Credit to a company what was in suspense. Raises NotFound, IllegalMove, or NotYetKnown of the company."""
    credit = get(session, BankCredit, credit_id, caller)
    find_party(session, party_id, "$.party_id")
    credit.assign(party_id, caller.user_id)
    _leave_suspense(session, credit, "bank_credit_assigned", Leg(party_id, Kind.AVAILABLE, credit.amount))
    return credit


def clear_card_payout(session: Session, caller: Caller, credit_id: str) -> BankCredit:
    """What was in suspense is what Stripe paid out to our bank: it holds so much less for us.

    Raises NotFound, IllegalMove or CardBalanceExceeded with what it ``held``.
    """
    credit = get(session, BankCredit, credit_id, caller)
    credit.assign(PLATFORM, caller.user_id)
    held = -balance_of(session, PLATFORM, Kind.CLEARING_CARD, credit.amount.currency)
    if credit.amount > held:
        raise CardBalanceExceeded(f"it holds {held}", held=held)
    _leave_suspense(session, credit, "card_payout", Leg(PLATFORM, Kind.CLEARING_CARD, credit.amount))
    return credit


def return_credit(session: Session, caller: Caller, credit_id: str) -> BankCredit:
    """Give back to its payer what was in suspense. Raises NotFound or IllegalMove."""
    credit = get(session, BankCredit, credit_id, caller)
    credit.give_back(caller.user_id)
    _leave_suspense(session, credit, "bank_credit_returned", Leg(PLATFORM, Kind.CLEARING_BANK, credit.amount))
    return credit


def remind_of_credit(session: Session, caller: Caller, credit_id: str) -> None:
    """Say in the log that a credit is still in suspense."""
    credit = get(session, BankCredit, credit_id, caller)
    if credit.state is State.SUSPENSE:
        credit.remind()
        since = credit.recorded_at.isoformat()
        log.warning("bank credit in suspense", credit=credit.id, doubt=credit.doubt, since=since)


def hear_of_party(session: Session, caller: Caller, event: PartyDescribed) -> None:
    """Keep a company as it stands, and credit to it what came in for it before it was heard of."""
    _await_recording(session, reference_of(event.party_id))
    if not describe_party(session, event):
        return
    plain = func.regexp_replace(func.upper(BankCredit.remittance), "[^A-Z0-9]", "", "g")
    quoting = func.strpos(plain, reference_of(event.party_id)) > 0
    # What is in suspense is reminded of, so the index of reminders finds it.
    early = (BankCredit.due_at.is_not(None), BankCredit.doubt == Doubt.UNKNOWN_REFERENCE, quoting)
    ids = session.scalars(select(BankCredit.id).where(*early)).all()
    for credit in get_many(session, BankCredit, ids, caller):
        _match_again(session, caller, credit)


def _match_again(session: Session, caller: Caller, credit: BankCredit) -> None:
    doubt, party_id = _match(session, credit)
    if doubt is not None:
        credit.doubt = doubt
        return
    credit.assign(party_id, caller.user_id)
    _leave_suspense(session, credit, "bank_credit_assigned", Leg(party_id, Kind.AVAILABLE, credit.amount))


def _leave_suspense(session: Session, credit: BankCredit, kind: str, to: Leg) -> None:
    _move(session, credit, kind, Leg(PLATFORM, Kind.SUSPENSE, -credit.amount), to)


def _move(session: Session, credit: BankCredit, kind: str, *legs: Leg) -> None:
    post_certain(session, key=f"{kind}:{credit.id}", kind=kind, subject=credit.id, legs=legs)
