"""What is always true of escrows."""

from __future__ import annotations

from chassis.service import Invariant

_LINES = """
    SELECT deal_id, count(*) AS lines, count(*) FILTER (WHERE value IS NULL) AS without_value, sum(value) AS value
    FROM statement JOIN statement_line ON statement_line.statement_id = statement.id GROUP BY deal_id
"""

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
        "No more leaves an escrow than came in, nor comes in than is owed; one that is awaited or lapsed is empty, one that is "
        "closed is again, and then all of the deal was paid or missed.",
        """
        SELECT id FROM escrow WHERE funded < paid_out + returned OR funded + missed > gross_amount
        OR least(funded, missed, paid_out, returned, shortfall) < 0
        OR CASE state
            WHEN 'partly_funded' THEN false
            WHEN 'funded' THEN false
            WHEN 'closed' THEN funded <> paid_out + returned OR (funded + missed <> gross_amount AND resolved = gross_amount)
            ELSE funded <> 0
        END
        """,
    ),
    Invariant(
        "escrow_awaited_until",
        "An escrow has a deadline exactly while something of it is to be paid.",
        "SELECT id FROM escrow WHERE (state IN ('awaiting', 'partly_funded')) <> (due_at IS NOT NULL)",
    ),
    Invariant(
        "escrow_backed_by_deposits",
        "A deal that is to be paid, or is paid, still holds its deposits.",
        """
        SELECT escrow.id FROM escrow LEFT JOIN deposits ON deposits.id = escrow.id
        WHERE escrow.state IN ('awaiting', 'partly_funded', 'funded') AND deposits.state IS DISTINCT FROM 'held'
        """,
    ),
    Invariant(
        "escrow_paid_in",
        "What an escrow says was paid in is what the ledger has moved into it.",
        """
        SELECT escrow.id FROM escrow
        LEFT JOIN journal ON journal.subject = escrow.id AND journal.kind = 'escrow_payment'
        LEFT JOIN posting ON posting.journal_id = journal.id
            AND posting.account_id = concat_ws(':', buyer_id, 'escrow', gross_currency)
        GROUP BY escrow.id HAVING funded <> coalesce(sum(posting.amount), 0)
        """,
    ),
    Invariant(
        "payment_is_ledger",
        "Each payment of a deal took from balance and deposit what it says.",
        """
        SELECT payment.id FROM escrow_payment AS payment JOIN escrow ON escrow.id = payment.deal_id
        WHERE (payment.amount, -payment.converted) <> (
            SELECT coalesce(sum(amount) FILTER (WHERE account_id = concat_ws(':', buyer_id, 'escrow', currency)), 0),
                coalesce(sum(amount) FILTER (WHERE account_id = concat_ws(':', buyer_id, 'frozen', currency)), 0)
            FROM posting WHERE posting.journal_id = payment.journal_id
        )
        """,
    ),
    Invariant(
        "escrow_resolved",
        "What is resolved of a deal's gross is the sum of the values of its statement's lines, and all of it once it is over.",
        f"""
        SELECT escrow.id FROM escrow JOIN deposits ON deposits.id = escrow.id
        LEFT JOIN ({_LINES}) AS said ON said.deal_id = escrow.id
        WHERE (deposits.state = 'held' AND resolved <> coalesce(said.value, 0))
        OR (said.without_value = 0 AND (resolved <> said.value OR (deposits.state = 'resolved' AND resolved <> gross_amount)))
        """,
    ),
    Invariant(
        "hold_backs_what_is_open",
        "What stays held of a deposit is at most its share of what is still open of the deal.",
        f"""
        SELECT hold.id FROM hold JOIN escrow ON escrow.id = hold.deal_id JOIN deposits ON deposits.id = hold.deal_id
        JOIN ({_LINES}) AS said ON said.deal_id = escrow.id AND said.without_value = 0
        CROSS JOIN LATERAL (SELECT
            (CASE hold.side WHEN 'buyer' THEN buyer_deposit_amount ELSE seller_deposit_amount END)::numeric AS deposit,
            CASE WHEN hold.side = 'buyer' AND deposit_use = 'counts' THEN funded + missed ELSE resolved END AS done
        ) AS its
        WHERE hold.state = 'active' AND gross_amount > 0
        AND hold.open > deposit - div(2 * deposit * done + gross_amount, 2 * gross_amount)
        """,
    ),
)
