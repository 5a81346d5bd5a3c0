"""What is always true of payouts."""

from __future__ import annotations

from chassis.service import Invariant

INVARIANTS = (
    Invariant(
        "transit_is_payouts",
        "What is in transit is the sum of the payouts that are requested or sent.",
        """
        SELECT coalesce(transit.currency, kept.currency)::text AS id
        FROM (SELECT currency, balance FROM account WHERE kind = 'payout_transit') AS transit
        FULL JOIN (
            SELECT amount_currency AS currency, sum(amount_amount) AS amount
            FROM payout WHERE state IN ('requested', 'sent') GROUP BY amount_currency
        ) AS kept ON kept.currency = transit.currency
        WHERE coalesce(transit.balance, 0) <> coalesce(kept.amount, 0)
        """,
    ),
    Invariant(
        "payout_posted",
        "Every payout has taken its amount from its company's balance, or has given it back.",
        """
        SELECT payout.id FROM payout LEFT JOIN journal ON journal.subject = payout.id
        LEFT JOIN posting ON posting.journal_id = journal.id
            AND posting.account_id = concat_ws(':', party_id, 'available', amount_currency)
        GROUP BY payout.id HAVING coalesce(-sum(posting.amount), 0)
            <> CASE state WHEN 'returned' THEN 0 ELSE amount_amount END
        """,
    ),
    Invariant(
        "payout_reminded",
        "A payout has a day of reminder exactly while it waits for the bank.",
        "SELECT id FROM payout WHERE (state IN ('requested', 'sent')) <> (due_at IS NOT NULL)",
    ),
)
