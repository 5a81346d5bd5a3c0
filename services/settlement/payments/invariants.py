"""What is always true of card payments and the ledger together (RELIABILITY.md 2)."""

from __future__ import annotations

from chassis.service import Invariant

INVARIANTS = (
    Invariant(
        "card_payment_credited_once",
        "A card payment has succeeded exactly when a journal has credited its amount to its party.",
        "SELECT coalesce(payment.id, credit.subject) AS id "
        "FROM (SELECT * FROM card_payment WHERE state IN ('succeeded', 'refunding')) AS payment "
        "FULL JOIN (SELECT subject, account_id, amount FROM journal JOIN posting ON journal_id = journal.id"
        " WHERE kind = 'card_payment' AND amount > 0) AS credit ON credit.subject = payment.id "
        "WHERE payment.id IS NULL OR credit.subject IS NULL OR credit.amount <> payment.amount_amount"
        " OR credit.account_id <> payment.party_id || ':available:' || payment.amount_currency",
    ),
    Invariant(
        "refund_transit_is_refunding",
        "What is set aside for refunds is the sum of the card payments that are on their way back.",
        """
        SELECT coalesce(aside.currency, wanted.currency)::text AS id
        FROM (SELECT currency, balance FROM account WHERE kind = 'refund_transit') AS aside
        FULL JOIN (
            SELECT amount_currency AS currency, sum(amount_amount) AS amount
            FROM card_payment WHERE state = 'refunding' GROUP BY amount_currency
        ) AS wanted ON wanted.currency = aside.currency
        WHERE coalesce(aside.balance, 0) <> coalesce(wanted.amount, 0)
        """,
    ),
    Invariant(
        "card_payment_returned",
        "What a card payment says went back is what its refunds and disputes have moved.",
        """
        SELECT id FROM card_payment LEFT JOIN (
            SELECT payment_id, -sum(amount) AS amount FROM card_movement WHERE kind <> 'charge' GROUP BY payment_id
        ) AS moved ON moved.payment_id = card_payment.id
        WHERE card_payment.returned <> coalesce(moved.amount, 0)
        """,
    ),
)
