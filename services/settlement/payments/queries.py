"""Looking at card payments."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from services.settlement.ledger.model import PLATFORM, Kind
from services.settlement.ledger.queries import balance_of
from services.settlement.payments.model import CardPayment, State


def see_payment(session: Session, caller: Caller, payment_id: str) -> CardPayment:
    """A payment of the caller's party. Raises NotFound."""
    return see(session, CardPayment, payment_id, caller)


def list_payments(
    session: Session, caller: Caller, *, state: State | None, cursor: str | None, limit: int
) -> Page[CardPayment]:
    """The payments of the caller's party, newest first; all parties' for an operator."""
    where = [CardPayment.state == state] if state else []
    return page(session, CardPayment, caller, cursor, limit, *where)


def credited_amounts(session: Session) -> dict[tuple[str, str], int]:
    """Minor units that were credited, by (payment id, currency)."""
    credited = select(CardPayment.id, CardPayment.amount).where(CardPayment.state == State.SUCCEEDED)
    return {(id, amount.currency): amount.amount for id, amount in session.execute(credited)}


def read_clearing(session: Session) -> dict[str, int]:
    """The balance of the clearing account of cards, in minor units by each currency that was ever paid in."""
    currencies = session.scalars(select(CardPayment.__table__.c.amount_currency).distinct())
    return {currency: balance_of(session, PLATFORM, Kind.CLEARING_CARD, currency).amount for currency in currencies}
