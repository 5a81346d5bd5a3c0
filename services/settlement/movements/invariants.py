"""What is always true of the movements of card money and the ledger together."""

from __future__ import annotations

from chassis.service import Invariant
from services.settlement.movements.queries import EXPECTED_CLEARING

_BALANCES = "SELECT currency, balance FROM account WHERE kind = "

INVARIANTS = (
    Invariant(
        "card_movement_posted",
        "Each movement of card money is on the clearing account once, with its amount less its fee.",
        """
        SELECT coalesce(moved.id, posted.id) AS id
        FROM (SELECT id, fee - CASE kind WHEN 'charge' THEN 0 ELSE amount END AS amount FROM card_movement) AS moved
        FULL JOIN (
            SELECT subject AS id, sum(amount) AS amount FROM journal JOIN posting ON journal_id = journal.id
            WHERE starts_with(key, 'card_movement:') AND split_part(account_id, ':', 2) = 'clearing_card' GROUP BY subject
        ) AS posted ON posted.id = moved.id
        WHERE coalesce(moved.amount, 0) <> coalesce(posted.amount, 0)
        """,
    ),
    Invariant(
        "clearing_is_card",
        "The clearing account of cards mirrors what Stripe holds for us: payments less refunds, disputes, fees and payouts.",
        f"""
        SELECT coalesce(clearing.currency, moved.currency)::text AS id
        FROM ({_BALANCES} 'clearing_card') AS clearing
        FULL JOIN ({EXPECTED_CLEARING}) AS moved ON moved.currency = clearing.currency
        WHERE coalesce(clearing.balance, 0) <> coalesce(moved.amount, 0)
        """,
    ),
    Invariant(
        "card_fees_are_stripes",
        "What the platform has spent on card fees is what Stripe kept.",
        f"""
        SELECT coalesce(spent.currency, kept.currency)::text AS id
        FROM ({_BALANCES} 'card_fees') AS spent
        FULL JOIN (SELECT currency, sum(fee) AS fee FROM card_movement GROUP BY currency) AS kept
            ON kept.currency = spent.currency
        WHERE coalesce(spent.balance, 0) <> -coalesce(kept.fee, 0)
        """,
    ),
    Invariant(
        "receivable_is_owed",
        "What is owed to the platform is what Stripe took back and the parties did not have.",
        f"""
        SELECT coalesce(receivable.currency, owed.currency)::text AS id
        FROM ({_BALANCES} 'receivable') AS receivable
        FULL JOIN (SELECT currency, sum(owed) AS owed FROM card_movement GROUP BY currency) AS owed
            ON owed.currency = receivable.currency
        WHERE coalesce(receivable.balance, 0) <> coalesce(owed.owed, 0)
        """,
    ),
)
