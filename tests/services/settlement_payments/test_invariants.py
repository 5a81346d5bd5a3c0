"""Each invariant of card money names what breaks it: the violation is planted by SQL behind the service's back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.settlement import payments, reconciliation
from services.settlement.movements import invariants as movements
from tests.services.settlement_payments.money import dispute, refund

PLANTED: list[tuple[str, str, str]] = [
    (
        "card_payment_credited_once",
        "{paid}",
        "UPDATE card_payment SET state = 'failed', due_at = NULL WHERE id = '{paid}'",
    ),
    ("card_payment_credited_once", "{paid}", "UPDATE card_payment SET amount_amount = amount_amount + 1"),
    ("card_payment_credited_once", "{paid}", "UPDATE card_payment SET party_id = 'party_z'"),
    ("card_payment_credited_once", "{paid}", "DELETE FROM card_payment"),
    ("card_payment_credited_once", "{paid}", "DELETE FROM posting WHERE amount > 0"),
    ("refund_transit_is_refunding", "EUR", "UPDATE card_payment SET state = 'succeeded', due_at = NULL"),
    ("refund_transit_is_refunding", "EUR", "DELETE FROM account WHERE kind = 'refund_transit'"),
    ("card_payment_returned", "{disputed}", "UPDATE card_payment SET returned = 1"),
    ("card_payment_returned", "{disputed}", "DELETE FROM card_movement WHERE kind = 'dispute'"),
    ("card_movement_posted", "{taken}", "UPDATE card_movement SET amount = amount - 1"),
    ("card_movement_posted", "{taken}", "DELETE FROM card_movement"),
    ("card_movement_posted", "{taken}", "DELETE FROM journal WHERE subject = '{taken}'"),
    ("clearing_is_card", "EUR", "UPDATE account SET balance = balance + 1 WHERE kind = 'clearing_card'"),
    ("clearing_is_card", "EUR", "DELETE FROM card_movement WHERE kind = 'dispute'"),
    ("card_fees_are_stripes", "EUR", "UPDATE account SET balance = balance + 1 WHERE kind = 'card_fees'"),
    ("receivable_is_owed", "EUR", "UPDATE card_movement SET owed = 0"),
    ("receivable_is_owed", "EUR", "DELETE FROM account WHERE kind = 'receivable'"),
    (
        "card_payments_reconciled",
        "{run} clearing:EUR",
        "UPDATE reconciliation SET differences = '[{{\"subject\": \"clearing:EUR\"}}]' WHERE id = '{run}'",
    ),
    ("reconciliation_to_come", "{to_come}", "UPDATE reconciliation SET state = 'agreed'"),
    ("reconciliation_to_come", "{to_come}", "UPDATE reconciliation SET state = 'scheduled'"),
]


def test_every_invariant_is_planted() -> None:
    named = (*payments.INVARIANTS, *movements.INVARIANTS, *reconciliation.INVARIANTS)
    assert {invariant.name for invariant in named} == {name for name, _, _ in PLANTED}


@pytest.mark.parametrize(("name", "id", "planted"), PLANTED, ids=range(len(PLANTED)))
def test_a_planted_violation_is_named(stand, name, id, planted):
    paid = stand.pay(10_000)
    stand.settle()
    disputed = stand.pay(3_000)
    stand.settle()
    dispute(stand, disputed, amount=2_000)
    stand.deliver()
    stand.advance(timedelta(days=1))
    assert refund(stand, paid).status_code == 200
    stand.send("POST", "/v1/card-payments", {"amount": {"amount": 1, "currency": "CNY"}})
    owe_something(stand)
    assert stand.broken() == []
    runs = [run for (run,) in stand.rows("SELECT id FROM reconciliation ORDER BY id")]
    [(taken,)] = stand.rows("SELECT id FROM card_movement WHERE amount = -2000")
    known = {"paid": paid, "disputed": disputed, "taken": taken, "run": runs[0], "to_come": runs[-1]}
    assert id.format(**known) in stand.broken_by(planted.format(**known)).get(name, [])
    assert stand.broken() == []


def owe_something(stand):
    """A party whose money is gone when it is disputed."""
    body = {"amount": {"amount": 4_000, "currency": "EUR"}}
    payment_id = stand.send("POST", "/v1/card-payments", body, party="party_b").json["id"]
    stand.settle_but("refund_card")
    stand.spend("party_b", 4_000)
    found = stand.send("GET", f"/v1/card-payments/{payment_id}", party="party_b").json
    charge = stand.stripe.v1.payment_intents.retrieve(found["intent_id"]).latest_charge
    stand.admin(f"charges/{charge}/dispute")
    stand.deliver()
    stand.settle_but("refund_card")
    assert stand.balances()["platform:receivable:EUR"] == -4_000
