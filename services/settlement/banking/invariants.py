"""What is always true of money that came in by bank."""

from __future__ import annotations

from chassis.service import Invariant

INVARIANTS = (
    Invariant(
        "suspense_is_unassigned",
        "What is in suspense is the sum of the bank credits that nobody has assigned or returned.",
        """
        SELECT coalesce(suspense.currency, kept.currency)::text AS id
        FROM (SELECT currency, balance FROM account WHERE kind = 'suspense') AS suspense
        FULL JOIN (
            SELECT amount_currency AS currency, sum(amount_amount) AS amount
            FROM bank_credit WHERE state = 'suspense' GROUP BY amount_currency
        ) AS kept ON kept.currency = suspense.currency
        WHERE coalesce(suspense.balance, 0) <> coalesce(kept.amount, 0)
        """,
    ),
    Invariant(
        "bank_credit_posted",
        "Every bank credit is on the ledger with its whole amount, or is given back, and is decided.",
        """
        SELECT credit.id FROM bank_credit AS credit LEFT JOIN journal ON journal.subject = credit.id
        LEFT JOIN posting ON posting.journal_id = journal.id
            AND posting.account_id = concat_ws(':', 'platform', 'clearing_bank', amount_currency)
        GROUP BY credit.id HAVING credit.state = 'recorded' OR coalesce(-sum(posting.amount), 0)
            <> CASE credit.state WHEN 'returned' THEN 0 ELSE amount_amount END
        """,
    ),
    Invariant(
        "bank_credit_reminded",
        "A bank credit has a day on which the operator is reminded exactly while it is in suspense.",
        "SELECT id FROM bank_credit WHERE (state = 'suspense') <> (due_at IS NOT NULL)",
    ),
    Invariant(
        "clearing_is_bank",
        "The bank's clearing account mirrors what came in by bank less what was given back and paid out.",
        """
        SELECT coalesce(clearing.currency, moved.currency)::text AS id
        FROM (SELECT currency, balance FROM account WHERE kind = 'clearing_bank') AS clearing
        FULL JOIN (
            SELECT currency, sum(amount) AS amount FROM (
                SELECT amount_currency AS currency, -amount_amount AS amount FROM bank_credit WHERE state <> 'returned'
                UNION ALL
                SELECT amount_currency, amount_amount FROM payout WHERE state = 'paid'
            ) AS each GROUP BY currency
        ) AS moved ON moved.currency = clearing.currency
        WHERE coalesce(clearing.balance, 0) <> coalesce(moved.amount, 0)
        """,
    ),
)
