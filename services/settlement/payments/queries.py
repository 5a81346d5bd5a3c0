"""Looking at card payments."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
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


def find_by_intents(session: Session, intent_ids: Iterable[str]) -> dict[str, str]:
    """The ids of the payments that have these payment intents at Stripe, by intent."""
    found = select(CardPayment.intent_id, CardPayment.id).where(CardPayment.intent_id.in_(list(intent_ids)))
    return {intent_id: id for intent_id, id in session.execute(found)}
