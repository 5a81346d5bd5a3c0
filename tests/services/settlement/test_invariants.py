"""Each invariant names what breaks it: the violation is planted by SQL behind the service's back."""

from __future__ import annotations

import pytest

from services.settlement import SERVICE, payments, reconciliation
from services.settlement.movements import invariants as movements
from tests.services.settlement.stand import Stand

MILL = "mill:available:CNY"

PLANTED: dict[str, tuple[str, list[str]]] = {
    "journal_balanced": ("{journal}", ["UPDATE posting SET amount = amount + 1 WHERE {first}"]),
    "posting_placed": ("gone {mill}", ["UPDATE posting SET journal_id = 'gone' WHERE {first}"]),
    "account_resummed": ("{mill}", ["UPDATE account SET balance = balance + 1 WHERE id = '{mill}'"]),
    "account_history_unbroken": ("{mill}", ["UPDATE posting SET balance = balance + 1 WHERE {first}"]),
    "account_above_floor": (
        "{mill}",
        [
            "ALTER TABLE account DROP CONSTRAINT ck_account_floor",
            "UPDATE account SET balance = -1 WHERE id = '{mill}'",
        ],
    ),
    "currency_closed": ("CNY", ["UPDATE account SET balance = balance + 1 WHERE id = '{mill}'"]),
    "frozen_is_held": ("buyer:frozen:CNY", ["UPDATE hold SET party_id = 'other' WHERE id = '{hold}'"]),
    "hold_arithmetic": (
        "{hold}",
        [
            "ALTER TABLE hold DROP CONSTRAINT ck_hold_arithmetic",
            "UPDATE hold SET converted = 7 WHERE id = '{hold}'",
        ],
    ),
    "hold_resolved_once": ("{hold}", ["UPDATE hold SET resolved_by = 'gone' WHERE id = '{hold}'"]),
    "hold_divided_whole": ("{hold}", ["UPDATE hold SET parent_id = '{hold}' WHERE id <> '{hold}'"]),
    "deposits_backed": ("deal_1", ["UPDATE deposits SET buyer_deposit_amount = 1"]),
    "escrow_is_in": ("buyer:escrow:CNY", ["UPDATE escrow SET buyer_id = 'other'"]),
    "escrow_covered": ("deal_1", ["UPDATE escrow SET funded = funded + 1"]),
    "escrow_awaited_until": ("deal_1", ["UPDATE escrow SET due_at = now()"]),
    "escrow_backed_by_deposits": ("deal_1", ["UPDATE deposits SET state = 'resolved'"]),
    "statement_is_ledger": ("{line}", ["UPDATE statement_line SET fee = fee + 1"]),
    "statement_adds_up": ("{line}", ["UPDATE statement_line SET net = net + 1"]),
    "settlement_stated": ("{settled}", ["DELETE FROM statement_line"]),
    "escrow_stated": ("deal_1", ["UPDATE statement_line SET shortfall = 9"]),
    "fees_stated": ("CNY", ["UPDATE statement_line SET fee = 0"]),
    "suspense_is_unassigned": ("CNY", ["UPDATE bank_credit SET state = 'credited' WHERE id = '{credit}'"]),
    "bank_credit_posted": ("{credit}", ["UPDATE bank_credit SET amount_amount = 1 WHERE id = '{credit}'"]),
    "bank_credit_reminded": ("{credit}", ["UPDATE bank_credit SET due_at = NULL"]),
    "clearing_is_bank": ("CNY", ["UPDATE bank_credit SET amount_amount = 1 WHERE id = '{credit}'"]),
    "transit_is_payouts": ("CNY", ["UPDATE payout SET state = 'paid'"]),
    "payout_posted": ("{payout}", ["UPDATE payout SET state = 'returned'"]),
    "payout_reminded": ("{payout}", ["UPDATE payout SET due_at = NULL"]),
}


def test_every_invariant_is_planted() -> None:
    cards = (*payments.INVARIANTS, *movements.INVARIANTS, *reconciliation.INVARIANTS)
    theirs = {invariant.name for invariant in cards}
    assert {invariant.name for invariant in SERVICE.invariants} - theirs == PLANTED.keys()


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_violation_is_named(stand: Stand, name: str) -> None:
    stand.fund()
    stand.accept(4_000, is_last=False)
    credit = stand.credit("b-9", remittance="").ok()["id"]
    body = {"amount": {"amount": 5, "currency": "CNY"}, "bank_account_id": "mill_ACCMILL"}
    payout = stand.send("POST", "/v1/payouts", body, party="mill").ok()["id"]
    assert stand.broken() == {}
    known = {
        "mill": MILL,
        "first": f"account_id = '{MILL}' AND number = 1",
        "credit": credit,
        "payout": payout,
        "hold": stand.rows("SELECT id FROM hold WHERE side = 'buyer'")[0][0],
        "line": stand.rows("SELECT id FROM statement_line")[0][0],
        "settled": stand.rows("SELECT id FROM journal WHERE kind = 'delivery_settlement'")[0][0],
        "journal": stand.rows(f"SELECT journal_id FROM posting WHERE account_id = '{MILL}' AND number = 1")[0][0],
    }
    named, statements = PLANTED[name]
    found = stand.broken_by(*(statement.format(**known) for statement in statements))
    assert named.format(**known) in found[name]
    assert stand.broken() == {}
