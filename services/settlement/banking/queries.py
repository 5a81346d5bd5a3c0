"""Looks at bank credits."""

from __future__ import annotations

from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from services.settlement.banking.model import BankCredit, State


def list_credits(
    session: Session, caller: Caller, state: State | None, cursor: str | None, limit: int
) -> Page[BankCredit]:
    """Bank credits, newest first: all for the operator and the bank feed, a company's own for it."""
    where = [] if state is None else [BankCredit.state == state]
    return page(session, BankCredit, caller, cursor, limit, *where)


def show_credit(session: Session, caller: Caller, credit_id: str) -> BankCredit:
    """One bank credit. Raises NotFound."""
    return see(session, BankCredit, credit_id, caller)
