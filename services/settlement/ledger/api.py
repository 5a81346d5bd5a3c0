"""A company's money over HTTP: its accounts and what moved on them."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint
from sqlalchemy.orm import Session

from chassis.auth import PLATFORM, Caller
from chassis.database import Page
from chassis.http import Paging, View, query
from chassis.values import Identifier, Money
from services.settlement.ledger import queries
from services.settlement.ledger.model import Kind
from services.settlement.ledger.tables import Account, Journal, Posting
from services.settlement.parties.model import reference_of

routes = Blueprint("accounts", __name__)


class ListAccounts(Paging):
    """Which accounts to list."""

    owner_id: Identifier | None = None


class AccountView(View):
    """What one owner has of one kind in one currency."""

    id: str
    owner_id: str
    kind: Kind
    currency: str
    balance: Money

    @classmethod
    def of(cls, account: Account) -> AccountView:
        return cls(
            id=account.id,
            owner_id=account.owner_id,
            kind=Kind(account.kind),
            currency=account.currency,
            balance=account.money,
        )


class AccountsView(View):
    """A page of accounts; ``reference`` is what a company quotes in a bank transfer to top its balance up."""

    items: list[AccountView]
    next: str | None
    reference: str | None


class PostingView(View):
    """What one journal did to the account: the amount it got or gave, and the balance after it."""

    number: int
    journal_id: str
    kind: str
    subject: str
    amount: Money
    balance: Money
    at: datetime

    @classmethod
    def of(cls, row: tuple[Posting, Journal]) -> PostingView:
        posting, journal = row
        return cls(
            number=posting.number,
            journal_id=journal.id,
            kind=journal.kind,
            subject=journal.subject,
            amount=Money(posting.amount, posting.currency),
            balance=Money(posting.balance, posting.currency),
            at=journal.created_at,
        )


@routes.get("/v1/accounts")
@query(role=("finance", "admin"))
def list_accounts(session: Session, caller: Caller, params: ListAccounts) -> AccountsView:
    """The accounts of the caller's company; the operator sees all, the platform's included."""
    found = queries.list_accounts(session, caller, params.owner_id, params.cursor, params.limit)
    reference = None if caller.party_id == PLATFORM else reference_of(caller.party_id)
    items = [AccountView.of(account) for account in found.items]
    return AccountsView(items=items, next=found.next, reference=reference)


@routes.get("/v1/accounts/<account_id>/postings")
@query(role=("finance", "admin"))
def list_postings(session: Session, caller: Caller, account_id: str, params: Paging) -> Page[PostingView]:
    """What moved on an account, newest first."""
    return queries.list_postings(session, caller, account_id, params.cursor, params.limit).map(PostingView.of)
