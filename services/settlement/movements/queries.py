"""Looks at movements, and at what they and the card payments make of the clearing account."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from services.settlement.movements.model import CardMovement

EXPECTED_CLEARING = """
    SELECT currency, sum(amount) AS amount FROM (
        SELECT amount_currency AS currency, -amount_amount AS amount FROM card_payment
        WHERE state IN ('succeeded', 'refunding')
        UNION ALL
        SELECT currency, fee - CASE kind WHEN 'charge' THEN 0 ELSE amount END FROM card_movement
        UNION ALL
        SELECT amount_currency, amount_amount FROM bank_credit WHERE state = 'credited' AND party_id = 'platform'
    ) AS each GROUP BY currency
"""
"""What the clearing account of cards holds in each currency: minus what Stripe holds for us."""


def find_movements(session: Session, ids: Iterable[str]) -> dict[str, CardMovement]:
    """Those that were posted, by their ids."""
    found = session.scalars(select(CardMovement).where(CardMovement.id.in_(list(ids))))
    return {movement.id: movement for movement in found}


def find_unseen(session: Session, reconciliation_id: str, *, since: int, until: int) -> list[CardMovement]:
    """What was posted as of Stripe's time from ``since`` and before ``until``, but was not found by a reconciliation."""
    within = (CardMovement.created >= since, CardMovement.created < until)
    unseen = CardMovement.seen_by.is_distinct_from(reconciliation_id)
    return list(session.scalars(select(CardMovement).where(*within, unseen).order_by(CardMovement.id)))


def read_clearing(session: Session) -> dict[str, tuple[int, int]]:
    """By currency: what payments and movements say that Stripe holds for us, and what the ledger says; minor units."""
    asked = text(
        f"SELECT coalesce(a.currency, e.currency)::text, -coalesce(e.amount, 0), -coalesce(a.balance, 0) "
        f"FROM (SELECT currency, balance FROM account WHERE kind = 'clearing_card') AS a "
        f"FULL JOIN ({EXPECTED_CLEARING}) AS e ON e.currency = a.currency ORDER BY 1"
    )
    return {currency: (int(expected), int(held)) for currency, expected, held in session.execute(asked)}
