"""Each invariant names what breaks it: the violation is planted by SQL behind the service's back."""

from __future__ import annotations

import pytest

from services.settlement import SERVICE, payments, reconciliation
from services.settlement.movements import invariants as movements
from tests.services.settlement.stand import Stand, coils

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
    "escrow_paid_in": ("deal_2", ["UPDATE escrow SET funded = funded + 1 WHERE id = 'deal_2'"]),
    "payment_is_ledger": ("{payment}", ["UPDATE escrow_payment SET converted = converted + 1 WHERE id = '{payment}'"]),
    "escrow_resolved": ("deal_2", ["UPDATE escrow SET resolved = resolved - 1 WHERE id = 'deal_2'"]),
    "hold_backs_what_is_open": ("{backing}", ["UPDATE escrow SET resolved = resolved + 5000 WHERE id = 'deal_2'"]),
    "value_is_used": ("{valued}", ["UPDATE statement_line SET value = 1 WHERE id = '{valued}'"]),
    "shortfall_is_asked_for": ("{valued}", ["DELETE FROM supplement"]),
    "supplement_stated": ("{supplement}", ["UPDATE supplement SET state = 'paid', due_at = NULL"]),
    "supplement_awaited_until": (
        "{supplement}",
        [
            "ALTER TABLE supplement DROP CONSTRAINT ck_supplement_deadline",
            "UPDATE supplement SET due_at = NULL",
        ],
    ),
    "goods_invoice_is_line": ("{valued}", ["DELETE FROM invoice WHERE kind = 'goods'"]),
    "fee_invoice_is_fee": ("{valued}", ["DELETE FROM invoice WHERE kind = 'fee'"]),
    "invoice_adds_up": (
        "{goods}",
        [
            "ALTER TABLE invoice DROP CONSTRAINT ck_invoice_amounts",
            "UPDATE invoice SET net = net + 1 WHERE id = '{goods}'",
        ],
    ),
    "invoice_releases": ("{goods}", ["UPDATE invoice SET state = 'recorded', number = '1' WHERE id = '{goods}'"]),
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


def begin_two_more(stand: Stand) -> None:
    """A deal of parts that lacks something, and one whose delivery waits for its invoice."""
    stand.strike("deal_2")
    stand.sign("deal_2", pieces=coils(a=4_000, b=6_000), deposit_use="counts")
    stand.pay("deal_2", {"piece_ids": ["a"]}).ok()
    stand.accept(5_500, value=4_000, delivery="delivery_2", deal="deal_2", is_last=False)
    stand.strike("deal_3")
    stand.sign("deal_3", release="invoice")
    stand.pay("deal_3").ok()
    stand.accept(9_000, value=10_000, delivery="delivery_3", deal="deal_3")


def test_every_invariant_is_planted() -> None:
    cards = (*payments.INVARIANTS, *movements.INVARIANTS, *reconciliation.INVARIANTS)
    theirs = {invariant.name for invariant in cards}
    assert {invariant.name for invariant in SERVICE.invariants} - theirs == PLANTED.keys()


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_violation_is_named(stand: Stand, name: str) -> None:
    stand.fund()
    stand.accept(4_000, is_last=False)
    credit = stand.credit("b-9", remittance="").ok()["id"]
    begin_two_more(stand)
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
        "payment": stand.rows("SELECT id FROM escrow_payment WHERE deal_id = 'deal_2'")[0][0],
        "backing": stand.rows("SELECT id FROM hold WHERE deal_id = 'deal_2' AND state = 'active'")[0][0],
        "valued": stand.rows("SELECT id FROM statement_line WHERE delivery_id = 'delivery_2'")[0][0],
        "supplement": stand.rows("SELECT id FROM supplement")[0][0],
        "goods": stand.rows("SELECT id FROM invoice WHERE releases IS NOT NULL")[0][0],
        "journal": stand.rows(f"SELECT journal_id FROM posting WHERE account_id = '{MILL}' AND number = 1")[0][0],
    }
    named, statements = PLANTED[name]
    found = stand.broken_by(*(statement.format(**known) for statement in statements))
    assert named.format(**known) in found[name]
    assert stand.broken() == {}
