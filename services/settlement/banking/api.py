"""Bank credits over HTTP: recorded by the operator or the bank's feed, never by a company."""

from __future__ import annotations

from datetime import date, datetime

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page
from chassis.http import Body, Paging, View, command, query
from chassis.values import Identifier, LongText, Money, ShortText
from services.settlement.banking import commands, queries
from services.settlement.banking.model import BankCredit, Doubt, Slip, State
from services.settlement.parties.model import plain_number

routes = Blueprint("bank-credits", __name__)


class RecordCredit(Body):
    """What the bank says has come in; ``bank_reference`` is unique at the bank."""

    bank_reference: ShortText
    value_date: date
    payer_account: ShortText
    payer_name: ShortText
    amount: Money
    remittance: LongText


class AssignCredit(Body):
    """Whose money it is."""

    party_id: Identifier


class ListCredits(Paging):
    """Which bank credits to list."""

    state: State | None = None


class CreditView(View):
    """A bank credit: ``party_id``'s (``platform``: a payout of Stripe's), or in suspense with the ``doubt`` that keeps it there."""

    id: str
    state: State
    bank_reference: str
    value_date: date
    payer_account: str
    payer_name: str
    amount: Money
    remittance: str
    party_id: str | None
    doubt: Doubt | None
    recorded_by: str
    recorded_at: datetime
    decided_by: str | None
    reminders: int

    @classmethod
    def of(cls, credit: BankCredit) -> CreditView:
        """The view of a bank credit."""
        said = {name: getattr(credit, name) for name in cls.__struct_fields__ if name != "doubt"}
        return cls(doubt=Doubt(credit.doubt) if credit.doubt else None, **said)


@routes.post("/v1/bank-credits")
@command(role=("operator", "bank_feed"), status=201)
def record_credit(session: Session, caller: Caller, body: RecordCredit) -> CreditView:
    """Record what has come in by bank; the same bank reference again changes nothing."""
    slip = Slip(
        bank_reference=body.bank_reference,
        value_date=body.value_date,
        payer_account=plain_number(body.payer_account),
        payer_name=body.payer_name,
        amount=body.amount,
        remittance=body.remittance,
    )
    return CreditView.of(commands.record_credit(session, caller, slip))


@routes.post("/v1/bank-credits/<credit_id>/assign")
@command(role="operator")
def assign_credit(session: Session, caller: Caller, credit_id: str, body: AssignCredit) -> CreditView:
    """Credit to a company what is in suspense."""
    return CreditView.of(commands.assign_credit(session, caller, credit_id, body.party_id))


@routes.post("/v1/bank-credits/<credit_id>/card-payout")
@command(role="operator")
def clear_card_payout(session: Session, caller: Caller, credit_id: str) -> CreditView:
    """Say that what is in suspense is what Stripe has paid out to the platform's bank."""
    return CreditView.of(commands.clear_card_payout(session, caller, credit_id))


@routes.post("/v1/bank-credits/<credit_id>/return")
@command(role="operator")
def return_credit(session: Session, caller: Caller, credit_id: str) -> CreditView:
    """Give back to its payer what is in suspense."""
    return CreditView.of(commands.return_credit(session, caller, credit_id))


@routes.get("/v1/bank-credits")
@query(role=("finance", "admin", "bank_feed"))
def list_credits(session: Session, caller: Caller, params: ListCredits) -> Page[CreditView]:
    """Bank credits, newest first: a company sees those that were credited to it."""
    return queries.list_credits(session, caller, params.state, params.cursor, params.limit).map(CreditView.of)


@routes.get("/v1/bank-credits/<credit_id>")
@query(role=("finance", "admin", "bank_feed"))
def show_credit(session: Session, caller: Caller, credit_id: str) -> CreditView:
    """One bank credit."""
    return CreditView.of(queries.show_credit(session, caller, credit_id))
