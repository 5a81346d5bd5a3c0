"""Looks at reconciliations, and at what they compare."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import exists, func, select, text
from sqlalchemy.orm import Session

from chassis.auth import Caller
from chassis.database import Page, page, see
from services.settlement.payments.model import CardPayment
from services.settlement.reconciliation.model import MOST_DIFFERENCES, Reconciliation, State

_UNCHARGED = text("""
    SELECT id, amount_currency, amount_amount FROM card_payment
    WHERE state IN ('succeeded', 'refunding') AND ended_at < :before
    AND NOT EXISTS (SELECT FROM card_movement WHERE payment_id = card_payment.id AND kind = 'charge')
    ORDER BY id LIMIT :most
""")


def see_reconciliation(session: Session, caller: Caller, reconciliation_id: str) -> Reconciliation:
    """One reconciliation. Raises NotFound."""
    return see(session, Reconciliation, reconciliation_id, caller)


def list_reconciliations(
    session: Session, caller: Caller, *, state: State | None, cursor: str | None, limit: int
) -> Page[Reconciliation]:
    """Reconciliations for an operator, the latest first: the first of all is the one to come."""
    where = [Reconciliation.state == state] if state else []
    return page(session, Reconciliation, caller, cursor, limit, *where)


def has_any(session: Session) -> bool:
    """Whether there has ever been one, or one is to come."""
    return bool(session.scalar(select(exists().select_from(Reconciliation))))


def is_differing(session: Session) -> bool:
    """Whether the last one that has ended found differences."""
    return bool(count_differences(session))


def count_differences(session: Session) -> int:
    """How many differences the last reconciliation that has ended found."""
    found = select(func.jsonb_array_length(Reconciliation.differences)).where(Reconciliation.ended_at.is_not(None))
    return session.scalar(found.order_by(Reconciliation.id.desc()).limit(1)) or 0


def find_uncharged(session: Session, *, before: datetime) -> list[tuple[str, str, int]]:
    """Payments credited before a time of which Stripe has shown no charge: (id, currency, minor units)."""
    rows = session.execute(_UNCHARGED, {"before": before, "most": MOST_DIFFERENCES})
    return [(id, currency, amount) for id, currency, amount in rows]


def choose_known(session: Session, payment_ids: Iterable[str]) -> list[str]:
    """Those of the ids that are card payments."""
    return list(session.scalars(select(CardPayment.id).where(CardPayment.id.in_(list(payment_ids)))))
