"""What is always true of settlement statements: they say what the ledger did, to the cent."""

from __future__ import annotations

from chassis.service import Invariant

_SAID = """
    SELECT line.id, line.journal_id, concat_ws(':', leg.owner, leg.kind, line.currency) AS account_id, leg.amount
    FROM statement_line AS line JOIN statement ON statement.id = line.statement_id, LATERAL (VALUES
        (buyer_id, 'escrow', -(from_escrow + returned)),
        (buyer_id, 'frozen', -(from_deposit + buyer_released + buyer_forfeited)),
        (seller_id, 'frozen', -(seller_released + seller_forfeited)),
        (buyer_id, 'available', returned + buyer_released + seller_forfeited - from_supplement
            - CASE WHEN buyer_forfeited > 0 THEN 0 ELSE forfeit_fee END),
        (seller_id, 'available', from_escrow + from_deposit + from_supplement - fee + seller_released + buyer_forfeited
            - CASE WHEN buyer_forfeited > 0 THEN forfeit_fee ELSE 0 END),
        ('platform', 'fee', fee + forfeit_fee)
    ) AS leg (owner, kind, amount)
    WHERE leg.amount <> 0
"""

INVARIANTS = (
    Invariant(
        "statement_is_ledger",
        "Each line of a statement says exactly what its journal did to every account.",
        f"""
        SELECT DISTINCT coalesce(said.id, done.id) AS id FROM ({_SAID}) AS said
        FULL JOIN (
            SELECT statement_line.id, posting.* FROM statement_line JOIN posting USING (journal_id)
        ) AS done ON done.journal_id = said.journal_id AND done.account_id = said.account_id
        WHERE done.amount IS DISTINCT FROM said.amount
        """,
    ),
    Invariant(
        "statement_adds_up",
        "A delivery's gross is its net and tax, and is what was paid for it and what fell short.",
        """
        SELECT id FROM statement_line WHERE gross <> net + tax OR gross <> from_escrow + from_deposit + shortfall
        OR (kind = 'delivery') <> (gross IS NOT NULL)
        """,
    ),
    Invariant(
        "settlement_stated",
        "Every journal that shared a deal's money out has its line in a statement.",
        """
        SELECT id FROM journal WHERE kind IN ('delivery_settlement', 'default', 'cancellation', 'supplement')
        AND NOT EXISTS (SELECT FROM statement_line WHERE journal_id = journal.id)
        """,
    ),
    Invariant(
        "escrow_stated",
        "What an escrow paid out, returned and lacked is what its statement says.",
        """
        SELECT escrow.id FROM escrow LEFT JOIN statement ON statement.deal_id = escrow.id
        LEFT JOIN statement_line AS line ON line.statement_id = statement.id
        GROUP BY escrow.id HAVING (escrow.paid_out, escrow.returned, escrow.shortfall)
            <> (coalesce(sum(line.from_escrow), 0), coalesce(sum(line.returned), 0), coalesce(sum(line.shortfall), 0))
        """,
    ),
    Invariant(
        "value_is_used",
        "A line takes out of escrow no more than the value that it resolves, but for what the last line finds left.",
        """
        SELECT line.id FROM statement_line AS line JOIN statement ON statement.id = line.statement_id
        JOIN escrow ON escrow.id = statement.deal_id
        WHERE line.value IS NOT NULL AND line.from_escrow + line.returned > line.value AND escrow.state <> 'closed'
        """,
    ),
    Invariant(
        "fees_stated",
        "What the platform has taken is the sum of the fees that statements say.",
        """
        SELECT coalesce(taken.currency, said.currency)::text AS id
        FROM (SELECT currency, balance FROM account WHERE kind = 'fee') AS taken
        FULL JOIN (
            SELECT currency, sum(fee + forfeit_fee) AS amount FROM statement_line GROUP BY currency
        ) AS said ON said.currency = taken.currency
        WHERE coalesce(taken.balance, 0) <> coalesce(said.amount, 0)
        """,
    ),
)
