"""Looks at accounts and their history."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, read_cursor, see, write_cursor
from chassis.problems import Invalid
from chassis.values import Money
from services.settlement.ledger.model import Kind, account_id
from services.settlement.ledger.tables import Account, Journal, Posting


def balance_of(session: Session, owner_id: str, kind: Kind, currency: str) -> Money:
    """What an account holds; nothing when it has never been posted to. Without a lock."""
    found = session.scalar(select(Account.balance).where(Account.id == account_id(owner_id, kind, currency)))
    return Money(found or 0, currency)


def posting_number(session: Session, journal_id: str, account: str) -> int:
    """Which posting of an account a journal made: they are counted without a gap, in the order of their commits."""
    its = (Posting.journal_id == journal_id, Posting.account_id == account)
    return session.scalars(select(Posting.number).where(*its)).one()


def sum_balances(session: Session) -> list[tuple[str, str, int]]:
    """What all accounts of a kind hold together: kind, currency, minor units."""
    total = select(Account.kind, Account.currency, func.sum(Account.balance))
    return [
        (kind, currency, int(amount))
        for kind, currency, amount in session.execute(total.group_by(Account.kind, Account.currency))
    ]


def list_accounts(
    session: Session, caller: Caller, owner_id: str | None, cursor: str | None, limit: int
) -> Page[Account]:
    """The caller's accounts; all of them, or one owner's, for the operator."""
    where = [] if owner_id is None else [Account.owner_id == owner_id]
    return page(session, Account, caller, cursor, limit, *where)


def show_account(session: Session, caller: Caller, id: str) -> Account:
    """One account. Raises NotFound unless it is the caller's."""
    return see(session, Account, id, caller)


def list_postings(
    session: Session, caller: Caller, id: str, cursor: str | None, limit: int
) -> Page[tuple[Posting, Journal]]:
    """The postings of an account with their journals, newest first. Raises NotFound unless it is the caller's."""
    show_account(session, caller, id)
    query = select(Posting, Journal).join(Journal, Journal.id == Posting.journal_id).where(Posting.account_id == id)
    if cursor is not None:
        query = query.where(Posting.number < _read_number(cursor))
    newest_first = query.order_by(Posting.number.desc()).limit(limit + 1)
    rows = [(posting, journal) for posting, journal in session.execute(newest_first)]
    if len(rows) <= limit:
        return Page(rows)
    return Page(rows[:limit], write_cursor(str(rows[limit - 1][0].number)))


def _read_number(cursor: str) -> int:
    number = read_cursor(cursor)
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise Invalid("this is not a cursor that a list has given", field="$.cursor")
    return int(number)
