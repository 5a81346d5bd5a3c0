"""Whether Stripe's books and ours agreed when they were last compared."""

from __future__ import annotations

from chassis.service import Invariant

INVARIANTS = (
    Invariant(
        "card_payments_reconciled",
        "The last reconciliation of card payments with Stripe found no difference.",
        """
        SELECT last.id || ' ' || (difference ->> 'subject') AS id
        FROM (SELECT * FROM reconciliation WHERE ended_at IS NOT NULL ORDER BY id DESC LIMIT 1) AS last,
            jsonb_array_elements(last.differences) AS difference
        """,
    ),
    Invariant(
        "reconciliation_to_come",
        "Once there was a reconciliation, exactly one is to come or under way.",
        """
        SELECT max(id) AS id FROM reconciliation
        HAVING count(*) > 0 AND count(*) FILTER (WHERE state IN ('scheduled', 'asking')) <> 1
        """,
    ),
)
