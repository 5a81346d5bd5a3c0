"""What is always true of deposits and holds (TRADE.md 3.0, I2 and I3)."""

from __future__ import annotations

from chassis.service import Invariant

INVARIANTS = (
    Invariant(
        "frozen_is_held",
        "What is frozen on an account is the sum of its owner's open holds.",
        """
        SELECT coalesce(frozen.id, held.id) AS id
        FROM (SELECT id, balance FROM account WHERE kind = 'frozen') AS frozen
        FULL JOIN (
            SELECT concat_ws(':', party_id, 'frozen', currency) AS id, sum(open) AS open
            FROM hold GROUP BY party_id, currency
        ) AS held ON held.id = frozen.id
        WHERE coalesce(frozen.balance, 0) <> coalesce(held.open, 0)
        """,
    ),
    Invariant(
        "hold_arithmetic",
        "A hold's amount is what is open plus what was released, converted, forfeited and divided; none is below zero.",
        """
        SELECT id FROM hold WHERE amount <> open + released + converted + forfeited + divided
        OR least(open, released, converted, forfeited, divided) < 0
        """,
    ),
    Invariant(
        "hold_resolved_once",
        "An active hold is all open; a resolved one says by which journal, a divided one has all in its parts.",
        """
        SELECT id FROM hold WHERE CASE state
            WHEN 'active' THEN open <> amount OR resolved_by IS NOT NULL
            WHEN 'resolved' THEN open <> 0 OR divided <> 0
                OR NOT EXISTS (SELECT FROM journal WHERE journal.id = resolved_by)
            ELSE divided <> amount OR resolved_by IS NOT NULL
        END
        """,
    ),
    Invariant(
        "hold_divided_whole",
        "The parts that a hold was divided into come to all of it.",
        """
        SELECT parent.id FROM hold AS parent LEFT JOIN hold AS part ON part.parent_id = parent.id
        GROUP BY parent.id HAVING parent.divided <> coalesce(sum(part.amount), 0)
        """,
    ),
    Invariant(
        "deposits_backed",
        "Deposits that were held have holds of their full amounts, refused ones none; when over, nothing is open.",
        """
        SELECT deposits.id FROM deposits LEFT JOIN hold ON hold.deal_id = deposits.id AND parent_id IS NULL
        GROUP BY deposits.id HAVING coalesce(sum(amount), 0) <> CASE deposits.state
            WHEN 'refused' THEN 0 ELSE buyer_deposit_amount + seller_deposit_amount END
        UNION
        SELECT deposits.id FROM deposits JOIN hold ON hold.deal_id = deposits.id
        WHERE deposits.state <> 'held' AND hold.open <> 0
        UNION
        SELECT deal_id FROM hold WHERE NOT EXISTS (SELECT FROM deposits WHERE deposits.id = deal_id)
        """,
    ),
)
