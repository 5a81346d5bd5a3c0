"""What is always true of card payments and the ledger together (RELIABILITY.md 2)."""

from __future__ import annotations

from chassis.service import Invariant

INVARIANTS = (
    Invariant(
        "card_payment_credited_once",
        "A card payment has succeeded exactly when a journal has credited its amount to its party.",
        "SELECT coalesce(payment.id, credit.subject) AS id "
        "FROM (SELECT * FROM card_payment WHERE state = 'succeeded') AS payment "
        "FULL JOIN (SELECT subject, account_id, amount FROM journal JOIN posting ON journal_id = journal.id"
        " WHERE kind = 'card_payment' AND amount > 0) AS credit ON credit.subject = payment.id "
        "WHERE payment.id IS NULL OR credit.subject IS NULL OR credit.amount <> payment.amount_amount"
        " OR credit.account_id <> payment.party_id || ':available:' || payment.amount_currency",
    ),
)
