"""What is always true of the ledger (TRADE.md 3.0, I1 and I2; RELIABILITY.md 1)."""

from __future__ import annotations

from chassis.service import Invariant
from services.settlement.ledger.model import UNFLOORED, Kind

_FLOORED = ", ".join(f"'{kind}'" for kind in Kind if kind not in UNFLOORED)

INVARIANTS = (
    Invariant(
        "journal_balanced",
        "The postings of a journal sum to zero in each currency, and there are some.",
        """
        SELECT id FROM journal LEFT JOIN posting ON journal_id = id
        GROUP BY id, posting.currency HAVING coalesce(sum(amount), 1) <> 0
        """,
    ),
    Invariant(
        "posting_placed",
        "A posting belongs to a journal and to an account.",
        """
        SELECT journal_id || ' ' || account_id AS id FROM posting
        WHERE NOT EXISTS (SELECT FROM journal WHERE id = journal_id)
        OR NOT EXISTS (SELECT FROM account WHERE id = account_id)
        """,
    ),
    Invariant(
        "account_resummed",
        "An account's balance is the sum of its postings.",
        """
        SELECT id FROM account LEFT JOIN posting ON account_id = id
        GROUP BY id HAVING account.balance <> coalesce(sum(amount), 0) OR postings <> count(account_id)
        """,
    ),
    Invariant(
        "account_history_unbroken",
        "Each posting of an account is the one after the last and leaves the balance before it plus its amount.",
        """
        SELECT DISTINCT account_id AS id FROM (
            SELECT account_id, number, amount, balance,
                lag(number, 1, 0::bigint) OVER history AS number_before,
                lag(balance, 1, 0::bigint) OVER history AS balance_before
            FROM posting WINDOW history AS (PARTITION BY account_id ORDER BY number)
        ) AS steps
        WHERE number <> number_before + 1 OR balance <> balance_before + amount
        """,
    ),
    Invariant(
        "account_above_floor",
        "No account of a party, nor of money that the platform keeps for others, is or was below zero.",
        f"""
        SELECT id FROM account WHERE kind IN ({_FLOORED}) AND balance < 0
        UNION
        SELECT account_id FROM posting WHERE split_part(account_id, ':', 2) IN ({_FLOORED}) AND balance < 0
        """,
    ),
    Invariant(
        "currency_closed",
        "All accounts of a currency sum to zero: no balance exists that did not come in from outside.",
        "SELECT currency::text AS id FROM account GROUP BY currency HAVING sum(balance) <> 0",
    ),
)
