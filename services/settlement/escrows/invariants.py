"""What is always true of escrows."""

from __future__ import annotations

from chassis.service import Invariant

INVARIANTS = (
    Invariant(
        "escrow_is_in",
        "What is on an escrow account is the sum of what is left in its owner's escrows.",
        """
        SELECT coalesce(escrowed.id, kept.id) AS id
        FROM (SELECT id, balance FROM account WHERE kind = 'escrow') AS escrowed
        FULL JOIN (
            SELECT concat_ws(':', buyer_id, 'escrow', gross_currency) AS id, sum(funded - paid_out - returned) AS rest
            FROM escrow GROUP BY buyer_id, gross_currency
        ) AS kept ON kept.id = escrowed.id
        WHERE coalesce(escrowed.balance, 0) <> coalesce(kept.rest, 0)
        """,
    ),
    Invariant(
        "escrow_covered",
        "No more leaves an escrow than came in; one that is awaited or lapsed is empty, one that is closed is again.",
        """
        SELECT id FROM escrow WHERE funded < paid_out + returned OR least(funded, paid_out, returned, shortfall) < 0
        OR CASE state
            WHEN 'funded' THEN funded <> gross_amount
            WHEN 'closed' THEN funded <> paid_out + returned
            ELSE funded <> 0
        END
        """,
    ),
    Invariant(
        "escrow_awaited_until",
        "An escrow has a deadline exactly while it is awaited.",
        "SELECT id FROM escrow WHERE (state = 'awaiting') <> (due_at IS NOT NULL)",
    ),
    Invariant(
        "escrow_backed_by_deposits",
        "A deal that is to be paid, or is paid, still holds its deposits.",
        """
        SELECT escrow.id FROM escrow LEFT JOIN deposits ON deposits.id = escrow.id
        WHERE escrow.state IN ('awaiting', 'funded') AND deposits.state IS DISTINCT FROM 'held'
        """,
    ),
)
